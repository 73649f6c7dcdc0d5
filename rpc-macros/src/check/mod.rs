//! Everything that a trait can do wrong, each said where it stands, with what to write instead.

use crate::{interface::Interface, mistakes::Mistakes};
use proc_macro2::{TokenStream, TokenTree};

mod contract;
mod method;
mod names;
mod written;

pub(crate) use names::method_id;

/// Says what is wrong, and marks the methods that cannot be called from afar.
pub(crate) fn check(interface: &mut Interface, mistakes: &mut Mistakes) {
    interface.sound = contract::check(&interface.item, mistakes);
    for method in &mut interface.methods {
        let before = mistakes.count();
        method::check(method, mistakes);
        method.sound = mistakes.count() == before && !method::names_associated_type(method);
        method::check_options(method, mistakes);
    }
    names::check(&mut interface.methods, mistakes);
}

/// Says that `#[remote]` stands above something that is not a trait, or not one that can be read.
pub(crate) fn not_a_trait(item: &TokenStream, error: syn::Error, mistakes: &mut Mistakes) {
    let words: Vec<_> = item.clone().into_iter().filter(is_word).collect();
    let is = |name: &str| words.iter().any(|word| word.to_string() == name);
    match words.first() {
        Some(_) if is("trait") => mistakes.push(error),
        Some(word) if is("impl") => {
            mistakes.at(word, "`#[remote]` goes above the trait: an impl needs no attribute");
        }
        Some(word) => mistakes.at(word, "`#[remote]` goes above a trait: `pub trait Name { .. }`"),
        None => mistakes.push(error),
    }
}

fn is_word(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Ident(_))
}
