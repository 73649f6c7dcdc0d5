//! The end out of which items come.

use super::{
    Item,
    queue::{End, Queue, elsewhere, unwanted},
};
use crate::{error::Error, runtime};
use futures_core::Stream;
use std::{
    collections::VecDeque,
    fmt,
    future::poll_fn,
    pin::Pin,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

/// The end of a stream out of which items come: made by [`channel`](super::channel), or received from another process.
///
/// It ends with `None` if the sender has finished. If the sender was dropped before, or its connection was lost, an error comes first.
/// Dropping it tells the sender.
pub struct Receiver<T: Item> {
    queue: Queue<T>,
    /// Items that were taken out together and are given out one by one.
    batch: Mutex<VecDeque<T>>,
    /// The end was given out.
    over: bool,
    /// It is somewhere else now.
    passed: AtomicBool,
}

impl<T: Item> Receiver<T> {
    pub(super) fn new(queue: Queue<T>) -> Self {
        Self { queue, batch: Mutex::default(), over: false, passed: AtomicBool::new(false) }
    }

    /// The next item; an error if the stream ends too early; `None` after its end.
    ///
    /// # Cancel safety
    /// Cancel safe: no item is lost.
    pub async fn recv(&mut self) -> Option<Result<T, Error>> {
        poll_fn(|cx| self.poll_recv(Some(cx))).await
    }

    /// The next item if it is there. `Pending`: nothing now.
    pub fn try_recv(&mut self) -> Poll<Option<Result<T, Error>>> {
        self.poll_recv(None)
    }

    /// Blocks this thread until the next item is there: no runtime is needed.
    ///
    /// # Errors
    /// Those of the stream; `WaitInAsync` in async code.
    pub fn recv_wait(&mut self) -> Option<Result<T, Error>> {
        if let Err(error) = runtime::refuse_wait() {
            return Some(Err(error));
        }
        runtime::block_on(self.recv())
    }

    fn poll_recv(&mut self, cx: Option<&mut Context<'_>>) -> Poll<Option<Result<T, Error>>> {
        let batch = self.batch.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(item) = batch.pop_front() {
            return Poll::Ready(Some(Ok(item)));
        }
        if self.over {
            return Poll::Ready(None);
        }
        if *self.passed.get_mut() {
            self.over = true;
            return Poll::Ready(Some(Err(elsewhere())));
        }
        let Poll::Ready(taken) = self.queue.poll_take(batch, usize::MAX, cx) else {
            return Poll::Pending;
        };
        let item = batch.pop_front();
        match taken.settle() {
            None => Poll::Ready(item.map(Ok)),
            Some(end) => {
                self.over = true;
                match end {
                    End::Finished => Poll::Ready(None),
                    End::Failed(why) => Poll::Ready(Some(Err(why))),
                }
            }
        }
    }

    /// The end that was given out is to be given out again.
    pub(super) fn repeat_end(&mut self) {
        self.over = false;
    }

    /// The queue, and what was taken out of it, for an end that travels. None the second time, or after the end.
    pub(super) fn pass(&self) -> Option<(&Queue<T>, VecDeque<T>)> {
        if self.over || self.passed.swap(true, Ordering::Relaxed) {
            return None;
        }
        let mut batch = self.batch.lock().unwrap_or_else(PoisonError::into_inner);
        Some((&self.queue, std::mem::take(&mut *batch)))
    }
}

impl<T: Item> Drop for Receiver<T> {
    fn drop(&mut self) {
        if !*self.passed.get_mut() {
            self.queue.close(unwanted());
        }
    }
}

impl<T: Item> Stream for Receiver<T> {
    type Item = Result<T, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_recv(Some(cx))
    }
}

impl<T: Item> Unpin for Receiver<T> {}

impl<T: Item> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Receiver").field(&self.queue).finish()
    }
}
