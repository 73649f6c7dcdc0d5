//! The callee's side where the servant is a function: `impl HostsFunction`, for an interface of one method.

use super::{Names, skeleton};
use crate::{
    check::method_id,
    interface::{Argument, Interface, Method},
    passing::{Passing, lent},
};
use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};

// Input:  trait Watcher { async fn changed(&self, path: &str) -> Result<(), E>; }
// Output: fn __start_function<__Function: Fn(String) -> __Future + .., __Future: ..>(..) { .. }
//         impl<__Function: .., __Future: ..> HostsFunction<__Function> for dyn Watcher { .. }
pub(super) fn expand(interface: &Interface, names: &Names) -> Option<TokenStream> {
    let [method] = interface.methods.as_slice() else { return None };
    if !method.sound || !method.cfgs.is_empty() {
        return None;
    }
    let arguments: Vec<_> =
        method.arguments.iter().map(owned_type(names)).collect::<Option<_>>()?;
    let function = bounds(method, &arguments, names);
    let start = start(method, &function, names);
    let hosts = hosts(method, &function, names);
    Some(quote!(#start #hosts))
}

// Input:  async fn changed(&self, path: &str) -> Result<(), E>
// Output: __Function: Fn(String) -> __Future + Send + Sync + 'static,
//         __Future: Future<Output = Result<(), E>> + Send + 'static
fn bounds(method: &Method, arguments: &[TokenStream], names: &Names) -> TokenStream {
    let private = &names.private;
    let result = &method.result;
    let call = match method.exclusive {
        true => quote!(#private::core::ops::FnMut(#(#arguments),*) -> __Future),
        false => quote!(#private::core::ops::Fn(#(#arguments),*) -> __Future),
    };
    let sync = (!method.exclusive).then(|| quote!(+ #private::core::marker::Sync));
    quote! {
        __Function: #call + #private::core::marker::Send #sync + 'static,
        __Future: #private::core::future::Future<Output = #result> + #private::core::marker::Send + 'static
    }
}

// Output: fn __start_function<__Function: .., __Future: ..>(servant: Common<__Function>, method: MethodId, request: Request, task: &mut Task) {
//             if method.0 != 0x.. {
//                 return Request::unknown(&request, method, <dyn Watcher as Interface>::DESCRIPTION);
//             }
//             task.run(async move {
//                 let (path,) = { .. };
//                 let result = (*servant)(ToOwned::to_owned(path)).await;
//                 Wire::<Result<(), E>>::reply(&request, result, None);
//             });
//         }
fn start(method: &Method, function: &TokenStream, names: &Names) -> TokenStream {
    let Names { private, interface: path, parameters, bounds, .. } = names;
    let id = method_id(&method.wire_name());
    let result = &method.result;
    let decoded = skeleton::decode(method, names);
    let passed = method.arguments.iter().map(|argument| owned(argument, names));
    let span = Span::mixed_site();
    let (servant, keep) = match method.exclusive {
        true => (
            quote!(#private::Exclusive<__Function>),
            quote_spanned!(span=> let mut servant = servant;),
        ),
        false => (quote!(#private::Common<__Function>), TokenStream::new()),
    };
    quote_spanned! {span=>
        fn __start_function<#parameters #function>(
            servant: #servant,
            method: #private::MethodId,
            request: #private::Request,
            task: &mut #private::Task,
        ) #bounds {
            if method.0 != #id {
                return #private::Request::unknown(&request, method, <dyn #path as #private::Interface>::DESCRIPTION);
            }
            #keep
            task.run(async move {
                #decoded
                let result = (*servant)(#(#passed),*).await;
                #private::Wire::<#result>::reply(&request, result, #private::core::option::Option::None);
            });
        }
    }
}

// Output: impl<__Function: .., __Future: ..> HostsFunction<__Function> for dyn Watcher {
//             fn host_function(function: __Function) -> Local { share(Arc::new(function), __start_function) }
//         }
fn hosts(method: &Method, function: &TokenStream, names: &Names) -> TokenStream {
    let Names { private, interface: path, parameters, arguments, bounds, .. } = names;
    let span = Span::mixed_site();
    let start = quote_spanned!(span=> __start_function::<#arguments __Function, __Future>);
    let host = match method.exclusive {
        true => quote_spanned!(span=> #private::actor::<dyn #path, __Function>(function, #start)),
        false => quote_spanned! {span=>
            #private::share::<dyn #path, __Function>(#private::std::sync::Arc::new(function), #start)
        },
    };
    quote_spanned! {span=>
        #[automatically_derived]
        impl<#parameters #function> #private::HostsFunction<__Function> for dyn #path #bounds {
            fn host_function(function: __Function) -> #private::Local {
                #host
            }
        }
    }
}

/// The type that a function takes for an argument; none if it can have none of its own.
fn owned_type(names: &Names) -> impl Fn(&Argument) -> Option<TokenStream> {
    let private = &names.private;
    move |Argument { ty, passing, .. }| {
        Some(match passing {
            Passing::Bytes | Passing::CowBytes => quote!(#private::std::vec::Vec<u8>),
            Passing::Text | Passing::CowText => quote!(#private::std::string::String),
            Passing::Owned => ty.to_token_stream(),
            Passing::Lent => match lent(ty) {
                (element, true) => quote!(#private::std::vec::Vec<#element>),
                (lent, false) => lent.to_token_stream(),
            },
            Passing::Borrowing | Passing::LentBorrowing => return None,
        })
    }
}

/// The argument as the function takes it.
fn owned(argument: &Argument, names: &Names) -> TokenStream {
    let private = &names.private;
    let name = &argument.name;
    match argument.passing {
        Passing::Bytes | Passing::CowBytes | Passing::Text | Passing::CowText => {
            quote!(#private::std::borrow::ToOwned::to_owned(#name))
        }
        _ => quote!(#name),
    }
}
