//! What is known of the interface at run time: a constant per method, and `impl Interface`.

use super::Names;
use crate::{
    attributes::Timeout,
    check::method_id,
    interface::{Interface, Method},
    result::returned_interface,
    signature,
};
use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{Attribute, Expr, ExprLit, GenericParam, Ident, Lit, Meta};

// Input:  trait Archive { .. }
// Output: struct __Methods {}
//         impl __Methods { const read: Method = Method { .. }; }
//         impl Interface for dyn Archive { const DESCRIPTION: .. }
pub(super) fn expand(interface: &Interface, names: &Names) -> TokenStream {
    let Names { private, interface: path, parameters, bounds, .. } = names;
    let constants = interface.sound_methods().map(|method| described(method, interface, names));
    let elements = interface.sound_methods().map(|method| {
        let cfgs = &method.cfgs;
        let constant = constant(method);
        quote!(#(#cfgs)* #constant)
    });
    let name = interface.wire_name();
    let docs = docs(&interface.item.attrs, names);
    let type_arguments = type_arguments(interface, names);
    let description = quote! {
        #private::Description {
            name: #name,
            docs: #docs,
            methods: &[#(#elements),*],
            type_arguments: &[#(#type_arguments),*],
        }
    };
    // A constant has an address in each crate and unit that uses it; a static has one, by which an interface is told at once.
    let description = match interface.is_generic() {
        true => quote!(&#description),
        false => quote! {{
            static DESCRIPTION: #private::Description = #description;
            &DESCRIPTION
        }},
    };
    // With braces, since an argument must not be called like a constant or a unit struct.
    quote! {
        struct __Methods {}
        impl __Methods {
            #(#constants)*
        }
        #[automatically_derived]
        impl<#parameters> #private::Interface for dyn #path #bounds {
            const DESCRIPTION: &'static #private::Description = #description;
        }
    }
}

/// The constant that describes a method.
pub(super) fn constant(method: &Method) -> TokenStream {
    let ident = &method.function.sig.ident;
    quote!(__Methods::#ident)
}

// Input:  async fn read(&self, path: &str) -> Result<u8, E>
// Output: const read: Method = Method { name: "read", signature: "(&str) -> Result<u8, E>", .. };
fn described(method: &Method, interface: &Interface, names: &Names) -> TokenStream {
    let private = &names.private;
    let cfgs = &method.cfgs;
    let ident = &method.function.sig.ident;
    let name = method.wire_name();
    let id = method_id(&name);
    let signature = signature::text(method);
    let docs = docs(&method.function.attrs, names);
    let oneway = method.options.oneway.is_some();
    let idempotent = method.options.idempotent;
    let no_cancel = method.options.no_cancel;
    let unordered = method.options.unordered;
    let exclusive = method.exclusive;
    let returns_object = returns_object(method, interface, names);
    let timeout = timeout(method.options.timeout, names);
    quote! {
        #(#cfgs)*
        const #ident: #private::Method = #private::Method {
            id: #private::MethodId(#id),
            name: #name,
            signature: #signature,
            docs: #docs,
            mode: #private::Mode {
                oneway: #oneway,
                idempotent: #idempotent,
                no_cancel: #no_cancel,
                unordered: #unordered,
                exclusive: #exclusive,
                returns_object: #returns_object,
            },
            timeout: #timeout,
        };
    }
}

// Input:  Result<Docs, E>
// Output: Returned::<Result<Docs, E>>::IS_OBJECT
// Input:  Result<Remote<dyn Store<K>>, E>
// Output: true
/// Whether the method returns an object: by the type, whatever it is called; but where it has parameters of the interface, which a constant
/// cannot see, by its words.
fn returns_object(method: &Method, interface: &Interface, names: &Names) -> TokenStream {
    let (private, result) = (&names.private, &method.result);
    let parameters =
        interface.item.generics.params.iter().filter_map(|parameter| match parameter {
            GenericParam::Type(parameter) => Some(&parameter.ident),
            GenericParam::Const(parameter) => Some(&parameter.ident),
            GenericParam::Lifetime(_) => None,
        });
    if mentions(result.to_token_stream(), &parameters.collect::<Vec<_>>()) {
        returned_interface(result).is_some().to_token_stream()
    } else {
        quote!(#private::Returned::<#result>::IS_OBJECT)
    }
}

/// Whether one of these words stands there.
fn mentions(tokens: TokenStream, words: &[&Ident]) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Group(group) => mentions(group.stream(), words),
        TokenTree::Ident(ident) => words.contains(&&ident),
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    })
}

fn timeout(timeout: Timeout, names: &Names) -> TokenStream {
    let private = &names.private;
    match timeout {
        Timeout::Default => quote!(#private::Timeout::Default),
        Timeout::Never => quote!(#private::Timeout::Never),
        Timeout::Micros(micros) => quote! {
            #private::Timeout::After(#private::core::time::Duration::from_micros(#micros))
        },
    }
}

/// The doc comment as one text; where it includes a file, as an expression.
fn docs(attributes: &[Attribute], names: &Names) -> TokenStream {
    let lines: Vec<&Expr> = attributes
        .iter()
        .filter_map(|attribute| match &attribute.meta {
            Meta::NameValue(pair) if pair.path.is_ident("doc") => Some(&pair.value),
            _ => None,
        })
        .collect();
    let literal = |line: &&Expr| match line {
        Expr::Lit(ExprLit { lit: Lit::Str(line), .. }) => {
            let line = line.value();
            Some(line.strip_prefix(' ').unwrap_or(&line).trim_end().to_owned())
        }
        _ => None,
    };
    match lines.iter().map(literal).collect::<Option<Vec<_>>>() {
        Some(lines) => lines.join("\n").trim().to_token_stream(),
        None => {
            let private = &names.private;
            quote!(#private::core::concat!(#(#lines, "\n"),*))
        }
    }
}

/// `type_name::<K>` for each argument of a generic trait.
fn type_arguments(interface: &Interface, names: &Names) -> Vec<TokenStream> {
    let private = &names.private;
    let parameters = interface.item.generics.params.iter();
    parameters
        .filter_map(|parameter| match parameter {
            GenericParam::Type(parameter) => {
                let ident = &parameter.ident;
                Some(quote!(#private::core::any::type_name::<#ident>))
            }
            GenericParam::Const(parameter) => {
                let ident = &parameter.ident;
                Some(quote!(#private::core::any::type_name::<[(); #ident]>))
            }
            GenericParam::Lifetime(_) => None,
        })
        .collect()
}
