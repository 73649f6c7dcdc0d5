//! The `#[remote]` attribute.

use proc_macro::TokenStream;

/// Makes a trait callable from another process.
#[proc_macro_attribute]
pub fn remote(_attributes: TokenStream, item: TokenStream) -> TokenStream {
    item
}
