//! Unix datagram sockets.

use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::sync::OnceLock;

use anyhow::{Result, bail};

use super::Queue;
use crate::row::{Address, Transport};

pub struct Datagrams {
    socket: UnixDatagram,
    /// The consumer learns it from the first message.
    peer: OnceLock<std::path::PathBuf>,
}

impl Queue for Datagrams {
    const NAMES: [&str; 2] = ["raw-datagram", "raw-datagram-4"];
    const ABOUT: &str =
        "a Unix datagram socket at each end, blocking, as deep as the system makes it";
    const OVER: &[Transport] = &[Transport::Unix];

    fn open(address: &Address) -> Result<(Self, Address)> {
        let [consumer, _] = paths(address)?;
        let socket = UnixDatagram::bind(consumer)?;
        Ok((Self { socket, peer: OnceLock::new() }, address.clone()))
    }

    fn join(address: &Address) -> Result<Self> {
        let [consumer, producer] = paths(address)?;
        let socket = UnixDatagram::bind(producer)?;
        socket.connect(consumer)?;
        Ok(Self { socket, peer: OnceLock::new() })
    }

    fn send(&self, message: &[u8]) -> Result<()> {
        match self.peer.get() {
            Some(peer) => self.socket.send_to(message, peer)?,
            None => self.socket.send(message)?,
        };
        Ok(())
    }

    fn receive(&self, into: &mut [u8]) -> Result<usize> {
        let (length, from) = self.socket.recv_from(into)?;
        if let Some(from) = from.as_pathname() {
            self.peer.get_or_init(|| Path::to_owned(from));
        }
        Ok(length)
    }
}

fn paths(address: &Address) -> Result<[std::path::PathBuf; 2]> {
    let Address::Unix(path) = address else { bail!("no Unix socket at {address}") };
    Ok([path.clone(), path.with_extension("back")])
}
