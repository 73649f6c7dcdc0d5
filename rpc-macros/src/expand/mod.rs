//! The generated code: the trait itself, and in `const _` what makes it callable from afar.

use crate::{attributes::TraitOptions, check, interface::Interface, mistakes::Mistakes};
use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{ItemTrait, TypeParamBound, WherePredicate, parse_quote};

mod contract;
mod demands;
mod description;
mod function;
mod skeleton;
mod stub;

pub(crate) use contract::is as is_bound;

/// The whole way of one trait through the macro.
pub(crate) fn remote(options: TokenStream, item: TokenStream) -> TokenStream {
    let mut mistakes = Mistakes::default();
    let item: ItemTrait = match syn::parse2(item.clone()) {
        Ok(parsed) => parsed,
        Err(error) => {
            check::not_a_trait(&item, error, &mut mistakes);
            let mistakes = mistakes.into_compile_errors();
            return quote!(#mistakes #item);
        }
    };
    let options = TraitOptions::parse(options, &mut mistakes);
    let mut interface = Interface::parse(item, options, &mut mistakes);
    check::check(&mut interface, &mut mistakes);
    let mistakes = mistakes.into_compile_errors();
    let expanded = expand(&interface);
    quote!(#mistakes #expanded)
}

// Input:  trait Archive { .. }
// Output: trait Archive: Send + Sync + 'static { .. }  const _: () = { .. };
fn expand(interface: &Interface) -> TokenStream {
    let names = Names::of(interface);
    let private = &names.private;
    let contract = contract::expand(interface, &names);
    if !interface.sound {
        return contract;
    }
    let demands = demands::expand(interface, &names);
    let description = description::expand(interface, &names);
    let stub = stub::expand(interface, &names);
    let skeleton = skeleton::expand(interface, &names);
    let function = function::expand(interface, &names);
    quote! {
        #contract
        #[allow(dead_code, unused_imports, deprecated, non_snake_case, non_upper_case_globals, clippy::all, clippy::nursery, clippy::pedantic)]
        const _: () = {
            use #private::{NoObject as _, Refused as _};
            #demands
            #description
            #stub
            #skeleton
            #function
        };
    }
}

/// How generated code names things.
struct Names {
    /// `::farcall::__private`.
    private: TokenStream,
    /// `Store<K, V>`, the trait with its arguments.
    interface: TokenStream,
    /// `K, V,`: the parameters with their bounds, to be followed by more.
    parameters: TokenStream,
    /// `K, V,`: the arguments, to be followed by more.
    arguments: TokenStream,
    /// `where ..`: the user's, and what travelling asks of type parameters.
    bounds: TokenStream,
}

impl Names {
    fn of(interface: &Interface) -> Self {
        let root = &interface.options.root;
        let private = quote!(#root::__private);
        let ident = &interface.item.ident;
        let mut generics = interface.item.generics.clone();
        let travels: [TypeParamBound; 5] = [
            parse_quote!(#private::serde::Serialize),
            parse_quote!(#private::serde::de::DeserializeOwned),
            parse_quote!(#private::core::marker::Send),
            parse_quote!(#private::core::marker::Sync),
            parse_quote!('static),
        ];
        let parameters: Vec<_> = generics.type_params().map(|param| param.ident.clone()).collect();
        if !parameters.is_empty() {
            let clause = generics.make_where_clause();
            clause.predicates.extend(
                parameters
                    .iter()
                    .map(|parameter| -> WherePredicate { parse_quote!(#parameter: #(#travels)+*) }),
            );
        }
        let (_, arguments, bounds) = generics.split_for_impl();
        Self {
            private,
            interface: quote!(#ident #arguments),
            parameters: parameters_with_bounds(&generics),
            arguments: argument_list(&generics),
            bounds: bounds.to_token_stream(),
        }
    }
}

/// `K: Ord, const N: usize,`, without defaults.
fn parameters_with_bounds(generics: &syn::Generics) -> TokenStream {
    let parameters = generics.params.iter().cloned().map(|mut parameter| {
        match &mut parameter {
            syn::GenericParam::Type(parameter) => parameter.default = None,
            syn::GenericParam::Const(parameter) => parameter.default = None,
            syn::GenericParam::Lifetime(_) => {}
        }
        parameter
    });
    quote!(#(#parameters,)*)
}

/// `K, N,`.
fn argument_list(generics: &syn::Generics) -> TokenStream {
    let arguments = generics.params.iter().map(|parameter| match parameter {
        syn::GenericParam::Type(parameter) => parameter.ident.to_token_stream(),
        syn::GenericParam::Const(parameter) => parameter.ident.to_token_stream(),
        syn::GenericParam::Lifetime(parameter) => parameter.lifetime.to_token_stream(),
    });
    quote!(#(#arguments,)*)
}
