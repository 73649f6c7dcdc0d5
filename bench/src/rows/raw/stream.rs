//! A socket of either kind, and how it is waited for.

use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;

use anyhow::{Result, bail};

use crate::row::Address;

/// A connected socket of either kind.
pub enum Stream {
    Unix(UnixStream),
    Tcp(TcpStream),
}

impl Stream {
    /// Connects; the socket blocks.
    pub fn connect(address: &Address) -> Result<Self> {
        match address {
            Address::Unix(path) => Ok(Self::Unix(UnixStream::connect(path)?)),
            Address::Tcp(socket) => Ok(Self::Tcp(TcpStream::connect(socket)?)),
            Address::Inproc(_) | Address::Shm(_) | Address::Queue(_) => {
                bail!("a socket cannot connect to {address}")
            }
        }
    }

    /// Sets how it waits. Small frames leave at once either way.
    pub fn prepare(&self, waiting: Waiting) -> io::Result<()> {
        let spins = matches!(waiting, Waiting::Spinning);
        match self {
            Self::Unix(stream) => stream.set_nonblocking(spins),
            Self::Tcp(stream) => {
                stream.set_nodelay(true)?;
                stream.set_nonblocking(spins)
            }
        }
    }

    /// Waits until there is something to read.
    pub fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        again(|| match self {
            Self::Unix(stream) => stream.read(buffer),
            Self::Tcp(stream) => stream.read(buffer),
        })
    }

    fn write_vectored(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        match self {
            Self::Unix(stream) => stream.write_vectored(parts),
            Self::Tcp(stream) => stream.write_vectored(parts),
        }
    }

    /// Writes all of `head`, then all of `body`, with as few calls as the kernel allows.
    pub fn write_all(&mut self, head: &[u8], body: &[u8]) -> io::Result<()> {
        let mut parts = [IoSlice::new(head), IoSlice::new(body)];
        let mut parts = &mut parts[..];
        IoSlice::advance_slices(&mut parts, 0);
        while !parts.is_empty() {
            let written = again(|| self.write_vectored(parts))?;
            IoSlice::advance_slices(&mut parts, written);
        }
        Ok(())
    }
}

/// How a process waits for a socket.
#[derive(Clone, Copy)]
pub enum Waiting {
    /// In the kernel.
    Blocking,
    /// By trying again without blocking.
    Spinning,
}

/// Repeats an operation until it neither would block nor was interrupted.
fn again(mut operation: impl FnMut() -> io::Result<usize>) -> io::Result<usize> {
    loop {
        match operation() {
            Err(error) if error.kind() == ErrorKind::WouldBlock => std::hint::spin_loop(),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            done => return done,
        }
    }
}
