//! A socket of either kind, and how it is waited for.

use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::mem::MaybeUninit;
use std::net::TcpStream;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;

use anyhow::{Result, bail};
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};

use crate::row::Address;

/// A connected socket, and what waits for it, if that is not the socket itself.
pub struct Stream {
    socket: Socket,
    epoll: Option<OwnedFd>,
}

/// A socket of either kind.
pub enum Socket {
    Unix(UnixStream),
    Tcp(TcpStream),
}

impl Stream {
    /// Connects; the socket blocks.
    pub fn connect(address: &Address) -> Result<Self> {
        match address {
            Address::Unix(path) => Ok(Socket::Unix(UnixStream::connect(path)?).into()),
            Address::Tcp(socket) => Ok(Socket::Tcp(TcpStream::connect(socket)?).into()),
            Address::Inproc(_) | Address::Shm(_) | Address::Queue(_) => {
                bail!("a socket cannot connect to {address}")
            }
        }
    }

    /// Sets how it waits. Small frames leave at once either way.
    pub fn prepare(&mut self, waiting: Waiting) -> io::Result<()> {
        let blocks = matches!(waiting, Waiting::Blocking);
        match &self.socket {
            Socket::Unix(stream) => stream.set_nonblocking(!blocks)?,
            Socket::Tcp(stream) => {
                stream.set_nodelay(true)?;
                stream.set_nonblocking(!blocks)?;
            }
        }
        if matches!(waiting, Waiting::Epoll) {
            let epoll = epoll::create(CreateFlags::CLOEXEC)?;
            epoll::add(&epoll, &self.socket, EventData::new_u64(0), EventFlags::IN)?;
            self.epoll = Some(epoll);
        }
        Ok(())
    }

    /// Waits until there is something to read.
    pub fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Self { socket, epoll } = self;
        again(|| {
            if let Some(epoll) = epoll {
                let mut events = [MaybeUninit::<Event>::uninit()];
                epoll::wait(epoll, &mut events, None)?;
            }
            match socket {
                Socket::Unix(stream) => stream.read(buffer),
                Socket::Tcp(stream) => stream.read(buffer),
            }
        })
    }

    fn write_vectored(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        match &mut self.socket {
            Socket::Unix(stream) => stream.write_vectored(parts),
            Socket::Tcp(stream) => stream.write_vectored(parts),
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

impl From<Socket> for Stream {
    fn from(socket: Socket) -> Self {
        Self { socket, epoll: None }
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Unix(stream) => stream.as_fd(),
            Self::Tcp(stream) => stream.as_fd(),
        }
    }
}

/// How a process waits for a socket.
#[derive(Clone, Copy)]
pub enum Waiting {
    /// In the kernel.
    Blocking,
    /// In the kernel, for any of several, as asynchronous code does.
    Epoll,
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
