//! Streams: items that go one way, from a [`Sender`] to a [`Receiver`], with the two in one process or in two.
//!
//! An end is a value like any other: an argument, a result, a field. The one that travels is joined to the one that stays by two objects, one
//! for each direction: an *inlet* takes the items, an *outlet* takes credit and hears when nobody receives any more.
//! So streams need nothing of the protocol that objects do not have: they go over every transport, through third processes, and end with
//! their connection.
//!
//! ```text
//! Sender -> Queue -> pump (outlet) -- items, end --> inlet -> Queue -> Receiver
//!                          ^------- credit, stop ------'
//! ```

mod inlet;
mod latest;
mod messages;
mod oneshot;
mod outlet;
mod queue;
mod receiver;
mod sender;
mod travel;
mod waiting;

pub use latest::{LatestReceiver, LatestSender, latest};
pub use oneshot::{OneReceiver, OneSender, oneshot};
pub use receiver::Receiver;
pub use sender::Sender;

use queue::{Keeps, Queue};
use serde::{Serialize, de::DeserializeOwned};

/// What can be an item: serde's traits, and no borrows.
pub trait Item: Serialize + DeserializeOwned + Send + 'static {}

impl<T: Serialize + DeserializeOwned + Send + 'static> Item for T {}

/// A stream, with both ends here. `capacity` items wait in each process that they pass through before the sender has to wait, at least one;
/// and, between two processes, 512 KiB of encoded ones. A large item goes in parts, so that calls go between; it may have as many bytes
/// as the receiving side takes in a frame.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// let (lines, mut received) = farcall_core::stream::channel::<String>(16);
/// lines.send("first".to_owned()).await?;
/// lines.finish();
/// assert_eq!(received.recv().await, Some(Ok("first".to_owned())));
/// assert_eq!(received.recv().await, None);
/// # Ok::<(), farcall_core::error::Error>(()) }).unwrap();
/// ```
#[must_use]
pub fn channel<T: Item>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    let queue = Queue::new(capacity.max(1), Keeps::All);
    (Sender::new(queue.clone()), Receiver::new(queue))
}

#[cfg(test)]
mod tests;
