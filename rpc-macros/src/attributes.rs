//! What `#[remote(..)]` says, on a trait and on a method.

use crate::mistakes::Mistakes;
use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{
    Attribute, Expr, ExprLit, Lit, LitStr, Meta, Path, Token, parse::Parser, parse_quote,
    punctuated::Punctuated, spanned::Spanned,
};

/// `#[remote(..)]` on a trait.
pub(crate) struct TraitOptions {
    /// Where farcall is.
    pub(crate) root: Path,
    /// The name on the wire, where it is not the trait's.
    pub(crate) name: Option<LitStr>,
}

/// `#[remote(..)]` on a method.
#[derive(Clone, Default)]
pub(crate) struct MethodOptions {
    /// The name on the wire, where it is not the method's.
    pub(crate) name: Option<LitStr>,
    /// The deadline.
    pub(crate) timeout: Timeout,
    /// `oneway`, as written.
    pub(crate) oneway: Option<Path>,
    pub(crate) idempotent: bool,
    pub(crate) no_cancel: bool,
    pub(crate) unordered: bool,
}

/// The deadline of a method's calls.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum Timeout {
    #[default]
    Default,
    Never,
    Micros(u64),
}

impl TraitOptions {
    /// Reads what stands in the parentheses above a trait.
    pub(crate) fn parse(options: TokenStream, mistakes: &mut Mistakes) -> Self {
        let mut parsed = Self { root: parse_quote!(::farcall), name: None };
        for meta in each_once(options, mistakes) {
            if meta.path().is_ident("name") {
                parsed.name = wire_name(&meta, mistakes);
            } else if meta.path().is_ident("crate") {
                if let Some(root) = crate_path(&meta, mistakes) {
                    parsed.root = root;
                }
            } else {
                mistakes.at(&meta, "a trait's options are `name = \"..\"` and `crate = \"..\"`");
            }
        }
        parsed
    }
}

impl MethodOptions {
    /// Takes `#[remote(..)]` out of a method's attributes.
    pub(crate) fn take(attributes: &mut Vec<Attribute>, mistakes: &mut Mistakes) -> Self {
        let mut parsed = Self::default();
        let own = attributes.extract_if(.., |attribute| attribute.path().is_ident("remote"));
        let mut options = TokenStream::new();
        for attribute in own {
            match attribute.meta {
                Meta::List(list) => {
                    let tokens = list.tokens;
                    options.extend(quote::quote!(#tokens ,));
                }
                other => mistakes.at(other, format!("name an option: {METHOD_OPTIONS}")),
            }
        }
        for meta in each_once(options, mistakes) {
            parsed.set(&meta, mistakes);
        }
        parsed
    }

    fn set(&mut self, meta: &Meta, mistakes: &mut Mistakes) {
        let name = key(meta);
        match (name.as_str(), meta) {
            ("name", _) => self.name = wire_name(meta, mistakes),
            ("timeout", _) => self.timeout = timeout(meta, mistakes),
            ("oneway", Meta::Path(path)) => self.oneway = Some(path.clone()),
            ("idempotent", Meta::Path(_)) => self.idempotent = true,
            ("no_cancel", Meta::Path(_)) => self.no_cancel = true,
            ("unordered", Meta::Path(_)) => self.unordered = true,
            ("oneway" | "idempotent" | "no_cancel" | "unordered", _) => {
                mistakes.at(meta, format!("`{name}` takes no value: write `#[remote({name})]`"));
            }
            _ => mistakes.at(meta, format!("a method's options are {METHOD_OPTIONS}")),
        }
    }
}

const METHOD_OPTIONS: &str = "`name = \"..\"`, `timeout = \"60s\"`, `timeout = none`, \
                              `idempotent`, `oneway`, `no_cancel` and `unordered`";

/// The options, without those that come a second time.
fn each_once(options: TokenStream, mistakes: &mut Mistakes) -> Vec<Meta> {
    let parsed = Punctuated::<Meta, Token![,]>::parse_terminated.parse2(options);
    let mut kept: Vec<Meta> = Vec::new();
    for meta in parsed.unwrap_or_else(|error| {
        mistakes.push(error);
        Punctuated::new()
    }) {
        if kept.iter().any(|earlier| key(earlier) == key(&meta)) {
            mistakes.at(&meta, "this option stands here twice: remove one");
        } else {
            kept.push(meta);
        }
    }
    kept
}

/// The name of an option.
fn key(meta: &Meta) -> String {
    meta.path().to_token_stream().to_string()
}

/// The text of `key = "text"`.
fn text(meta: &Meta) -> Option<&LitStr> {
    match meta {
        Meta::NameValue(pair) => match &pair.value {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text),
            _ => None,
        },
        _ => None,
    }
}

/// The token that is wrong in `key = value`: the value, if there is one.
fn value(meta: &Meta) -> TokenStream {
    match meta {
        Meta::NameValue(pair) => pair.value.to_token_stream(),
        other => other.to_token_stream(),
    }
}

fn wire_name(meta: &Meta, mistakes: &mut Mistakes) -> Option<LitStr> {
    let plain = |c: char| c.is_alphanumeric() || "_-.:/".contains(c);
    match text(meta) {
        Some(name) if !name.value().is_empty() && name.value().chars().all(plain) => {
            Some(name.clone())
        }
        _ => {
            mistakes.at(value(meta), "write `name = \"..\"`, of letters, digits and `_-.:/`");
            None
        }
    }
}

fn crate_path(meta: &Meta, mistakes: &mut Mistakes) -> Option<Path> {
    let path = text(meta).and_then(|text| text.parse_with(Path::parse_mod_style).ok());
    if path.is_none() {
        mistakes.at(value(meta), "write the path of farcall: `crate = \"::renamed\"`");
    }
    path
}

fn timeout(meta: &Meta, mistakes: &mut Mistakes) -> Timeout {
    if let Meta::NameValue(pair) = meta
        && let Expr::Path(path) = &pair.value
        && path.path.is_ident("none")
    {
        return Timeout::Never;
    }
    match text(meta).and_then(|text| micros(&text.value())) {
        Some(micros) => Timeout::Micros(micros),
        None => {
            let text = "write `timeout = \"60s\"`, a whole number above 0 of `us`, `ms`, `s` or \
                        `m`, or `timeout = none`";
            mistakes.push(syn::Error::new(value(meta).span(), text));
            Timeout::Default
        }
    }
}

/// `"60s"` in microseconds.
fn micros(text: &str) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(digits);
    let factor = match unit {
        "us" => 1,
        "ms" => 1_000,
        "s" => 1_000_000,
        "m" => 60_000_000,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(factor).filter(|micros| *micros > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeouts_are_a_number_and_a_unit() {
        let check = |text, want| assert_eq!(micros(text), want, "{text}");
        check("60s", Some(60_000_000));
        check("5ms", Some(5_000));
        check("1us", Some(1));
        check("2m", Some(120_000_000));
        check("0s", None);
        check("60", None);
        check("s", None);
        check("", None);
        check("1.5s", None);
        check("-1s", None);
        check("1 s", None);
        check("99999999999999999999s", None);
        check("18446744073709551615m", None);
    }
}
