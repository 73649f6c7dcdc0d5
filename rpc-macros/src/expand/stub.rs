//! The caller's side: the trait for `Remote<dyn Trait>`.

use super::{Names, contract, description::constant_name};
use crate::{
    interface::{Argument, Interface, Method},
    passing::Passing,
    result::written_types,
};
use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{TraitItem, TraitItemType};

// Input:  trait Archive { .. }
// Output: impl<'remote> Archive for Remote<dyn Archive + 'remote> { .. }
pub(super) fn expand(interface: &Interface, names: &Names) -> TokenStream {
    let Names { private, interface: path, parameters, bounds, .. } = names;
    let unsafety = &interface.item.unsafety;
    let methods = interface
        .methods
        .iter()
        .map(|method| if method.sound { sending(method, names) } else { mistaken(method, names) });
    let types = interface.item.items.iter().filter_map(|item| match item {
        TraitItem::Type(TraitItemType { ident, generics, .. }) => {
            Some(quote!(type #ident #generics = ();))
        }
        _ => None,
    });
    // For every lifetime, since the compiler forgets which one it was when it asks whether a future that holds a `Remote` is `Send`.
    let is_static = interface.item.supertraits.iter().any(|bound| contract::is(bound, "'static"));
    let lifetime = if is_static { quote!('static) } else { quote!('__remote) };
    let parameter = (!is_static).then(|| quote!('__remote,));
    let result_of = result_of(interface, names);
    quote! {
        #result_of
        #[automatically_derived]
        #[allow(refining_impl_trait)]
        #unsafety impl<#parameter #parameters> #path for #private::Remote<dyn #path + #lifetime> #bounds {
            #(#types)*
            #(#methods)*
        }
    }
}

// Input:  async fn read(&self, path: &str, offset: u64) -> Result<u8, E>
// Output: fn read(&self, path: &str, offset: u64) -> Call<u8, E> {
//             let mut call = Outgoing::new::<dyn Archive>(self, &__read);
//             call.str(path);
//             call.owned(offset);
//             call.send()
//         }
fn sending(method: &Method, names: &Names) -> TokenStream {
    let Names { private, interface: path, .. } = names;
    let cfgs = &method.cfgs;
    let ident = &method.function.sig.ident;
    let constant = constant_name(method);
    let receiver = if method.exclusive { quote!(&mut) } else { quote!(&) };
    let inputs = method.arguments.iter().map(|Argument { name, ty, .. }| quote!(#name: #ty));
    let encoded = method.arguments.iter().map(encode);
    let outcome = outcome(method);
    let mutability = (!method.arguments.is_empty()).then(|| quote!(mut));
    // The receiver and the locals are ours, whatever the arguments are called.
    quote_spanned! {Span::mixed_site()=>
        #(#cfgs)*
        fn #ident(#receiver self, #(#inputs),*) -> #private::Call<#outcome> {
            let #mutability call = #private::Outgoing::new::<dyn #path>(self, &#constant);
            #(call.#encoded;)*
            call.send()
        }
    }
}

fn encode(argument: &Argument) -> TokenStream {
    let name = &argument.name;
    match argument.passing {
        Passing::Bytes => quote!(bytes(#name)),
        Passing::Text => quote!(str(#name)),
        Passing::CowBytes => quote!(bytes(&#name)),
        Passing::CowText => quote!(str(&#name)),
        Passing::Owned => quote!(owned(#name)),
        Passing::Borrowing => quote!(value(&#name)),
        Passing::Lent | Passing::LentBorrowing => quote!(value(#name)),
    }
}

// Input:  Result<u8, E>
// Output: u8, E
// Input:  io::Result<u8>
// Output: <io::Result<u8> as ResultOf>::Value, <io::Result<u8> as ResultOf>::Error
fn outcome(method: &Method) -> TokenStream {
    let result = &method.result;
    match written_types(result).as_deref() {
        Some([value, error]) => quote!(#value, #error),
        _ => quote!(<#result as __ResultOf>::Value, <#result as __ResultOf>::Error),
    }
}

// Output: the trait that takes a user's alias of `Result` apart, where one is used.
fn result_of(interface: &Interface, names: &Names) -> TokenStream {
    let private = &names.private;
    let is_plain =
        |method: &Method| written_types(&method.result).is_some_and(|types| types.len() == 2);
    if interface.sound_methods().all(is_plain) {
        return TokenStream::new();
    }
    quote! {
        pub trait __ResultOf {
            type Value;
            type Error;
        }
        impl<T, E> __ResultOf for #private::core::result::Result<T, E> {
            type Value = T;
            type Error = E;
        }
    }
}

/// A method that cannot be called from afar: there is a mistake, and no program will run.
fn mistaken(method: &Method, names: &Names) -> TokenStream {
    let cfgs = &method.cfgs;
    let signature = contract::declared(method, names);
    let nothing = contract::nothing(method, names);
    quote!(#(#cfgs)* #signature { #nothing })
}
