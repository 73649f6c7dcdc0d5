//! What a method can do wrong, its types aside.

use super::written::{self, Finding, Place};
use crate::{
    interface::Method,
    mistakes::Mistakes,
    result::{is_result, written_types},
};
use quote::{ToTokens, quote};
use syn::{FnArg, GenericParam, Pat, Receiver, ReceiverKind, ReturnType, Safety, Signature, Type};

pub(super) fn check(method: &Method, mistakes: &mut Mistakes) {
    let signature = &method.function.sig;
    check_qualifiers(signature, mistakes);
    check_generics(signature, mistakes);
    match signature.receiver() {
        Some(receiver) => check_receiver(receiver, mistakes),
        None => mistakes.at(
            &signature.ident,
            format!("a call goes to an object: write `async fn {}(&self, ..)`", signature.ident),
        ),
    }
    for input in &signature.inputs {
        if let FnArg::Typed(argument) = input {
            check_pattern(&argument.pat, method, mistakes);
            written::check(&argument.ty, Place::Argument, mistakes);
        }
    }
    check_output(signature, mistakes);
}

/// A type of its signature is `Self::Item`: an associated type, which has been refused.
pub(super) fn names_associated_type(method: &Method) -> bool {
    let arguments = method.arguments.iter().map(|argument| &argument.ty);
    let mut types = arguments.chain([&method.result]);
    types.any(|ty| written::findings(ty).iter().any(|found| matches!(found, Finding::Associated)))
}

pub(super) fn check_options(method: &Method, mistakes: &mut Mistakes) {
    let Some(oneway) = &method.options.oneway else { return };
    let value = written_types(&method.result).and_then(|types| types.first().copied());
    let is_unit = matches!(value, Some(Type::Tuple(tuple)) if tuple.elems.is_empty());
    if method.sound && !is_unit {
        let place = value.map_or_else(|| oneway.to_token_stream(), ToTokens::to_token_stream);
        mistakes.at(
            place,
            "`oneway` brings nothing back: write `farcall::Result<()>` or `Result<(), E>`",
        );
    }
}

fn check_qualifiers(signature: &Signature, mistakes: &mut Mistakes) {
    if let Some(token) = &signature.constness {
        mistakes.at(token, "remove `const`: a remote call is never made at compile time");
    }
    if let Safety::Unsafe(token) = &signature.safety {
        mistakes.at(token, "remove `unsafe`: no caller far away can uphold a promise made here");
    }
    if let Some(abi) = &signature.abi {
        mistakes.at(abi, "remove `extern`: farcall has its own way of calling");
    }
    if let Some(variadic) = &signature.variadic {
        mistakes.at(variadic, "write each argument with its type");
    }
    if signature.asyncness.is_none() {
        let (token, ident) = (signature.fn_token, &signature.ident);
        mistakes.at(token, format!("a remote call takes time: write `async fn {ident}`"));
    }
}

fn check_generics(signature: &Signature, mistakes: &mut Mistakes) {
    let generics = &signature.generics;
    let lifetime = |parameter: &GenericParam| matches!(parameter, GenericParam::Lifetime(_));
    if let Some(parameter) = generics.params.iter().find(|parameter| !lifetime(parameter)) {
        let text = "a method has the same types for every caller: write the type, or make it a \
                    parameter of the trait";
        mistakes.at(parameter, text);
    } else if !generics.params.is_empty() {
        let params = &generics.params;
        mistakes.at(params, "write `&` without a lifetime: every argument is lent for the call");
    } else if let Some(clause) = &generics.where_clause {
        mistakes.at(clause, "write the bound on the trait");
    }
}

fn check_receiver(receiver: &Receiver, mistakes: &mut Mistakes) {
    match &receiver.kind {
        ReceiverKind::Reference(_, Some(lifetime), _) if lifetime.ident == "static" => {
            mistakes.at(lifetime, "write `&self`");
        }
        // A lifetime of the method's own: `check_generics` has said it.
        ReceiverKind::Reference(..) => {}
        _ => mistakes.at(
            receiver,
            "an object stays where it is: write `&self`, or `&mut self` for one call at a time",
        ),
    }
}

fn check_pattern(pattern: &Pat, method: &Method, mistakes: &mut Mistakes) {
    match pattern {
        Pat::Ident(name) if name.by_ref.is_none() && name.subpat.is_none() => {
            if let Some(token) = name.mutability.filter(|_| method.function.default.is_none()) {
                mistakes.at(token, "remove `mut`: a servant may write it, the trait does not");
            }
        }
        Pat::Wild(_) => mistakes.at(pattern, "give the argument a name: `_name` if it is unused"),
        _ => mistakes.at(pattern, "give the argument one name, and take it apart in the servant"),
    }
}

fn check_output(signature: &Signature, mistakes: &mut Mistakes) {
    match &signature.output {
        ReturnType::Default => mistakes.at(
            &signature.ident,
            "a remote call can fail: write `-> farcall::Result<()>` after the arguments",
        ),
        ReturnType::Type(_, ty) if !is_result(ty) => {
            let text = match &**ty {
                Type::Path(_) | Type::Tuple(_) => {
                    let ty = crate::signature::canonical(quote!(#ty));
                    format!(
                        "a remote call can fail: write `farcall::Result<{ty}>`, or `Result<{ty}, E>` with `E: From<farcall::Error>`"
                    )
                }
                _ => "a remote call can fail: write `farcall::Result<T>`, or `Result<T, E>` with \
                      `E: From<farcall::Error>`"
                    .to_owned(),
            };
            mistakes.at(ty, text);
        }
        ReturnType::Type(_, ty) => written::check(ty, Place::Result, mistakes),
    }
}
