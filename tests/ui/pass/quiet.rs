//! Nothing that is generated raises a warning.
#![deny(warnings, missing_docs, unused_qualifications, unnameable_types)]
#![deny(missing_debug_implementations, single_use_lifetimes, trivial_casts, unused_lifetimes)]
#![deny(clippy::all, clippy::pedantic)]
#![allow(unreachable_pub)] // Nothing of a test can be reached.

use std::borrow::Cow;

/// Where it is.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub struct Point {
    x: u32,
    y: u32,
}

/// Every kind of method and argument.
#[farcall::remote]
pub trait Everything {
    /// Without arguments.
    async fn nothing(&self) -> farcall::Result<()>;

    /// With every way to pass one.
    #[allow(clippy::too_many_arguments)]
    async fn arguments(
        &self,
        text: &str,
        bytes: &[u8],
        owned: Vec<u8>,
        number: u64,
        lent: &Point,
        slice: &[Point],
        maybe: Option<&str>,
        cow: Cow<'_, str>,
        _unused: (u8, String),
    ) -> farcall::Result<Vec<Point>>;

    /// With options.
    #[remote(name = "option", timeout = "5ms", idempotent, unordered)]
    async fn options(&self) -> Result<u64, farcall::Error>;

    /// With options of its own.
    #[remote(oneway, no_cancel, timeout = none)]
    async fn notify(&self, what: String) -> farcall::Result<()>;

    /// With a body.
    async fn twice(&self, number: u64) -> farcall::Result<u64> {
        let once = self.options().await?;
        Ok(once + number)
    }

    /// Old.
    #[deprecated]
    async fn old(&self) -> farcall::Result<()>;

    /// Named in another style.
    #[allow(non_snake_case)]
    async fn camelCase(&self, someValue: u8) -> farcall::Result<()>;
}

/// One call at a time.
#[farcall::remote]
pub trait Exclusive {
    /// Changes it.
    async fn set(&mut self, value: u64) -> farcall::Result<()>;
    /// Reads it.
    async fn get(&self) -> farcall::Result<u64>;
}

/// Of any key and value.
#[farcall::remote]
pub trait Store<K, V> {
    /// Puts it.
    async fn put(&mut self, key: K, value: &V) -> farcall::Result<Option<V>>;
}

/// Nothing at all.
#[farcall::remote]
pub trait Empty {}

/// Hidden.
#[farcall::remote]
trait Private {
    async fn run(&self) -> farcall::Result<()>;
}

/// Runs a private one.
///
/// # Errors
/// Those of the call.
#[allow(dead_code)]
pub async fn run(remote: &farcall::Remote<dyn Everything>) -> farcall::Result<()> {
    let private: Option<farcall::Remote<dyn Private>> = None;
    if let Some(private) = private {
        private.run().await?;
    }
    remote.nothing().await
}

#[allow(dead_code)]
fn main() {}
