//! The end into which items go.

use super::{
    Item,
    queue::{End, Queue},
};
use crate::{
    error::{Error, ErrorKind, Executed},
    runtime,
};
use futures_sink::Sink;
use std::{
    fmt,
    future::poll_fn,
    pin::Pin,
    sync::atomic::{AtomicBool, Ordering},
    task::{Context, Poll},
};

/// The end of a stream into which items go: made by [`channel`](super::channel), or received from another process.
///
/// [`finish`](Self::finish) ends the stream. A sender that is dropped without, as by a panic, ends it with an error, so that nobody takes half
/// of the items for all of them.
pub struct Sender<T: Item> {
    queue: Queue<T>,
    /// It is somewhere else now.
    passed: AtomicBool,
    /// An item that `start_send` has taken, and that waits for room.
    held: Option<T>,
}

impl<T: Item> Sender<T> {
    pub(super) fn new(queue: Queue<T>) -> Self {
        Self { queue, passed: AtomicBool::new(false), held: None }
    }

    /// Sends an item, once there is room.
    ///
    /// # Errors
    /// `Cancelled` if the receiver was dropped, `Disconnected` if its connection was lost; the item is dropped.
    ///
    /// # Cancel safety
    /// Cancelled before it is ready, it has not sent the item, which is lost.
    pub async fn send(&self, item: T) -> Result<(), Error> {
        let mut item = Some(item);
        poll_fn(|cx| self.queue.poll_push(&mut item, Some(cx))).await
    }

    /// Sends an item if there is room now.
    ///
    /// # Errors
    /// Those of [`send`](Self::send); `Overloaded` if there is no room. The item comes back.
    pub fn try_send(&self, item: T) -> Result<(), (T, Error)> {
        let mut item = Some(item);
        let pushed = self.queue.poll_push(&mut item, None);
        let why = match pushed {
            Poll::Ready(Ok(())) => return Ok(()),
            Poll::Ready(Err(why)) => why,
            Poll::Pending => {
                let text = "the stream is full: its receiver has not taken what was sent before";
                Error::of(ErrorKind::Overloaded, text)
            }
        };
        match item {
            Some(item) => Err((item, why)),
            None => Ok(()),
        }
    }

    /// Blocks this thread until the item is sent: no runtime is needed.
    ///
    /// # Errors
    /// Those of [`send`](Self::send); `WaitInAsync` in async code.
    pub fn send_wait(&self, item: T) -> Result<(), Error> {
        runtime::refuse_wait()?;
        runtime::block_on(self.send(item))
    }

    /// There are no more items: the receiver gets what was sent, and then the end.
    pub fn finish(self) {
        self.queue.end(End::Finished);
    }

    /// There are no more items, since something is wrong: the receiver gets what was sent, and then the error.
    pub fn fail(self, why: Error) {
        self.queue.end(End::Failed(why));
    }

    /// Waits until nobody receives any more, and says why.
    ///
    /// # Cancel safety
    /// Cancel safe.
    pub async fn closed(&self) -> Error {
        poll_fn(|cx| self.queue.poll_closed(cx)).await
    }

    /// Why nobody receives any more, once that is so.
    #[must_use]
    pub fn why_closed(&self) -> Option<Error> {
        self.queue.why_closed()
    }

    /// The queue, for an end that travels: this one does not end it any more. None the second time.
    pub(super) fn pass(&self) -> Option<&Queue<T>> {
        (!self.passed.swap(true, Ordering::Relaxed)).then_some(&self.queue)
    }
}

/// The end of a sender that has not finished.
pub(super) fn unfinished() -> Error {
    let text =
        "the sender of this stream was dropped before it had finished: there may be items missing";
    Error::of(ErrorKind::Cancelled, text).executed_as(Executed::Maybe)
}

impl<T: Item> Drop for Sender<T> {
    fn drop(&mut self) {
        if !*self.passed.get_mut() {
            self.queue.end(End::Failed(unfinished()));
        }
    }
}

/// `poll_close` finishes the stream.
impl<T: Item + Unpin> Sink<T> for Sender<T> {
    type Error = Error;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let this = &mut *self;
        if this.held.is_none() {
            return match this.queue.why_closed() {
                Some(why) => Poll::Ready(Err(why)),
                None => Poll::Ready(Ok(())),
            };
        }
        this.queue.poll_push(&mut this.held, Some(cx))
    }

    fn start_send(mut self: Pin<&mut Self>, item: T) -> Result<(), Error> {
        let this = &mut *self;
        this.held = Some(item);
        match this.queue.poll_push(&mut this.held, None) {
            Poll::Ready(sent) => sent,
            Poll::Pending => Ok(()),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.poll_ready(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        std::task::ready!(self.as_mut().poll_ready(cx))?;
        self.queue.end(End::Finished);
        Poll::Ready(Ok(()))
    }
}

impl<T: Item> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Sender").field(&self.queue).finish()
    }
}
