//! What a mailbox is to its users, as interfaces: the seam between an engine and those who send and receive. A servant of [`Post`] need
//! not be a hosted mailbox: one that speaks to a broker serves as well, near its user.

use crate::{Counts, Error, Kind, ProcessId, Terms, engine::LetterId};
use bytes::Bytes;
use farcall_core::stub::Remote;
use farcall_macros::remote;
use serde::{Deserialize, Serialize};
use std::time::Duration;

pub use crate::engine::Until;

/// How long a send or a receive waits.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Patience {
    /// Not at all.
    None,
    /// So long, by the clock of the host.
    For(Duration),
    /// As long as it takes.
    Endless,
}

/// Who attaches to a mailbox, and what for.
#[derive(Debug, Serialize, Deserialize)]
pub struct Attached {
    /// The process.
    pub process: ProcessId,
    /// The type of its letters.
    pub kind: Kind,
    /// The parameters that it takes the mailbox to have, if it means to open it.
    pub terms: Option<Terms>,
    /// Ends with the process.
    pub member: Remote<dyn Member>,
}

/// A letter as it is delivered.
#[derive(Debug, Serialize, Deserialize)]
pub struct Delivery {
    /// Who sent it.
    pub sender: ProcessId,
    /// How often it was delivered, this time included.
    pub deliveries: u32,
    /// What it says.
    pub bytes: Bytes,
    /// Gives it back, when it is dropped without an ack.
    pub lease: Remote<dyn Lease>,
}

/// A mailbox.
#[remote(name = "farcall.Post", crate = "farcall_core")]
pub trait Post {
    /// Attaches a process. Fails with `OtherParameters`, `OtherLetters`, `MailboxBusy`, `Closed`.
    async fn attach(&self, who: Attached) -> Result<(Remote<dyn Seat>, Terms), Error>;
}

/// A process's attachment to a mailbox. It ends when its last handle is dropped or the process dies: what it was about to send was
/// never sent then, and what it held is given back.
#[remote(name = "farcall.Seat", crate = "farcall_core")]
pub trait Seat {
    /// Sends a letter, and returns when it is accepted. Fails with `Full`, `NoReceiver`, `TimedOut`, `LimitExceeded`, `Closed`.
    #[remote(timeout = none)]
    async fn send(&self, key: u64, letter: &[u8], patience: Patience) -> Result<LetterId, Error>;

    /// Takes a letter. Fails with `Empty`, `TimedOut`, `Closed`.
    #[remote(timeout = none)]
    async fn recv(&self, patience: Patience) -> Result<Delivery, Error>;

    /// Who has taken, or acked, a letter, once somebody has. Fails with `ReceiverDied`, `GivenUp`, `Closed`,
    /// `Forgotten`.
    #[remote(timeout = none)]
    async fn receipt(&self, letter: LetterId, until: Until) -> Result<ProcessId, Error>;

    /// What the mailbox holds.
    async fn counts(&self) -> Result<Counts, Error>;
}

/// A letter in the hands of a receiver: dropping the last handle without an ack gives it back.
#[remote(name = "farcall.Lease", crate = "farcall_core")]
pub trait Lease {
    /// The receiver is done with the letter.
    #[remote(oneway)]
    async fn ack(&self) -> Result<(), Error>;

    /// The same, and waits until the host has heard it. False: it had been given back before.
    async fn acked(&self) -> Result<bool, Error>;
}

/// A process that is attached, seen from the host: only its end matters.
#[remote(name = "farcall.Member", crate = "farcall_core")]
pub trait Member {}
