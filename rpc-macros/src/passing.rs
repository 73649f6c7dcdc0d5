//! How an argument travels: what the stub encodes, what the skeleton decodes, what the servant is lent.

use syn::{
    GenericArgument, Lifetime, PathArguments, Type, TypePath, TypeReference, TypeSlice,
    visit_mut::{self, VisitMut},
};

/// How an argument travels.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Passing {
    /// `&[u8]`: copied as a slice, borrowed from the frame.
    Bytes,
    /// `&str`: copied as a slice, borrowed from the frame.
    Text,
    /// `Cow<[u8]>`: as `&[u8]`.
    CowBytes,
    /// `Cow<str>`: as `&str`.
    CowText,
    /// A type without references: moved.
    Owned,
    /// A type with references in it, as `Option<&str>`: what it borrows, it borrows from the frame.
    Borrowing,
    /// `&T`: decoded as `T`, and lent; `&[T]`: as `Vec<T>`.
    Lent,
    /// `&T` where `T` has references in it: the same, borrowing from the frame.
    LentBorrowing,
}

impl Passing {
    /// How an argument of type `ty` travels.
    pub(crate) fn of(ty: &Type) -> Self {
        match ty {
            Type::Reference(TypeReference { elem, .. }) => match &**elem {
                Type::Slice(slice) if is(&slice.elem, "u8") => Self::Bytes,
                text if is(text, "str") => Self::Text,
                lent if borrows(lent) => Self::LentBorrowing,
                _ => Self::Lent,
            },
            ty if borrows(ty) => match cow(ty) {
                Some(Type::Slice(slice)) if is(&slice.elem, "u8") => Self::CowBytes,
                Some(text) if is(text, "str") => Self::CowText,
                _ => Self::Borrowing,
            },
            _ => Self::Owned,
        }
    }
}

/// What a reference lends: `T` for `&T` and for `&[T]`, and whether it is the slice.
pub(crate) fn lent(ty: &Type) -> (&Type, bool) {
    match ty {
        Type::Reference(TypeReference { elem, .. }) => match &**elem {
            Type::Slice(TypeSlice { elem, .. }) => (elem, true),
            lent => (lent, false),
        },
        other => (other, false),
    }
}

/// The `B` of `Cow<'_, B>`.
fn cow(ty: &Type) -> Option<&Type> {
    let Type::Path(TypePath { qself: None, path, .. }) = ty else { return None };
    let last = path.segments.last().filter(|segment| segment.ident == "Cow")?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
    arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    })
}

fn is(ty: &Type, name: &str) -> bool {
    matches!(ty, Type::Path(TypePath { qself: None, path, .. }) if path.is_ident(name))
}

/// A reference, or a lifetime other than `'static`, stands in `ty`.
fn borrows(ty: &Type) -> bool {
    struct Finder(bool);
    impl VisitMut for Finder {
        fn visit_type_reference_mut(&mut self, _: &mut TypeReference) {
            self.0 = true;
        }
        fn visit_lifetime_mut(&mut self, lifetime: &mut Lifetime) {
            self.0 |= lifetime.ident != "static";
        }
        fn visit_type_mut(&mut self, ty: &mut Type) {
            if !matches!(ty, Type::FnPtr(_) | Type::TraitObject(_)) {
                visit_mut::visit_type_mut(self, ty);
            }
        }
    }
    let mut finder = Finder(false);
    finder.visit_type_mut(&mut ty.clone());
    finder.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_travel_by_their_shape() {
        use Passing::{Borrowing, Bytes, CowBytes, CowText, Lent, LentBorrowing, Owned, Text};
        let check = |ty: &str, want| {
            assert_eq!(Passing::of(&syn::parse_str(ty).expect("a type")), want, "{ty}");
        };
        check("&[u8]", Bytes);
        check("&str", Text);
        check("Cow<'_, str>", CowText);
        check("std::borrow::Cow<'_, [u8]>", CowBytes);
        check("Cow<'static, str>", Owned);
        check("Cow<'_, Path>", Borrowing);
        check("Vec<u8>", Owned);
        check("[u8; 4]", Owned);
        check("(u8, String)", Owned);
        check("Remote<dyn Watcher>", Owned);
        check("Option<&str>", Borrowing);
        check("(u32, &[u8])", Borrowing);
        check("&Point", Lent);
        check("&[Point]", Lent);
        check("&Vec<u8>", Lent);
        check("&[u8; 4]", Lent);
        check("&[&str]", LentBorrowing);
        check("&Option<&str>", LentBorrowing);
    }
}
