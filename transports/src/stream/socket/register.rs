//! The one place where a descriptor is registered with tokio.

use std::{io, os::fd::AsRawFd};
use tokio::io::{Interest, unix::AsyncFd};

/// Registers `owner`'s descriptor with the runtime around the caller.
///
/// `AsyncFd::register`, which replaces the deprecated constructor, is `unsafe` because an `AsRawFd` may give away
/// any number. The owners here hold an `OwnedFd` for their whole life and give away that.
#[expect(deprecated, reason = "the replacement is unsafe, and this is no file that may be unsafe")]
pub(crate) fn register<T: AsRawFd>(owner: T, interest: Interest) -> io::Result<AsyncFd<T>> {
    AsyncFd::with_interest(owner, interest)
}
