//! Something done with a mailbox, on its way: to be awaited, or waited for on a thread.

use crate::{Error, Result};
use farcall_core::{runtime, transport::BoxFuture};
use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

/// Something done with a mailbox or a process: `.await` it, or `.wait()` for it on a thread without a runtime. What is sent to, or taken from,
/// a mailbox that this process is attached to is on its way already, in the order in which it was begun; all else begins when it is first
/// awaited.
///
/// # Cancel safety
/// Dropping it withdraws it. A send may have been accepted by then, which [`send_timeout`](crate::Access::send_timeout) would have told;
/// a letter that was taken meanwhile is given back, but one of [`recv_now`](crate::Access::recv_now), which is acked before it is given
/// out, may be lost.
#[must_use = "what is dropped is withdrawn: `.await` it, or `.wait()` for it"]
pub struct Action<T>(pub(crate) BoxFuture<'static, Result<T>>);

impl<T: Send + 'static> Action<T> {
    /// Does what the future does.
    pub fn new(future: impl Future<Output = Result<T>> + Send + 'static) -> Self {
        Self(Box::pin(future))
    }

    /// Blocks this thread until it is done.
    ///
    /// # Errors
    /// Those of awaiting it; a call's `WaitInAsync` in async code.
    pub fn wait(self) -> Result<T> {
        runtime::wait_here(self.0).map_err(Error::from)?
    }
}

impl<T> Future for Action<T> {
    type Output = Result<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(cx)
    }
}

impl<T> fmt::Debug for Action<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Action").finish_non_exhaustive()
    }
}
