//! What a trait can do wrong outside its methods.

use crate::{expand::is_bound, mistakes::Mistakes};
use quote::ToTokens;
use syn::{GenericParam, ItemTrait, TraitItem, Type};

/// Says what is wrong, and whether handles of such a trait can be at all.
pub(super) fn check(item: &ItemTrait, mistakes: &mut Mistakes) -> bool {
    if let Some(token) = &item.unsafety {
        mistakes.at(token, "remove `unsafe`: no caller far away can uphold a promise made here");
    }
    if let Some(token) = &item.modifiers.auto_token {
        mistakes.at(token, "remove `auto`: an interface has methods");
    }
    for bound in &item.supertraits {
        if !["Send", "Sync", "'static"].iter().any(|name| is_bound(bound, name)) {
            let bound_text = crate::signature::canonical(bound);
            mistakes.at(
                bound,
                format!(
                    "an object far away is not `{bound_text}`: remove it here, and ask for it where a servant is used"
                ),
            );
        }
    }
    let before = mistakes.count();
    for parameter in &item.generics.params {
        check_parameter(parameter, mistakes);
    }
    let sound = mistakes.count() == before;
    for member in &item.items {
        check_member(member, &item.ident.to_string(), mistakes);
    }
    sound
}

fn check_parameter(parameter: &GenericParam, mistakes: &mut Mistakes) {
    match parameter {
        GenericParam::Lifetime(lifetime) => mistakes.at(
            lifetime,
            "an interface has no lifetime: own the data, or lend it in an argument of a method",
        ),
        GenericParam::Const(constant) if !is_usize(&constant.ty) => {
            mistakes.at(&constant.ty, "the constant of an interface is a `usize`");
        }
        GenericParam::Const(_) | GenericParam::Type(_) => {}
    }
}

fn is_usize(ty: &Type) -> bool {
    ty.to_token_stream().to_string() == "usize"
}

fn check_member(member: &TraitItem, name: &str, mistakes: &mut Mistakes) {
    match member {
        TraitItem::Type(item) => {
            let ident = &item.ident;
            mistakes.at(
                ident,
                format!("an interface has no associated type: write `trait {name}<{ident}>`"),
            );
        }
        TraitItem::Const(item) => mistakes.at(
            &item.ident,
            "an interface has no constant: write a method that returns it, or a `const` beside the trait",
        ),
        TraitItem::Macro(item) => mistakes.at(
            &item.mac.path,
            "`#[remote]` cannot see into a macro: write the methods out",
        ),
        other => mistakes.at(other, "an interface has methods only: `async fn name(&self, ..)`"),
    }
}
