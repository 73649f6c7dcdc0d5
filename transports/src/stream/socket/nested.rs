//! Readiness on Linux: the socket sits in an epoll of its own, and only that one is known to the runtime.
//!
//! So a spinning driver can silence the socket with one system call, and arrivals wake no worker of the runtime.

use super::{Socket, register::register, writable::Writable};
use crate::stream::lock;
use farcall_core::transport::{Interest, Ready};
use rustix::{
    event::{
        Timespec,
        epoll::{self, CreateFlags, Event, EventData, EventFlags},
    },
    io::fcntl_dupfd_cloexec,
};
use std::{
    io,
    mem::MaybeUninit,
    os::fd::OwnedFd,
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::io::unix::AsyncFd;

const ARMED: EventFlags = EventFlags::IN.union(EventFlags::RDHUP).union(EventFlags::ET);
/// Nothing; but the kernel adds errors and the end of both directions by itself.
const SILENT: EventFlags = EventFlags::ET;

/// The descriptor that a wire needs besides its socket, taken before a connection is accepted: so a process that has
/// no more descriptors stops accepting, instead of accepting and dropping.
pub(crate) struct Reserved(OwnedFd);

impl Reserved {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self(epoll::create(CreateFlags::CLOEXEC)?))
    }
}

/// ```text
/// socket ── edges ──▶ nested epoll ── edges ──▶ tokio's epoll ──▶ the waker in `poll_readable`
///             ▲ armed: IN | RDHUP, silent: nothing
/// ```
///
/// Where nobody spins, since both ends share one processor, and no thread waits, a socket is kept armed: it goes to tokio's epoll directly.
///
/// Nobody waits on the nested epoll, so the socket stays in its list of ready descriptors until it is looked at. While
/// armed that is harmless: each further arrival is passed on all the same. But arming passes on what is already there
/// only if the socket is *not* in that list. Therefore disarming clears the list.
pub(crate) struct SocketReady {
    socket: Arc<Socket>,
    nested: AsyncFd<OwnedFd>,
    /// What the kernel was last told; written under `changing`.
    armed: AtomicBool,
    changing: Mutex<()>,
    /// The socket itself, once nobody asks for silence any more: the way over two epolls takes the kernel longer, and does not tell whether the
    /// stream has ended. By a descriptor of its own, since `writable` registers the other one.
    direct: OnceLock<AsyncFd<OwnedFd>>,
    writable: Writable,
}

impl SocketReady {
    pub(super) fn new(socket: Arc<Socket>, Reserved(nested): Reserved) -> io::Result<Self> {
        epoll::add(&nested, &socket, EventData::new_u64(0), ARMED)?;
        Ok(Self {
            socket,
            nested: register(nested, tokio::io::Interest::READABLE)?,
            armed: AtomicBool::new(true),
            changing: Mutex::new(()),
            direct: OnceLock::new(),
            writable: Writable::new(),
        })
    }

    fn tell(&self, armed: bool) {
        if self.armed.load(Ordering::Acquire) == armed {
            return;
        }
        let _changing = lock(&self.changing);
        if self.armed.load(Ordering::Acquire) == armed {
            return;
        }
        let nested = self.nested.get_ref();
        let flags = if armed { ARMED } else { SILENT };
        // Cannot fail: both descriptors are open, and the socket is in the nested epoll.
        let told = epoll::modify(nested, &self.socket, EventData::new_u64(0), flags);
        debug_assert!(told.is_ok(), "{told:?}");
        if !armed {
            let mut events = [MaybeUninit::<Event>::uninit()];
            let now = Timespec { tv_sec: 0, tv_nsec: 0 };
            let _ = epoll::wait(nested, &mut events, Some(&now));
        }
        self.armed.store(armed, Ordering::Release);
    }
}

impl Ready for SocketReady {
    fn arm(&self) {
        if self.direct.get().is_none() {
            self.tell(true);
        }
    }

    fn disarm(&self) {
        if self.direct.get().is_none() {
            self.tell(false);
        }
    }

    fn keep_armed(&self) {
        // Where it cannot be registered once more, all stays as it is.
        let direct = fcntl_dupfd_cloexec(&self.socket, 0).map_err(io::Error::from);
        let direct = direct.and_then(|fd| register(fd, tokio::io::Interest::READABLE));
        match direct.map(|direct| self.direct.set(direct)) {
            Ok(Ok(())) => self.tell(false),
            _ => self.arm(),
        }
    }

    fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<()> {
        if let Some(direct) = self.direct.get() {
            // An edge that comes after the guard was made is not cleared by it, nor is the end of the stream.
            if let Ok(mut guard) = ready!(direct.poll_read_ready(cx)) {
                guard.clear_ready();
            }
            return Poll::Ready(());
        }
        if self.socket.take_doubt() && self.socket.has_news() {
            return Poll::Ready(());
        }
        // An edge that comes after the guard was made is not cleared by it. An error means that the runtime is
        // shutting down: there is nothing left to wait with.
        if let Ok(mut guard) = ready!(self.nested.poll_read_ready(cx)) {
            guard.clear_ready();
        }
        Poll::Ready(())
    }

    fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.writable.poll(&self.socket, cx)
    }

    fn wait(&self, interest: Interest, timeout: Option<Duration>) {
        self.socket.wait(interest, timeout);
    }
}
