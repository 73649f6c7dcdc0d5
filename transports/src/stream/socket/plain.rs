//! Readiness on other Unix systems: the runtime knows the socket itself, and arrivals always wake.

use super::{Socket, register::register};
use farcall_core::transport::{Interest, Ready};
use std::{
    io,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::io::unix::AsyncFd;

/// Nothing: here a wire needs no descriptor besides its socket.
pub(crate) struct Reserved;

impl Reserved {
    #[expect(clippy::unnecessary_wraps, reason = "the same shape as on Linux")]
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self)
    }
}

pub(crate) struct SocketReady {
    registered: AsyncFd<Arc<Socket>>,
}

impl SocketReady {
    pub(super) fn new(socket: Arc<Socket>, _: Reserved) -> io::Result<Self> {
        let both = tokio::io::Interest::READABLE | tokio::io::Interest::WRITABLE;
        Ok(Self { registered: register(socket, both)? })
    }
}

impl Ready for SocketReady {
    fn arm(&self) {}

    fn disarm(&self) {}

    fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<()> {
        if self.registered.get_ref().take_doubt() && self.registered.get_ref().has_news() {
            return Poll::Ready(());
        }
        if let Ok(mut guard) = ready!(self.registered.poll_read_ready(cx)) {
            guard.clear_ready();
        }
        Poll::Ready(())
    }

    fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<()> {
        if let Ok(mut guard) = ready!(self.registered.poll_write_ready(cx)) {
            guard.clear_ready();
        }
        Poll::Ready(())
    }

    fn wait(&self, interest: Interest, timeout: Option<Duration>) {
        self.registered.get_ref().wait(interest, timeout);
    }
}
