//! The `#[remote]` attribute: parse, then check, then expand. It depends on no other package of farcall.

use proc_macro::TokenStream;

mod attributes;
mod interface;
mod passing;
mod result;
mod signature;

mod check;
mod mistakes;

mod expand;

#[cfg(test)]
mod target;
#[cfg(test)]
mod tests;
#[cfg(test)]
#[path = "../../fuzz/src/words.rs"]
mod words;

/// Makes a trait callable from another process.
///
/// Every method is an `async fn` that takes `&self` or `&mut self` and returns a `Result` whose error has a place for the failure of
/// the call itself: `farcall::Result<T>`, or `Result<T, E>` with `E: From<farcall::Error>`. Servants implement the trait as it is
/// written; callers hold a `Remote<dyn Trait>`, which implements it too. The head of the crate's documentation has a whole program.
///
/// Arguments and results are what serde encodes and decodes, and own their data, but for arguments such as `&str`, `&[u8]`, `&T` and
/// `&[T]`, which last as long as the call. Handles on other objects, ends of streams and payloads are among them. Calls on
/// an object start in order, and run concurrently; one at a time if the interface has a method that takes `&mut self`.
///
/// # On the trait
///
/// * `#[remote(name = "..")]`: its name on the wire, where it shall differ from the trait's.
/// * `#[remote(crate = "..")]`: the path of a renamed or re-exported `farcall`.
///
/// # On a method
///
/// * `#[remote(name = "..")]`: its name on the wire.
/// * `#[remote(timeout = "60s")]`, in `us`, `ms`, `s` or `m`, or `none`: its deadline.
/// * `#[remote(idempotent)]`: it may run twice, so it is retried after a lost connection.
/// * `#[remote(oneway)]`: the caller gets no reply. It returns `Result<(), E>`.
/// * `#[remote(no_cancel)]`: it runs to its end even if its caller has gone.
/// * `#[remote(unordered)]`: once it has proved slow, it may start after calls that came later.
#[proc_macro_attribute]
pub fn remote(options: TokenStream, item: TokenStream) -> TokenStream {
    expand::remote(options.into(), item.into()).into()
}
