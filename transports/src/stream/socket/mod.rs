//! A wire on a connected stream socket of a Unix system, read and written by system calls on its descriptor.

#[cfg_attr(any(target_os = "linux", target_os = "android"), path = "nested.rs")]
#[cfg_attr(not(any(target_os = "linux", target_os = "android")), path = "plain.rs")]
mod ready;
mod register;
#[cfg(any(target_os = "linux", target_os = "android"))]
mod writable;

pub(crate) use ready::Reserved;
#[cfg(all(target_os = "linux", feature = "shm"))]
pub(crate) use register::register;

use super::{Inbound, Outbound, Read, Sink, Source};
use farcall_core::{
    tail::Tail,
    transport::{Flush, Interest, Peer, Tx, Wire},
};
use ready::SocketReady;
use rustix::{
    buffer::spare_capacity,
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
    net::{RecvFlags, SendAncillaryBuffer, SendFlags, Shutdown, recv, send, sendmsg, shutdown},
};
use std::{
    io::{self, IoSlice},
    os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// Sends nothing but bytes, and raises no signal if nobody reads them.
#[cfg(not(target_vendor = "apple"))]
const SEND: SendFlags = SendFlags::NOSIGNAL.union(SendFlags::DONTWAIT);
#[cfg(target_vendor = "apple")]
const SEND: SendFlags = SendFlags::DONTWAIT;

/// A wire on `fd`, a connected, non-blocking stream socket. Needs a tokio runtime around it.
pub(crate) fn wire(fd: OwnedFd, reserved: Reserved, peer: Peer) -> io::Result<Wire> {
    let socket = Arc::new(Socket { fd, doubtful: AtomicBool::new(false) });
    let ready = Arc::new(SocketReady::new(Arc::clone(&socket), reserved)?);
    let tx = Arc::new(SocketTx { outbound: Outbound::new(Writer(Arc::clone(&socket))), socket });
    let rx = Box::new(Inbound::new(Reader { tx: Arc::clone(&tx), doubtful: false }));
    Ok(Wire { tx, rx, ready, peer })
}

/// The descriptor, and what its reader tells its readiness.
pub(crate) struct Socket {
    fd: OwnedFd,
    /// The last read was short: there were no more bytes, but the end of the stream may have been there already, and
    /// of that no edge will come.
    doubtful: AtomicBool,
}

impl Socket {
    /// Whether a receive would find bytes, the end or an error. Looks without taking.
    fn has_news(&self) -> bool {
        let flags = RecvFlags::PEEK | RecvFlags::DONTWAIT;
        !matches!(recv(&self.fd, &mut [0_u8; 1], flags), Err(Errno::AGAIN))
    }

    /// Whether the socket must be tried before anybody sleeps on it; asked once.
    fn take_doubt(&self) -> bool {
        self.doubtful.load(Ordering::Acquire) && self.doubtful.swap(false, Ordering::AcqRel)
    }

    /// Blocks until the socket is ready, or `timeout` has passed, or a signal came.
    fn wait(&self, interest: Interest, timeout: Option<Duration>) {
        let flags = match interest {
            Interest::Read => PollFlags::IN,
            Interest::ReadWrite => PollFlags::IN | PollFlags::OUT,
        };
        let timeout = timeout.and_then(|timeout| Timespec::try_from(timeout).ok());
        // Interrupted or not, the caller looks for itself.
        let _ = poll(&mut [PollFd::new(&self.fd, flags)], timeout.as_ref());
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl AsRawFd for Socket {
    fn as_raw_fd(&self) -> RawFd {
        self.fd.as_raw_fd()
    }
}

struct SocketTx {
    outbound: Outbound<Writer>,
    socket: Arc<Socket>,
}

impl Tx for SocketTx {
    fn append(&self, head: &[&[u8]], tail: Option<Tail>) -> io::Result<()> {
        self.outbound.append(head, tail)
    }

    fn queued(&self) -> usize {
        self.outbound.queued()
    }

    fn flush(&self) -> io::Result<Flush> {
        self.outbound.flush()
    }

    fn close(&self) {
        self.outbound.close(|_| {
            // A socket that is no longer connected is as closed as it can be.
            let _ = shutdown(&self.socket, Shutdown::Both);
        });
    }
}

struct Writer(Arc<Socket>);

impl Sink for Writer {
    const SHORT_IS_FULL: bool = true;

    fn write(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let socket = self.0.as_fd();
        Ok(match slices {
            [bytes] => send(socket, bytes, SEND)?,
            _ => sendmsg(socket, slices, &mut SendAncillaryBuffer::default(), SEND)?,
        })
    }
}

struct Reader {
    tx: Arc<SocketTx>,
    /// What was last written to the socket's flag of that name.
    doubtful: bool,
}

impl Reader {
    fn doubt(&mut self, doubtful: bool) {
        // A doubt may have been taken in the meantime; a new short read must raise it again.
        if doubtful || self.doubtful {
            self.doubtful = doubtful;
            self.tx.socket.doubtful.store(doubtful, Ordering::Release);
        }
    }
}

impl Source for Reader {
    fn is_gone(&self) -> bool {
        let mut socket = [PollFd::new(&self.tx.socket, PollFlags::empty())];
        let now = Timespec { tv_sec: 0, tv_nsec: 0 };
        poll(&mut socket, Some(&now)).is_ok()
            && socket[0].revents().intersects(PollFlags::HUP | PollFlags::ERR)
    }

    fn read(&mut self, space: &mut Vec<u8>) -> io::Result<Read> {
        let room = space.capacity() - space.len();
        match recv(&self.tx.socket, spare_capacity(space), RecvFlags::DONTWAIT) {
            Ok((0, _)) => Ok(Read::End),
            Ok((count, _)) if count < room => {
                self.doubt(true);
                Ok(Read::Drained)
            }
            Ok(_) => {
                self.doubt(false);
                Ok(Read::Bytes)
            }
            Err(errno) => {
                self.doubt(false);
                Err(errno.into())
            }
        }
    }

    fn relax(&mut self) {
        self.tx.outbound.relax();
    }
}
