//! Frames on a byte stream: a length of four bytes, little-endian, then the frame. Knows no address.
//!
//! [`Inbound`] and [`Outbound`] are the two halves; what they read from and write to is a [`Source`] and a [`Sink`]:
//! a socket's descriptor, or any `AsyncRead` and `AsyncWrite`.

mod batch;
mod frames;
mod hint;
mod inbound;
mod outbound;
#[cfg(all(unix, any(feature = "unix", feature = "tcp")))]
pub(crate) mod socket;

pub(crate) use inbound::{Inbound, Read, Source};
pub(crate) use outbound::{Outbound, Sink};

use std::{
    io,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// The error of a wire that this side has closed or that failed earlier.
pub(crate) fn closed() -> io::Error {
    io::Error::new(io::ErrorKind::BrokenPipe, "the wire is closed")
}

/// Locks what no panic can leave half changed.
pub(crate) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
