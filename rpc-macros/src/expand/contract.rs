//! The trait itself, as users implement and call it.

use super::Names;
use crate::{
    interface::{Interface, Method},
    signature,
};
use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{
    FnArg, ReturnType, Signature, TraitItem, TraitItemType, TypeParamBound, WherePredicate,
    parse_quote,
};

// Input:  /// Docs.
//         pub trait Archive { .. }
// Output: /// Docs.
//         pub trait Archive: Send + Sync + 'static { .. }
pub(super) fn expand(interface: &Interface, names: &Names) -> TokenStream {
    let mut item = interface.item.clone();
    item.supertraits = supertraits(interface, names).into_iter().collect();
    item.colon_token = Some(parse_quote!(:));
    item.items = associated_types(interface, names);
    let methods = interface.methods.iter().map(|method| {
        let attributes = &method.function.attrs;
        let signature = declared(method, names);
        match body(method, names) {
            Some(body) => quote!(#(#attributes)* #signature { #body }),
            None => quote!(#(#attributes)* #signature;),
        }
    });
    item.items.extend(methods.map(TraitItem::Verbatim));
    item.attrs.push(parse_quote!(#[allow(clippy::manual_async_fn, clippy::missing_errors_doc)]));
    item.to_token_stream()
}

/// The associated types, which are mistakes: so that nothing that names them is one too.
fn associated_types(interface: &Interface, names: &Names) -> Vec<TraitItem> {
    let private = &names.private;
    let types = interface.item.items.iter().filter_map(|item| match item {
        TraitItem::Type(TraitItemType { ident, generics, .. }) => Some(TraitItem::Verbatim(
            quote!(type #ident #generics where Self: #private::core::marker::Sized;),
        )),
        _ => None,
    });
    types.collect()
}

/// The user's, and what hosting asks for: `Sync` only where calls share the servant.
fn supertraits(interface: &Interface, names: &Names) -> Vec<TypeParamBound> {
    let private = &names.private;
    let known =
        |bound: &&TypeParamBound| ["Send", "Sync", "'static"].iter().any(|name| is(bound, name));
    let mut supertraits: Vec<_> =
        interface.item.supertraits.iter().filter(known).cloned().collect();
    let mut add = |name: &str, bound: TypeParamBound| {
        if !supertraits.iter().any(|written| is(written, name)) {
            supertraits.push(bound);
        }
    };
    add("Send", parse_quote!(#private::core::marker::Send));
    let shared = |method: &Method| !method.exclusive;
    if interface.methods.is_empty() || interface.methods.iter().any(shared) {
        add("Sync", parse_quote!(#private::core::marker::Sync));
    }
    supertraits
}

/// `bound` is the trait `name`, however its path is written.
pub(crate) fn is(bound: &TypeParamBound, name: &str) -> bool {
    match bound {
        TypeParamBound::Trait(bound) if bound.maybe.is_none() => {
            bound.path.segments.last().is_some_and(|last| last.ident == name)
        }
        other => signature::canonical(other) == name,
    }
}

// Input:  async fn read(&self, path: &str) -> Result<u8, E>
// Output: fn read(&self, path: &str) -> impl Future<Output = Result<u8, E>> + Send where Self: Sized
pub(super) fn declared(method: &Method, names: &Names) -> Signature {
    let private = &names.private;
    let mut signature = method.function.sig.clone();
    if signature.asyncness.take().is_some() || method.sound {
        let result = &method.result;
        signature.output = ReturnType::Type(
            parse_quote!(->),
            parse_quote!(impl #private::core::future::Future<Output = #result> + #private::core::marker::Send),
        );
    }
    let sized: WherePredicate = parse_quote!(Self: #private::core::marker::Sized);
    signature.generics.make_where_clause().predicates.push(sized);
    if !method.sound {
        mend(&mut signature, method);
    }
    signature
}

/// Takes out of a mistaken method what the compiler would complain of a second time.
fn mend(signature: &mut Signature, method: &Method) {
    signature.constness = None;
    signature.variadic = None;
    let typed = signature.inputs.iter_mut().filter_map(|input| match input {
        FnArg::Typed(typed) => Some(typed),
        FnArg::Receiver(_) => None,
    });
    for (typed, argument) in typed.zip(&method.arguments) {
        let name = &argument.name;
        *typed.pat = parse_quote!(#name);
    }
}

/// The default body, with everything it captures.
fn body(method: &Method, names: &Names) -> Option<TokenStream> {
    let block = method.function.default.as_ref()?;
    Some(if method.sound { quote!(async move #block) } else { nothing(method, names) })
}

/// The body of a mistaken method, which no program will run.
pub(super) fn nothing(method: &Method, names: &Names) -> TokenStream {
    let private = &names.private;
    match method.function.sig.asyncness {
        Some(_) => quote!(async move { #private::core::unimplemented!() }),
        None => quote!(#private::core::unimplemented!()),
    }
}
