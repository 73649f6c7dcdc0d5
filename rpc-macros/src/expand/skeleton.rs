//! The callee's side: the dispatcher, and `impl Hosts`.

use super::Names;
use crate::{
    check::method_id,
    interface::{Argument, Interface, Method},
    passing::{Passing, lent},
};
use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};

// Input:  trait Archive { .. }
// Output: fn __start<__Servant: Archive + 'static>(..) { match method.0 { .. } }
//         impl<__Servant: Archive + 'static> Hosts<__Servant> for dyn Archive { .. }
pub(super) fn expand(interface: &Interface, names: &Names) -> TokenStream {
    let start = start(interface, names);
    let hosts = if interface.is_exclusive() { actor(names) } else { shared(names) };
    quote!(#start #hosts)
}

// Input:  trait Archive { .. }
// Output: fn __start<__Servant: Archive + 'static>(servant: Common<__Servant>, method: MethodId, request: Request, task: &mut Task) {
//             match method.0 {
//                 0x.. => ..,
//                 _ => Request::unknown(&request, method, <dyn Archive as Interface>::DESCRIPTION),
//             }
//         }
fn start(interface: &Interface, names: &Names) -> TokenStream {
    let Names { private, interface: path, parameters, bounds, .. } = names;
    let exclusive = interface.is_exclusive();
    let arms: Vec<_> =
        interface.sound_methods().map(|method| arm(method, exclusive, names)).collect();
    // Without methods nothing is used.
    let unused = arms.is_empty().then(|| quote!(#[allow(unused_variables)]));
    let servant = if exclusive {
        quote!(#private::Exclusive<__Servant>)
    } else {
        quote!(#private::Common<__Servant>)
    };
    quote_spanned! {Span::mixed_site()=>
        #unused
        fn __start<#parameters __Servant: #path + 'static>(
            servant: #servant,
            method: #private::MethodId,
            request: #private::Request,
            task: &mut #private::Task,
        ) #bounds {
            match method.0 {
                #(#arms)*
                _ => #private::Request::unknown(&request, method, <dyn #path as #private::Interface>::DESCRIPTION),
            }
        }
    }
}

// Input:  async fn read(&self, path: &str, offset: u64) -> Result<u8, E>
// Output: 0x.. => {
//             task.run(async move {
//                 let (path, offset) = { .. };
//                 let result = <__Servant as Archive>::read(&servant, path, offset).await;
//                 let said = Returned::<Result<u8, E>>::said(&result);
//                 Wire::<Result<u8, E>>::reply(&request, result, said);
//             })
//         }
fn arm(method: &Method, exclusive: bool, names: &Names) -> TokenStream {
    let Names { private, interface: path, .. } = names;
    let cfgs = &method.cfgs;
    let ident = &method.function.sig.ident;
    let result = &method.result;
    let id = method_id(&method.wire_name());
    let decoded = decode(method, names);
    let passed = method.arguments.iter().map(|argument| pass(argument, names));
    let span = Span::mixed_site();
    let mutability = (exclusive && method.exclusive).then(|| quote!(mut));
    let keep_mutable =
        mutability.as_ref().map(|_| quote_spanned!(span=> let mut servant = servant;));
    quote_spanned! {span=>
        #(#cfgs)*
        #id => {
            task.run(async move {
                #decoded
                #keep_mutable
                let result = <__Servant as #path>::#ident(&#mutability servant, #(#passed),*).await;
                let said = #private::Returned::<#result>::said(&result);
                #private::Wire::<#result>::reply(&request, result, said);
            });
        }
    }
}

// Input:  path: &str, offset: u64
// Output: let (path, offset) = {
//             let mut arguments = Request::arguments(&request);
//             let path = match Arguments::str(&mut arguments) { Ok(value) => value, Err(error) => return Request::refuse(&request, error) };
//             let offset: u64 = match Wire::<u64>::decode(&mut arguments) { .. };
//             if let Err(error) = Arguments::end(&arguments) { return Request::refuse(&request, error) }
//             (path, offset)
//         };
pub(super) fn decode(method: &Method, names: &Names) -> TokenStream {
    let private = &names.private;
    let span = Span::mixed_site();
    let bindings = method.arguments.iter().map(|argument| decode_one(argument, names));
    let tuple: Vec<_> = method.arguments.iter().map(|argument| &argument.name).collect();
    let mutability = (!tuple.is_empty()).then(|| quote!(mut));
    let all = quote_spanned! {span=>
        let #mutability arguments = #private::Request::arguments(&request);
        #(#bindings)*
        if let #private::core::result::Result::Err(error) = #private::Arguments::end(&arguments) {
            return #private::Request::refuse(&request, error);
        }
    };
    if tuple.is_empty() {
        quote!({ #all })
    } else {
        quote!(let (#(#tuple,)*) = { #all (#(#tuple,)*) };)
    }
}

// Input:  offset: u64
// Output: let offset: u64 = match Wire::<u64>::decode(&mut arguments) { .. };
fn decode_one(argument: &Argument, names: &Names) -> TokenStream {
    let private = &names.private;
    let (ty, is_slice) = match argument.passing {
        Passing::Lent | Passing::LentBorrowing => lent(&argument.ty),
        _ => (&argument.ty, false),
    };
    let decoded = if is_slice { quote!(#private::std::vec::Vec<#ty>) } else { quote!(#ty) };
    let span = Span::mixed_site();
    let name = &argument.name;
    // By their paths, since a trait in scope may have methods of these names for all types.
    let arguments = quote!(#private::Arguments);
    let value = match argument.passing {
        Passing::Bytes | Passing::CowBytes => {
            quote_spanned!(span=> #arguments::bytes(&mut arguments))
        }
        Passing::Text | Passing::CowText => quote_spanned!(span=> #arguments::str(&mut arguments)),
        Passing::Owned | Passing::Lent => {
            quote_spanned!(span=> #private::Wire::<#decoded>::decode(&mut arguments))
        }
        Passing::Borrowing | Passing::LentBorrowing => {
            quote_spanned!(span=> #arguments::value::<#decoded>(&mut arguments))
        }
    };
    let ty = matches!(argument.passing, Passing::Owned | Passing::Lent).then(|| quote!(: #decoded));
    quote_spanned! {span=>
        let #name #ty = match #value {
            #private::core::result::Result::Ok(value) => value,
            #private::core::result::Result::Err(error) => {
                return #private::Request::refuse(&request, error);
            }
        };
    }
}

/// The argument as the servant takes it.
fn pass(argument: &Argument, names: &Names) -> TokenStream {
    let private = &names.private;
    let name = &argument.name;
    match argument.passing {
        Passing::Lent | Passing::LentBorrowing => quote!(&#name),
        Passing::CowBytes | Passing::CowText => quote!(#private::std::borrow::Cow::Borrowed(#name)),
        _ => quote!(#name),
    }
}

// Output: impl<__Servant: Archive + 'static> Hosts<__Servant> for dyn Archive { .. share(Arc::new(servant), __start) }
//         impl<__Servant: Archive + 'static> HostsShared<__Servant> for dyn Archive { .. share(servant, __start) }
fn shared(names: &Names) -> TokenStream {
    let Names { private, interface: path, parameters, arguments, bounds, .. } = names;
    quote_spanned! {Span::mixed_site()=>
        #[automatically_derived]
        impl<#parameters __Servant: #path + 'static> #private::Hosts<__Servant> for dyn #path #bounds {
            fn host(servant: __Servant) -> #private::Local {
                <Self as #private::HostsShared<__Servant>>::host_shared(
                    #private::std::sync::Arc::new(servant),
                )
            }
        }
        #[automatically_derived]
        impl<#parameters __Servant: #path + 'static> #private::HostsShared<__Servant> for dyn #path #bounds {
            fn host_shared(servant: #private::std::sync::Arc<__Servant>) -> #private::Local {
                #private::share::<dyn #path, __Servant>(servant, __start::<#arguments __Servant>)
            }
        }
    }
}

// Output: impl<__Servant: Counter + 'static> Hosts<__Servant> for dyn Counter { .. actor(servant, __start) }
fn actor(names: &Names) -> TokenStream {
    let Names { private, interface: path, parameters, arguments, bounds, .. } = names;
    quote_spanned! {Span::mixed_site()=>
        #[automatically_derived]
        impl<#parameters __Servant: #path + 'static> #private::Hosts<__Servant> for dyn #path #bounds {
            fn host(servant: __Servant) -> #private::Local {
                #private::actor::<dyn #path, __Servant>(servant, __start::<#arguments __Servant>)
            }
        }
    }
}
