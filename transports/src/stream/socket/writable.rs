//! Sleeping until a socket takes bytes again.

use super::{Socket, register::register};
use crate::stream::lock;
use std::{
    sync::{Arc, Mutex},
    task::{Context, Poll, ready},
};
use tokio::{
    io::{Interest, unix::AsyncFd},
    runtime::Handle,
};

/// A registration that exists only while somebody waits: a socket that is registered for writing all the time wakes
/// a worker whenever the peer has read something.
pub(super) struct Writable {
    runtime: Handle,
    waiting: Mutex<Option<AsyncFd<Arc<Socket>>>>,
}

impl Writable {
    /// Needs a tokio runtime around it.
    pub(super) fn new() -> Self {
        Self { runtime: Handle::current(), waiting: Mutex::new(None) }
    }

    pub(super) fn poll(&self, socket: &Arc<Socket>, cx: &mut Context<'_>) -> Poll<()> {
        let mut waiting = lock(&self.waiting);
        if waiting.is_none() {
            let _runtime = self.runtime.enter();
            // A socket that cannot be watched is tried again.
            let Ok(registered) = register(Arc::clone(socket), Interest::WRITABLE) else {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            };
            *waiting = Some(registered);
        }
        if let Some(registered) = &*waiting {
            // The registration ends here, so its readiness need not be cleared. An error means that the runtime is
            // shutting down: there is nothing left to wait with.
            let _ = ready!(registered.poll_write_ready(cx));
        }
        *waiting = None;
        Poll::Ready(())
    }
}
