//! `shm://name` and `shm:///path`: between processes of one user on one host, through shared memory.
//!
//! A Unix socket brings both ends together, carries the handshake, and says by its end that the peer is gone. Frames go
//! through two rings, one in each side's segment. Where shared memory cannot be had, the socket carries the frames.

mod acceptor;
mod connecting;
mod handshake;

mod end;
mod ready;
mod receiving;
mod sending;
mod sleepers;

mod arena;
mod doorbell;
mod forked;
mod mapping;
mod segment;

mod ring;

/// What `fuzz/` does to shared memory. No part of the interface: it is there with a feature that promises nothing.
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod targets {
    /// Operations on the ring.
    pub fn ring(bytes: &[u8]) {
        super::ring::target::run(bytes);
    }

    /// Lends and returns.
    pub fn lending(bytes: &[u8]) {
        super::arena::target::run(bytes);
    }
}

#[cfg(test)]
mod tests;

use crate::unix::{Claim, Place, Purpose, check_before_connecting, not_connected};
use acceptor::Acceptor;
use connecting::Memory;
use farcall_core::{
    address::Address,
    error::{Error, ErrorKind},
    transport::{BoxFuture, Listener, Transport, Wire},
};
use std::io;
use tokio::net::UnixStream;

/// The transport of `shm://` addresses.
///
/// The place is an absolute path (`shm:///run/archive.shm`), or a name (`shm://archive`), which means `archive.shm` in
/// [`private_directory`](crate::unix::private_directory): that of a socket, which brings both ends together. Both ends
/// must run as the same user, or one of them as root.
///
/// `?arena=256MiB` says how many bytes this side has for payloads on each connection: a whole number of MiB, 64 unless told otherwise, at most 1024;
/// with 0 they all go with their calls. It takes memory only where it is used.
#[derive(Clone, Copy, Default, Debug)]
pub struct Shm {
    memory: Memory,
}

impl Transport for Shm {
    fn scheme(&self) -> &'static str {
        "shm"
    }

    fn connect<'a>(&'a self, to: &'a Address) -> BoxFuture<'a, Result<Wire, Error>> {
        Box::pin(connect(to, self.memory))
    }

    fn listen<'a>(&'a self, at: &'a Address) -> BoxFuture<'a, Result<Box<dyn Listener>, Error>> {
        Box::pin(async move { Ok(Box::new(listen(at, self.memory).await?) as Box<dyn Listener>) })
    }
}

async fn connect(to: &Address, memory: Memory) -> Result<Wire, Error> {
    let memory = memory.wanted(to)?;
    let place = Place::resolve(to, Purpose::Connect)?;
    check_before_connecting(&place)?;
    let connected = async {
        let stream = UnixStream::connect(&place.path).await?;
        connecting::connect(stream, memory, &place.address).await
    };
    connected.await.map_err(|error| not_agreed(&place, error))
}

async fn listen(at: &Address, memory: Memory) -> Result<ShmWires, Error> {
    let memory = memory.wanted(at)?;
    let place = Place::resolve(at, Purpose::Listen)?;
    let (claim, listener) = Claim::listen(&place).await?;
    let address = place.address;
    let acceptor = Acceptor::start(listener, memory, address.clone());
    Ok(ShmWires { acceptor, _claim: claim, address })
}

/// Accepts wires.
struct ShmWires {
    acceptor: Acceptor,
    _claim: Claim,
    address: String,
}

impl Listener for ShmWires {
    fn accept(&mut self) -> BoxFuture<'_, io::Result<Wire>> {
        Box::pin(self.acceptor.accept())
    }

    fn address(&self) -> String {
        self.address.clone()
    }
}

fn not_agreed(place: &Place, error: io::Error) -> Error {
    let address = &place.address;
    match error.kind() {
        io::ErrorKind::Unsupported => {
            Error::of(ErrorKind::Protocol, format!("cannot use {address}: {error}"))
        }
        io::ErrorKind::InvalidData => {
            let text = format!("what listens at {address} is no server of shm://: {error}");
            Error::of(ErrorKind::Protocol, text)
        }
        io::ErrorKind::TimedOut | io::ErrorKind::UnexpectedEof => {
            let text = format!(
                "the server at {address} does not answer: look whether it is overloaded ({error})"
            );
            Error::of(ErrorKind::Unreachable, text)
        }
        _ => not_connected(place, &error),
    }
}
