//! The end into which items go.

use super::{
    Item,
    queue::{End, Queue, elsewhere},
    waiting::Ticket,
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
    /// Its place among those who wait for room, as a sink.
    ticket: Ticket,
}

impl<T: Item> Sender<T> {
    pub(super) fn new(queue: Queue<T>) -> Self {
        Self { queue, passed: AtomicBool::new(false), ticket: Ticket::default() }
    }

    /// Sends an item, once there is room. Several tasks may send at a time.
    ///
    /// # Errors
    /// `Cancelled` if the receiver was dropped, `Disconnected` if its connection was lost, `Broken` if this end was passed to another
    /// process; the item is dropped.
    ///
    /// # Cancel safety
    /// Cancelled before it is ready, it has not sent the item, which is lost.
    pub async fn send(&self, item: T) -> Result<(), Error> {
        self.check()?;
        let mut item = Some(item);
        if let Poll::Ready(sent) = self.queue.try_push(&mut item) {
            return sent;
        }
        let mut waiter = Waiter::of(&self.queue);
        poll_fn(|cx| self.queue.poll_push(&mut item, &mut waiter.ticket, cx)).await
    }

    /// Sends an item if there is room now.
    ///
    /// # Errors
    /// Those of [`send`](Self::send); `Overloaded` if there is no room. The item comes back.
    pub fn try_send(&self, item: T) -> Result<(), (T, Error)> {
        if let Err(why) = self.check() {
            return Err((item, why));
        }
        let mut item = Some(item);
        let pushed = self.queue.try_push(&mut item);
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
        self.end(End::Finished);
    }

    /// There are no more items, since something is wrong: the receiver gets what was sent, and then the error.
    pub fn fail(self, why: Error) {
        self.end(End::Failed(why));
    }

    /// Waits until nobody receives any more, and says why.
    ///
    /// # Cancel safety
    /// Cancel safe.
    pub async fn closed(&self) -> Error {
        let mut waiter = Waiter::of(&self.queue);
        poll_fn(|cx| self.queue.poll_closed(&mut waiter.ticket, cx)).await
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

    fn check(&self) -> Result<(), Error> {
        if self.passed.load(Ordering::Relaxed) { Err(elsewhere()) } else { Ok(()) }
    }

    /// An end that was passed has nothing to end here.
    fn end(&self, end: End) {
        if self.check().is_ok() {
            self.queue.end(end);
        }
    }
}

/// A task that waits for a queue. When it gives up, it leaves no waker behind.
struct Waiter<'a, T> {
    queue: &'a Queue<T>,
    ticket: Ticket,
}

impl<'a, T> Waiter<'a, T> {
    fn of(queue: &'a Queue<T>) -> Self {
        Self { queue, ticket: Ticket::default() }
    }
}

impl<T> Drop for Waiter<'_, T> {
    fn drop(&mut self) {
        self.queue.leave(&self.ticket);
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
        self.end(End::Failed(unfinished()));
    }
}

/// An item is flushed when it waits for the receiver. `poll_close` finishes the stream.
impl<T: Item> Sink<T> for Sender<T> {
    type Error = Error;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let this = &mut *self;
        this.check()?;
        this.queue.poll_room(&mut this.ticket, cx)
    }

    fn start_send(self: Pin<&mut Self>, item: T) -> Result<(), Error> {
        self.check()?;
        self.queue.push(item)
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(self.queue.why_closed().map_or(Ok(()), Err))
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        std::task::ready!(self.as_mut().poll_flush(cx))?;
        self.end(End::Finished);
        Poll::Ready(Ok(()))
    }
}

impl<T: Item> Unpin for Sender<T> {}

impl<T: Item> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Sender").field(&self.queue).finish()
    }
}
