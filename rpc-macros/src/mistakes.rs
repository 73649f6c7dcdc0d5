//! The mistakes found in one trait, all of them reported at once.

use proc_macro2::TokenStream;
use quote::ToTokens;
use std::fmt::Display;

/// What the user has to change.
#[derive(Default)]
pub(crate) struct Mistakes(Vec<syn::Error>);

impl Mistakes {
    /// Notes a mistake at `tokens`; `text` says what to write instead.
    pub(crate) fn at(&mut self, tokens: impl ToTokens, text: impl Display) {
        self.0.push(syn::Error::new_spanned(tokens, text));
    }

    /// Notes what a parser has found.
    pub(crate) fn push(&mut self, error: syn::Error) {
        self.0.push(error);
    }

    /// How many there are so far.
    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// A `compile_error!` for each.
    pub(crate) fn into_compile_errors(self) -> TokenStream {
        self.0.iter().map(syn::Error::to_compile_error).collect()
    }
}
