//! What carries farcall's frames: within a process, through shared memory, over Unix sockets, over TCP, over any byte stream.
//!
//! Each module implements [`farcall_core::transport`] for one scheme, and names no call, object or method. [`all`] is
//! what this build has; [`io`] and [`memory`] make wires without an address.

#[cfg(any(feature = "tcp", all(unix, feature = "unix")))]
mod accept;
pub mod inproc;
pub mod io;
pub use farcall_core::memory;
#[cfg(all(target_os = "linux", feature = "shm"))]
pub mod shm;
mod stream;
#[cfg(feature = "tcp")]
pub mod tcp;
#[cfg(all(unix, feature = "unix"))]
pub mod unix;

use farcall_core::transport::Transport;
use std::sync::Arc;

/// Every transport that is built in.
#[must_use]
pub fn all() -> Vec<Arc<dyn Transport>> {
    vec![
        Arc::new(inproc::Inproc),
        #[cfg(all(target_os = "linux", feature = "shm"))]
        Arc::new(shm::Shm::default()),
        #[cfg(all(unix, feature = "unix"))]
        Arc::new(unix::Unix),
        #[cfg(feature = "tcp")]
        Arc::new(tcp::Tcp),
    ]
}

/// An address as a peer may write it.
fn written(scheme: &str, place: &str) -> String {
    let place = place.replace('%', "%25").replace('#', "%23").replace('?', "%3F");
    format!("{scheme}://{place}")
}

#[cfg(test)]
mod tests;
