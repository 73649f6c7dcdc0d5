//! The caller's side: the trait for `Remote<dyn Trait>`, and for a call that will return one.

use super::{Names, contract, description::constant};
use crate::{
    interface::{Argument, Interface, Method},
    passing::{Passing, lent},
    result::written_types,
};
use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::{Ident, TraitItem, TraitItemType, Type};

// Input:  trait Archive { .. }
// Output: impl<'remote> Archive for Remote<dyn Archive + 'remote> { .. }
//         impl<'remote, E> Archive for Call<Remote<dyn Archive + 'remote>, E> { .. }
pub(super) fn expand(interface: &Interface, names: &Names) -> TokenStream {
    let Names { private, interface: path, parameters, bounds, .. } = names;
    let unsafety = &interface.item.unsafety;
    let methods = |begin: &str| {
        let begin = Ident::new(begin, Span::mixed_site());
        let methods = interface.methods.iter().map(|method| match method.sound {
            true => sending(method, &begin, names),
            false => mistaken(method, names),
        });
        quote!(#(#methods)*)
    };
    let (on_remote, on_call) = (methods("new"), methods("ahead"));
    let types = interface.item.items.iter().filter_map(|item| match item {
        TraitItem::Type(TraitItemType { ident, generics, .. }) => {
            Some(quote!(type #ident #generics = ();))
        }
        _ => None,
    });
    let types = quote!(#(#types)*);
    // For every lifetime, since the compiler forgets which one it was when it asks whether a future that holds a `Remote` is `Send`.
    let is_static = interface.item.supertraits.iter().any(|bound| contract::is(bound, "'static"));
    let lifetime = if is_static { quote!('static) } else { quote!('__remote) };
    let parameter = (!is_static).then(|| quote!('__remote,));
    let error = if is_static { quote!(__Error: 'static) } else { quote!(__Error) };
    let remote = quote!(#private::Remote<dyn #path + #lifetime>);
    quote! {
        #[automatically_derived]
        #[allow(refining_impl_trait)]
        #unsafety impl<#parameter #parameters> #path for #remote #bounds {
            #types
            #on_remote
        }
        #[automatically_derived]
        #[allow(refining_impl_trait)]
        #unsafety impl<#parameter #parameters #error> #path for #private::Call<#remote, __Error> #bounds {
            #types
            #on_call
        }
    }
}

// Input:  async fn read(&self, path: &str, offset: u64) -> Result<u8, E>
// Output: fn read(&self, path: &str, offset: u64) -> Call<u8, E> {
//             let mut call = Outgoing::new(self, &__Methods::read);
//             Outgoing::str(&mut call, path);
//             Wire::<u64>::encode(&mut call, offset);
//             Wire::<Result<u8, E>>::send(call)
//         }
fn sending(method: &Method, begin: &Ident, names: &Names) -> TokenStream {
    let private = &names.private;
    let cfgs = &method.cfgs;
    let ident = &method.function.sig.ident;
    let constant = constant(method);
    let receiver = if method.exclusive { quote!(&mut) } else { quote!(&) };
    let inputs = method.arguments.iter().map(|Argument { name, ty, .. }| quote!(#name: #ty));
    let encoded = method.arguments.iter().map(|argument| encode(argument, names));
    let result = &method.result;
    let outcome = outcome(result, names);
    let mutability = (!method.arguments.is_empty()).then(|| quote!(mut));
    // The receiver and the locals are ours, whatever the arguments are called.
    quote_spanned! {Span::mixed_site()=>
        #(#cfgs)*
        fn #ident(#receiver self, #(#inputs),*) -> #private::Call<#outcome> {
            let #mutability call = #private::Outgoing::#begin(self, &#constant);
            #(#encoded)*
            #private::Wire::<#result>::send(call)
        }
    }
}

fn encode(argument: &Argument, names: &Names) -> TokenStream {
    let private = &names.private;
    let Argument { name, ty, .. } = argument;
    let span = Span::mixed_site();
    // By their paths, since a trait in scope may have methods of these names for all types.
    let outgoing = quote!(#private::Outgoing);
    match argument.passing {
        Passing::Bytes => quote_spanned!(span=> #outgoing::bytes(&mut call, #name);),
        Passing::Text => quote_spanned!(span=> #outgoing::str(&mut call, #name);),
        Passing::CowBytes => quote_spanned!(span=> #outgoing::bytes(&mut call, &#name);),
        Passing::CowText => quote_spanned!(span=> #outgoing::str(&mut call, &#name);),
        Passing::Owned => quote_spanned!(span=> #private::Wire::<#ty>::encode(&mut call, #name);),
        Passing::Borrowing => quote_spanned!(span=> #outgoing::value(&mut call, &#name);),
        Passing::LentBorrowing => quote_spanned!(span=> #outgoing::value(&mut call, #name);),
        Passing::Lent => {
            let (lent, is_slice) = lent(ty);
            let lent = if is_slice { quote!([#lent]) } else { lent.to_token_stream() };
            quote_spanned!(span=> #private::Wire::<#lent>::lend(&mut call, #name);)
        }
    }
}

// Input:  Result<u8, E>
// Output: u8, E
// Input:  io::Result<u8>
// Output: <io::Result<u8> as ResultOf>::Value, <io::Result<u8> as ResultOf>::Error
fn outcome(result: &Type, names: &Names) -> TokenStream {
    let private = &names.private;
    match written_types(result).as_deref() {
        Some([value, error]) => quote!(#value, #error),
        _ => quote! {
            <#result as #private::ResultOf>::Value, <#result as #private::ResultOf>::Error
        },
    }
}

/// A method that cannot be called from afar: there is a mistake, and no program will run.
fn mistaken(method: &Method, names: &Names) -> TokenStream {
    let cfgs = &method.cfgs;
    let signature = contract::declared(method, names);
    let nothing = contract::nothing(method, names);
    quote!(#(#cfgs)* #signature { #nothing })
}
