//! Streams of which only the latest item counts.

use super::{
    Item, Receiver, Sender,
    queue::{Keeps, Queue},
};
use crate::error::Error;
use serde::{Deserialize, Serialize};
use std::task::Poll;

/// The end that sets the value. Dropping it ends the stream; a value that was set before still arrives.
#[derive(Serialize, Deserialize, Debug)]
#[serde(bound = "")]
pub struct LatestSender<T: Item>(Sender<T>);

/// The end that sees the latest value: what it is too slow for, it does not see. Dropping it tells the sender.
#[derive(Serialize, Deserialize, Debug)]
#[serde(bound = "")]
pub struct LatestReceiver<T: Item>(Receiver<T>);

/// A stream of which only the latest value counts, with both ends here. A new value takes the place of one that was not received, so the
/// sender never waits.
#[must_use]
pub fn latest<T: Item>() -> (LatestSender<T>, LatestReceiver<T>) {
    let queue = Queue::new(1, Keeps::Latest);
    (LatestSender(Sender::new(queue.clone())), LatestReceiver(Receiver::new(queue)))
}

impl<T: Item> LatestSender<T> {
    /// Sets the value.
    ///
    /// # Errors
    /// `Cancelled` if the receiver was dropped, `Disconnected` if its connection was lost. The value comes back.
    pub fn set(&self, value: T) -> Result<(), (T, Error)> {
        self.0.try_send(value)
    }

    /// There are no more values: the receiver gets the last one, and then the end.
    pub fn finish(self) {
        self.0.finish();
    }

    /// Waits until nobody receives any more, and says why.
    ///
    /// # Cancel safety
    /// Cancel safe.
    pub async fn closed(&self) -> Error {
        self.0.closed().await
    }
}

impl<T: Item> LatestReceiver<T> {
    /// Waits for a value that was not seen yet, and gives the latest; an error if the stream ends too early; `None` after its end.
    ///
    /// # Cancel safety
    /// Cancel safe.
    pub async fn changed(&mut self) -> Option<Result<T, Error>> {
        let mut value = self.0.recv().await;
        while matches!(value, Some(Ok(_)))
            && let Poll::Ready(Some(later)) = self.0.try_recv()
        {
            if later.is_err() {
                // The last value comes before the error.
                self.0.repeat_end();
                break;
            }
            value = Some(later);
        }
        value
    }

    /// Blocks this thread until there is a value that was not seen yet: no runtime is needed.
    ///
    /// # Errors
    /// Those of the stream; `WaitInAsync` in async code.
    pub fn changed_wait(&mut self) -> Option<Result<T, Error>> {
        if let Err(error) = crate::runtime::refuse_wait() {
            return Some(Err(error));
        }
        crate::runtime::block_on(self.changed())
    }
}
