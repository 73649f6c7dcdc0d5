//! What an interface asks of its types, once of each and where it stands. The stub and the skeleton ask nothing more.

use super::Names;
use crate::{
    interface::{Interface, Method},
    passing::{Passing, lent},
    result::written_types,
    signature::canonical,
};
use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use std::collections::HashSet;

// Input:  trait Archive { async fn read(&self, page: Page) -> Result<u8, E>; }
// Output: fn __demands() { value::<Page>(); value::<E>(); failure::<E>(); }
pub(super) fn expand(interface: &Interface, names: &Names) -> TokenStream {
    let Names { parameters, bounds, .. } = names;
    let mut asked = HashSet::new();
    let methods = interface.sound_methods().map(|method| {
        let cfgs = &method.cfgs;
        let demands = demands(method, names).into_iter().filter(|demand| {
            // A condition may take the first of two away.
            !cfgs.is_empty() || asked.insert(canonical(demand))
        });
        let demands = quote!(#(#demands)*);
        if demands.is_empty() { demands } else { quote!(#(#cfgs)* { #demands }) }
    });
    quote! {
        fn __demands<#parameters>() #bounds {
            #(#methods)*
        }
    }
}

fn demands(method: &Method, names: &Names) -> Vec<TokenStream> {
    let private = &names.private;
    let arguments = method.arguments.iter().filter_map(|argument| match argument.passing {
        Passing::Owned => Some(argument.ty.to_token_stream()),
        Passing::Lent => Some(lent(&argument.ty).0.to_token_stream()),
        _ => None,
    });
    let mut values: Vec<_> = arguments.collect();
    let result = &method.result;
    let (value, error) = match written_types(result).as_deref() {
        Some([value, error]) => (value.to_token_stream(), error.to_token_stream()),
        _ => (part(result, "Value", names), part(result, "Error", names)),
    };
    values.extend([value, error.clone()]);
    values.retain(|value| !is_primitive(value));
    let values = values.into_iter().map(|value| quote!(#private::value::<#value>();));
    values.chain([quote!(#private::failure::<#error>();)]).collect()
}

// Input:  io::Result<u8>
// Output: <io::Result<u8> as ResultOf>::Value, where the type stands
fn part(result: &syn::Type, name: &str, names: &Names) -> TokenStream {
    let private = &names.private;
    let mut spans = result.to_token_stream().into_iter().map(|token| token.span());
    let first = spans.next().unwrap_or_else(Span::mixed_site);
    let last = spans.last().unwrap_or(first);
    let open = quote_spanned!(first=> <);
    let name = syn::Ident::new(name, last);
    let close = quote_spanned!(last=> as #private::ResultOf>::#name);
    quote!(#open #result #close)
}

fn is_primitive(ty: &TokenStream) -> bool {
    let primitives = [
        "()", "bool", "char", "u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32",
        "i64", "i128", "isize", "f32", "f64",
    ];
    primitives.contains(&canonical(ty).as_str())
}
