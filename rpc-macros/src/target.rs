//! What a fuzzer gives to the macro: options, and what they stand above. It never panics; a trait is always emitted, with its
//! methods and types; what is emitted can be parsed; and where nothing is said to be wrong, it can be called from afar. A target of `fuzz/`.

use crate::{expand, words::spell};
use proc_macro2::{TokenStream, TokenTree};
use syn::{File, Item, ItemTrait, TraitItem};

/// What traits are made of.
const WORDS: [&str; 96] = [
    "trait T { ",
    "pub trait T<K: Ord> { ",
    "pub(crate) trait T: Send + 'static { ",
    "unsafe ",
    "impl T for X ",
    "struct X;",
    "async fn a(&self) -> Result<(), E>; ",
    "async fn b(&mut self, n: u64) -> farcall::Result<u8>; ",
    "async fn ",
    "fn ",
    "a(",
    "b(",
    "&self",
    "&mut self",
    "self",
    "self: &Self",
    "mut self: Box<Self>",
    ", ",
    ": ",
    "; ",
    "{ ",
    "} ",
    "( ",
    ") ",
    "< ",
    "> ",
    "[ ",
    "] ",
    ") -> Result<(), E>; ",
    ") -> farcall::Result<u8> { Ok(1) } ",
    ") -> Self; ",
    "-> ",
    "where Self: Sized ",
    "where K: Clone, ",
    "type Item; ",
    "type Item<'a>: Copy = u8 where Self: 'a; ",
    "const N: usize = 4; ",
    "const N: usize; ",
    "macro_call!{} ",
    "name: &str",
    "bytes: &[u8]",
    "x: Cow<'_, str>",
    "(x, y): (u8, u8)",
    "_: u8",
    "mut m: Vec<u8>",
    "r#type: u8",
    "at: Option<&'a T>",
    "f: impl Fn(u8) -> u8",
    "d: &dyn Debug",
    "s: [&str; 2]",
    "s: &[Point]",
    "o: Option<[V; N]>",
    "<K, V = u64, const N: usize = 4> ",
    "<'a> ",
    "'a ",
    "'static ",
    "#[remote(",
    ")] ",
    "#[remote] ",
    "#[remote = 1] ",
    "#![remote(oneway)] ",
    "oneway, ",
    "idempotent, ",
    "no_cancel",
    "unordered",
    "timeout = ",
    "none",
    "\"5ms\"",
    "\"99999999999999999999s\"",
    "name = ",
    "\"told\"",
    "\"\"",
    "crate = ",
    "\"::renamed\"",
    "\"crate::rpc\"",
    "\"a b\"",
    "1",
    "'c'",
    "b\"x\"",
    "#[cfg(unix)] ",
    "#[cfg(",
    "#[deprecated] ",
    "/// Docs.\n",
    "#[doc = \"x\"] ",
    "dyn ",
    "impl ",
    "&",
    "?Sized",
    "::",
    "Self::Item",
    "R#",
    "r#self",
    "__farcall",
    "...",
    "é",
    "\n",
];
/// Groups in groups, which the compiler bounds as well.
const DEPTH: usize = 24;

/// Takes the bytes before the first end of a line for options, and those after it for what stands below them.
pub(crate) fn run(bytes: &[u8]) {
    let text = spell(bytes, &WORDS);
    let (options, item) = text.split_once('\n').unwrap_or(("", &text));
    let (Ok(options), Ok(item)) = (options.parse::<TokenStream>(), item.parse::<TokenStream>())
    else {
        return;
    };
    if depth(&item).max(depth(&options)) > DEPTH {
        return;
    }
    let written = expand::remote(options, item.clone());
    let Ok(before) = syn::parse2::<ItemTrait>(item.clone()) else {
        assert!(written.to_string().ends_with(&item.to_string()), "what is no trait stays");
        assert!(written.to_string().contains("compile_error"), "and is said to be none");
        return;
    };
    let file: File = syn::parse2(written).expect("what is emitted can be parsed");
    let mut after = file.items.iter().filter_map(|item| match item {
        Item::Trait(after) if after.ident == before.ident => Some(after),
        _ => None,
    });
    let after = after.next().expect("the trait is emitted");
    for name in before.items.iter().filter_map(name) {
        let stays = after.items.iter().any(|item| self::name(item).as_ref() == Some(&name));
        assert!(stays, "`{name}` is gone");
    }
    let wrong = file.items.iter().any(|item| matches!(item, Item::Macro(_)));
    let callable = file.items.iter().any(|item| matches!(item, Item::Const(_)));
    assert!(wrong || callable, "it cannot be called from afar, and nobody says why");
}

/// Of what stays, if only to be no second mistake where it is used.
fn name(item: &TraitItem) -> Option<String> {
    match item {
        TraitItem::Fn(function) => Some(function.sig.ident.to_string()),
        TraitItem::Type(item) => Some(item.ident.to_string()),
        _ => None,
    }
}

fn depth(tokens: &TokenStream) -> usize {
    let of = |token: TokenTree| match token {
        TokenTree::Group(group) => 1 + depth(&group.stream()),
        _ => 0,
    };
    tokens.clone().into_iter().map(of).max().unwrap_or(0)
}
