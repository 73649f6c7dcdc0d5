//! What cannot travel, as far as the words of a type tell.

use crate::{mistakes::Mistakes, signature::canonical};
use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{
    GenericArgument, Lifetime, PathArguments, PathSegment, Type, TypePath,
    visit_mut::{self, VisitMut},
};

/// Where a type stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Argument,
    Result,
}

/// Something of note in a type.
pub(super) enum Finding {
    /// `&T`, and whether its lifetime is `'static`.
    Reference(TokenStream, bool),
    /// `&mut T`.
    Mutable(TokenStream),
    /// `'a` or `'_` in a path.
    Lifetime(TokenStream),
    /// `impl Trait`.
    Impl(TokenStream),
    /// `dyn Trait`, not within a `Remote`; its text.
    Dyn(TokenStream, String),
    /// `fn(..)` and pointers.
    Pointer(TokenStream),
    /// `Self`.
    SelfType(TokenStream),
    /// `Self::Item`.
    Associated,
}

/// Says what is wrong with a type.
pub(super) fn check(ty: &Type, place: Place, mistakes: &mut Mistakes) {
    for finding in findings(ty) {
        match finding {
            Finding::Mutable(at) => mistakes.at(
                at,
                "an argument is a copy of the caller's: take it by value or `&`, and return what changed",
            ),
            Finding::Reference(at, _) if place == Place::Result => mistakes.at(
                at,
                "a result outlives the call: return a type that owns its data, as `String` or `Vec<u8>`",
            ),
            Finding::Lifetime(at) if place == Place::Result => {
                mistakes.at(at, "a result outlives the call: write `'static`, or a type that owns its data");
            }
            Finding::Reference(at, true) => {
                mistakes.at(at, "what arrives lives as long as the call: write `&` without `'static`");
            }
            Finding::Impl(at) => mistakes.at(at, "write the type: the other process must know it"),
            Finding::Dyn(at, text) => {
                mistakes.at(at, format!("an object stays where it is: write `Remote<{text}>`"));
            }
            Finding::Pointer(at) => {
                mistakes.at(at, "an address means nothing in another process: pass a value, or a `Remote`");
            }
            Finding::SelfType(at) => {
                mistakes.at(at, "an object stays where it is: write `Remote<dyn ..>` instead of `Self`");
            }
            Finding::Reference(_, false) | Finding::Lifetime(_) | Finding::Associated => {}
        }
    }
}

/// Everything of note in a type.
pub(super) fn findings(ty: &Type) -> Vec<Finding> {
    let mut finder = Finder(Vec::new());
    finder.visit_type_mut(&mut ty.clone());
    finder.0
}

struct Finder(Vec<Finding>);

impl VisitMut for Finder {
    fn visit_type_mut(&mut self, ty: &mut Type) {
        let at = ty.to_token_stream();
        match ty {
            Type::Reference(reference) if reference.mutability.is_some() => {
                self.0.push(Finding::Mutable(at));
            }
            Type::Reference(reference) => {
                let is_static = reference.lifetime.as_ref().is_some_and(is_static);
                if !matches!(*reference.elem, Type::TraitObject(_)) {
                    self.0.push(Finding::Reference(at, is_static));
                }
                self.visit_type_mut(&mut reference.elem);
            }
            Type::ImplTrait(_) => self.0.push(Finding::Impl(at)),
            Type::TraitObject(object) => {
                let text = canonical(&*object);
                self.0.push(Finding::Dyn(at, text));
            }
            Type::FnPtr(_) | Type::Ptr(_) => self.0.push(Finding::Pointer(at)),
            _ => visit_mut::visit_type_mut(self, ty),
        }
    }

    fn visit_type_path_mut(&mut self, path: &mut TypePath) {
        if path.qself.is_none() && path.path.segments.first().is_some_and(is_self) {
            let alone = path.path.segments.len() == 1;
            let at = path.to_token_stream();
            self.0.push(if alone { Finding::SelfType(at) } else { Finding::Associated });
        }
        visit_mut::visit_type_path_mut(self, path);
    }

    fn visit_path_segment_mut(&mut self, segment: &mut PathSegment) {
        let boxes = ["Box", "Rc", "Arc", "Cell", "RefCell", "Mutex", "RwLock", "Pin"];
        if boxes.iter().any(|name| segment.ident == name) {
            return visit_mut::visit_path_segment_mut(self, segment);
        }
        // `Remote<dyn Trait>`, and what users build of it.
        let PathArguments::AngleBracketed(arguments) = &mut segment.arguments else { return };
        for argument in &mut arguments.args {
            if !matches!(argument, GenericArgument::Type(Type::TraitObject(_))) {
                visit_mut::visit_generic_argument_mut(self, argument);
            }
        }
    }

    fn visit_lifetime_mut(&mut self, lifetime: &mut Lifetime) {
        if !is_static(lifetime) {
            self.0.push(Finding::Lifetime(lifetime.to_token_stream()));
        }
    }
}

fn is_static(lifetime: &Lifetime) -> bool {
    lifetime.ident == "static"
}

fn is_self(segment: &PathSegment) -> bool {
    segment.ident == "Self"
}
