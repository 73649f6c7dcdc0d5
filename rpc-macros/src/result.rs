//! The `Result` that a method returns, as written.

use syn::{GenericArgument, PathArguments, PathSegment, Type};

/// A path that ends in `Result`: the standard one, farcall's, or a user's alias.
pub(crate) fn is_result(ty: &Type) -> bool {
    match ty {
        Type::Path(path) => {
            path.path.segments.last().is_some_and(|segment| segment.ident == "Result")
        }
        _ => false,
    }
}

/// The type arguments of `Result<T, E>`, as many as are written.
pub(crate) fn written_types(result: &Type) -> Option<Vec<&Type>> {
    let Type::Path(path) = result else { return None };
    let PathArguments::AngleBracketed(arguments) = &path.path.segments.last()?.arguments else {
        return Some(Vec::new());
    };
    let types = arguments.args.iter().filter_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    });
    Some(types.collect())
}

// Input:  Result<Remote<dyn Document>, E>
// Output: dyn Document
/// The interface of the object that a method returns, where it returns one.
pub(crate) fn returned_interface(result: &Type) -> Option<Type> {
    let Type::Path(path) = result else { return None };
    let value = arguments_of(path.path.segments.last()?).into_iter().next()?;
    let Type::Path(value) = value else { return None };
    let last = value.path.segments.last().filter(|segment| segment.ident == "Remote")?;
    match arguments_of(last).as_slice() {
        [Type::TraitObject(interface)] => Some(Type::TraitObject(interface.clone())),
        _ => None,
    }
}

fn arguments_of(segment: &PathSegment) -> Vec<Type> {
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else { return Vec::new() };
    let ty = |argument: &GenericArgument| match argument {
        GenericArgument::Type(ty) => Some(ty.clone()),
        _ => None,
    };
    arguments.args.iter().filter_map(ty).collect()
}
