//! The `Result` that a method returns, as written.

use syn::{GenericArgument, PathArguments, Type};

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
