//! Streams of one item.

use super::{Item, Receiver, Sender, channel};
use crate::error::Error;
use serde::{Deserialize, Serialize};
use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

/// The end that sends the one item. Dropped without, it gives the receiver an error.
#[derive(Serialize, Deserialize, Debug)]
#[serde(bound = "")]
pub struct OneSender<T: Item>(Sender<T>);

/// The end that receives the one item: `.await` it, or [`wait`](Self::wait) for it on a thread. Dropping it tells the sender.
#[derive(Serialize, Deserialize, Debug)]
#[serde(bound = "")]
pub struct OneReceiver<T: Item>(Receiver<T>);

/// A stream of one item, with both ends here.
#[must_use]
pub fn oneshot<T: Item>() -> (OneSender<T>, OneReceiver<T>) {
    let (sender, receiver) = channel(1);
    (OneSender(sender), OneReceiver(receiver))
}

impl<T: Item> OneSender<T> {
    /// Sends the item. There is room for it.
    ///
    /// # Errors
    /// `Cancelled` if the receiver was dropped, `Disconnected` if its connection was lost. The item comes back.
    pub fn send(self, item: T) -> Result<(), (T, Error)> {
        self.0.try_send(item)?;
        self.0.finish();
        Ok(())
    }

    /// Waits until nobody receives any more, and says why.
    ///
    /// # Cancel safety
    /// Cancel safe.
    pub async fn closed(&self) -> Error {
        self.0.closed().await
    }
}

impl<T: Item> OneReceiver<T> {
    /// Blocks this thread until the item is there: no runtime is needed.
    ///
    /// # Errors
    /// Those of the stream; `WaitInAsync` in async code.
    pub fn wait(mut self) -> Result<T, Error> {
        self.0.recv_wait().unwrap_or_else(|| Err(super::sender::unfinished()))
    }
}

impl<T: Item> Future for OneReceiver<T> {
    type Output = Result<T, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let item = ready!(futures_core::Stream::poll_next(Pin::new(&mut self.0), cx));
        Poll::Ready(item.unwrap_or_else(|| Err(super::sender::unfinished())))
    }
}
