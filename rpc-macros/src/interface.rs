//! A trait as the macro understands it. Nothing is refused here: what is wrong is `check`'s to say.

use crate::{
    attributes::{MethodOptions, TraitOptions},
    mistakes::Mistakes,
    passing::Passing,
};
use proc_macro2::{Span, TokenStream};
use quote::ToTokens;
use syn::{
    Attribute, FnArg, Ident, ItemTrait, Pat, ReceiverKind, ReturnType, TraitItem, TraitItemFn,
    Type, TypeGroup, TypeParen,
    ext::IdentExt,
    parse_quote,
    visit_mut::{self, VisitMut},
};

/// A trait under `#[remote]`.
pub(crate) struct Interface {
    /// The trait as written, its methods taken out.
    pub(crate) item: ItemTrait,
    pub(crate) options: TraitOptions,
    pub(crate) methods: Vec<Method>,
    /// It can be called from afar. If not, only the trait stays, and there is a mistake.
    pub(crate) sound: bool,
}

/// One method.
pub(crate) struct Method {
    /// As written, without `#[remote(..)]`.
    pub(crate) function: TraitItemFn,
    /// Its `#[cfg(..)]` attributes: on everything that is generated for it.
    pub(crate) cfgs: Vec<Attribute>,
    pub(crate) options: MethodOptions,
    pub(crate) arguments: Vec<Argument>,
    /// `&mut self`.
    pub(crate) exclusive: bool,
    /// The type it returns.
    pub(crate) result: Type,
    /// It can be called from afar. If not, it stays in the trait as it is written, and there is a mistake.
    pub(crate) sound: bool,
}

/// One argument.
pub(crate) struct Argument {
    pub(crate) name: Ident,
    pub(crate) ty: Type,
    pub(crate) passing: Passing,
}

impl Interface {
    /// Sorts a trait into its parts.
    pub(crate) fn parse(
        mut item: ItemTrait,
        options: TraitOptions,
        mistakes: &mut Mistakes,
    ) -> Self {
        let mut methods = Vec::new();
        let mut others = Vec::new();
        for member in item.items {
            match member {
                TraitItem::Fn(mut function) => {
                    flatten(&mut function);
                    methods.extend(Method::parse(function, mistakes));
                }
                other => others.push(other),
            }
        }
        item.items = others;
        Self { item, options, methods, sound: true }
    }

    /// The name on the wire.
    pub(crate) fn wire_name(&self) -> String {
        match &self.options.name {
            Some(name) => name.value(),
            None => self.item.ident.unraw().to_string(),
        }
    }

    /// Calls on an object run one at a time.
    pub(crate) fn is_exclusive(&self) -> bool {
        self.methods.iter().any(|method| method.exclusive)
    }

    /// What it is depends on parameters.
    pub(crate) fn is_generic(&self) -> bool {
        !self.item.generics.params.is_empty()
    }

    /// The methods that can be called from afar.
    pub(crate) fn sound_methods(&self) -> impl Iterator<Item = &Method> {
        self.methods.iter().filter(|method| method.sound)
    }
}

/// Arguments of one method that may be under `#[cfg(..)]`: each doubles the cases that are generated.
const CONDITIONAL: usize = 6;
const TOO_MANY: &str = "each argument under `#[cfg(..)]` doubles what is generated for its method, and 6 are the most: put the whole method \
                        under `#[cfg(..)]`, or make these arguments fields of a struct";

impl Method {
    /// One method; or, where arguments are under `#[cfg(..)]`, one for each case, all with the same options.
    fn parse(mut function: TraitItemFn, mistakes: &mut Mistakes) -> Vec<Self> {
        let options = MethodOptions::take(&mut function.attrs, mistakes);
        let conditional = function.sig.inputs.iter_mut().filter(|input| is_conditional(input));
        for one_more in conditional.skip(CONDITIONAL) {
            mistakes.at(&one_more, TOO_MANY);
            conditions(attributes(one_more));
        }
        let mut variants = vec![function];
        while let Some(position) = variants.iter().position(has_conditional_argument) {
            let function = variants.remove(position);
            variants.extend(without_first_condition(function));
        }
        variants.into_iter().map(|function| Self::one(function, options.clone())).collect()
    }

    fn one(function: TraitItemFn, options: MethodOptions) -> Self {
        let is_cfg = |attribute: &&Attribute| attribute.path().is_ident("cfg");
        let arguments =
            function.sig.inputs.iter().enumerate().filter_map(|(i, input)| match input {
                FnArg::Typed(typed) => Some(Argument {
                    name: name(&typed.pat, i),
                    passing: Passing::of(&typed.ty),
                    ty: (*typed.ty).clone(),
                }),
                FnArg::Receiver(_) => None,
            });
        Self {
            cfgs: function.attrs.iter().filter(is_cfg).cloned().collect(),
            options,
            arguments: arguments.collect(),
            exclusive: function.sig.receiver().is_some_and(|receiver| {
                matches!(receiver.kind, ReceiverKind::Reference(_, _, Some(_)))
            }),
            result: match &function.sig.output {
                ReturnType::Type(_, ty) => (**ty).clone(),
                ReturnType::Default => parse_quote!(()),
            },
            sound: true,
            function,
        }
    }

    /// The name on the wire.
    pub(crate) fn wire_name(&self) -> String {
        match &self.options.name {
            Some(name) => name.value(),
            None => self.function.sig.ident.unraw().to_string(),
        }
    }

    /// Where the name on the wire is written.
    pub(crate) fn wire_name_tokens(&self) -> TokenStream {
        match &self.options.name {
            Some(name) => name.to_token_stream(),
            None => self.function.sig.ident.to_token_stream(),
        }
    }
}

/// The name of an argument; one of our own where it has a pattern.
fn name(pattern: &Pat, position: usize) -> Ident {
    match pattern {
        Pat::Ident(pattern) => pattern.ident.clone(),
        _ => Ident::new(&format!("argument_{position}"), Span::mixed_site()),
    }
}

fn conditions(attributes: &mut Vec<Attribute>) -> Vec<TokenStream> {
    let cfgs = attributes.extract_if(.., |attribute| attribute.path().is_ident("cfg"));
    cfgs.filter_map(|attribute| Some(attribute.meta.require_list().ok()?.tokens.clone())).collect()
}

fn attributes(input: &mut FnArg) -> &mut Vec<Attribute> {
    match input {
        FnArg::Receiver(receiver) => &mut receiver.attrs,
        FnArg::Typed(typed) => &mut typed.attrs,
    }
}

fn has_conditional_argument(function: &TraitItemFn) -> bool {
    function.sig.inputs.iter().any(is_conditional)
}

fn is_conditional(input: &FnArg) -> bool {
    !conditions(attributes(&mut input.clone())).is_empty()
}

/// The method with its first conditional argument, and the method without it.
// Input:  fn add(&self, #[cfg(wide)] x: u64)
// Output: #[cfg(all(wide))] fn add(&self, x: u64) and #[cfg(not(all(wide)))] fn add(&self)
fn without_first_condition(function: TraitItemFn) -> [TraitItemFn; 2] {
    let mut with = function;
    let mut without = with.clone();
    for (position, input) in with.sig.inputs.iter_mut().enumerate() {
        let conditions = conditions(attributes(input));
        if conditions.is_empty() {
            continue;
        }
        without.sig.inputs = without
            .sig
            .inputs
            .into_iter()
            .enumerate()
            .filter_map(|(i, input)| (i != position).then_some(input))
            .collect();
        with.attrs.push(parse_quote!(#[cfg(all(#(#conditions),*))]));
        without.attrs.push(parse_quote!(#[cfg(not(all(#(#conditions),*)))]));
        break;
    }
    [with, without]
}

/// Takes parentheses and the invisible groups of `macro_rules!` off the types of a signature.
fn flatten(function: &mut TraitItemFn) {
    struct Flatten;
    impl VisitMut for Flatten {
        fn visit_type_mut(&mut self, ty: &mut Type) {
            while let Type::Group(TypeGroup { elem, .. }) | Type::Paren(TypeParen { elem, .. }) = ty
                && !matches!(**elem, Type::TraitObject(_) | Type::ImplTrait(_) | Type::FnPtr(_))
            {
                *ty = (**elem).clone();
            }
            visit_mut::visit_type_mut(self, ty);
        }
    }
    Flatten.visit_signature_mut(&mut function.sig);
}
