//! What a mailbox is to its users, as interfaces: the seam between an engine and those who send and receive. A servant of [`Post`] need
//! not be a hosted mailbox: one that speaks to a broker serves as well, near its user.

use crate::{
    About, Counts, Error, Kind, Peeked, ProcessId, Terms, engine::LetterId, parcel::Parcel,
    writing::Writing,
};
use farcall_core::{interface::Interface, stub::Remote};
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

/// How long the other side is waited for beyond the time that it keeps itself: what is not answered then is given up with
/// [`NoAnswer`](Error::NoAnswer).
pub const ANSWER: Duration = Duration::from_secs(5);

impl Patience {
    /// A handle for calls that are not waited for without end. The other side keeps the time, but it may hang. None: there is no limit.
    pub(crate) fn limited<I: Interface + ?Sized>(self, remote: &Remote<I>) -> Option<Remote<I>> {
        let time = match self {
            Self::None => Duration::ZERO,
            Self::For(time) => time,
            Self::Endless => return None,
        };
        Some(remote.timeout(time.saturating_add(ANSWER)))
    }

    /// What is left of it when something has taken so long.
    pub(crate) fn after(self, time: Duration) -> Self {
        match self {
            Self::For(patience) => Self::For(patience.saturating_sub(time)),
            patience => patience,
        }
    }
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

/// Letters as they are delivered, one or more.
#[derive(Debug, Serialize, Deserialize)]
pub struct Delivery {
    /// Who sent them, each process once.
    pub senders: Vec<ProcessId>,
    /// Of each letter, in order, what is said beside it.
    pub letters: Vec<Delivered>,
    /// The letters.
    pub parcel: Parcel,
    /// Gives those back that are not acked, when it is dropped.
    pub lease: Remote<dyn Lease>,
}

/// A letter as it is delivered.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Delivered {
    /// Which of the senders has sent it.
    pub sender: u32,
    /// How often it was delivered, this time included.
    pub deliveries: u32,
    /// It was in somebody's hands before, read or not.
    pub again: bool,
}

impl Delivery {
    pub(crate) fn of(
        senders: Vec<ProcessId>,
        letters: Vec<(Delivered, Writing)>,
        lease: Remote<dyn Lease>,
    ) -> Self {
        let (letters, writings) = letters.into_iter().unzip();
        Self { senders, letters, parcel: Parcel::of(writings), lease }
    }

    /// Each letter with what it says, and the lease.
    ///
    /// # Errors
    /// `Uneven`, if the two do not fit together.
    #[allow(clippy::type_complexity, reason = "it is taken apart at once")]
    pub fn open(
        self,
    ) -> Result<(Vec<ProcessId>, Vec<(Delivered, Writing)>, Remote<dyn Lease>), Error> {
        let Self { senders, letters, parcel, lease } = self;
        let is_even = parcel.count() == letters.len() as u64
            && letters.iter().all(|letter| (letter.sender as usize) < senders.len());
        let unpacked = parcel.open().filter(|_| is_even).ok_or(Error::Uneven)?;
        Ok((senders, letters.into_iter().zip(unpacked).collect(), lease))
    }
}

/// A mailbox.
#[remote(name = "farcall.Post", crate = "farcall_core")]
pub trait Post {
    /// Attaches a process. Fails with `OtherParameters`, `OtherLetters`, `MailboxBusy`, `Closed`.
    async fn attach(&self, who: Attached) -> Result<(Remote<dyn Seat>, Terms), Error>;

    /// What it is and holds, for whoever is not attached.
    async fn about(&self) -> Result<About, Error>;

    /// Its letters from an id on, in order, without taking them: as many as asked for, or fewer that have 1 MiB, one at least.
    async fn peek(&self, from: LetterId, most: u32) -> Result<Vec<Peeked>, Error>;
}

/// A process's attachment to a mailbox. It ends when its last handle is dropped or the process dies: what it was about to send was
/// never sent then, and what it held is given back.
#[remote(name = "farcall.Seat", crate = "farcall_core")]
pub trait Seat {
    /// Sends a letter that encloses nothing, and returns when it is accepted. Fails with `Full`, `NoReceiver`, `TimedOut`, `LimitExceeded`, `Closed`.
    #[remote(timeout = none)]
    async fn send(&self, key: u64, letter: &[u8], patience: Patience) -> Result<LetterId, Error>;

    /// Sends letters, one directly after the other, and returns when all are accepted: which one the last is. Fails with
    /// `LimitExceeded` and `NotLasting`, in which case none was accepted, with `Closed`, and as [`send`](Self::send) if it has not the
    /// patience for all.
    #[remote(timeout = none)]
    async fn send_all(
        &self,
        key: u64,
        letters: Parcel,
        patience: Patience,
    ) -> Result<LetterId, Error>;

    /// Takes letters, at most so many, and more than one only where policy and capacity allow it. Fails with `Empty`, `TimedOut`,
    /// `Closed`.
    #[remote(timeout = none)]
    async fn recv(&self, most: u32, patience: Patience) -> Result<Delivery, Error>;

    /// What letters say, at most so many, which are acked as they are taken. Fails with `Closed`.
    #[remote(timeout = none)]
    async fn recv_acked(&self, most: u32) -> Result<Parcel, Error>;

    /// Who has taken, or acked, a letter, once somebody has. Fails with `ReceiverDied`, `GivenUp`, `Closed`,
    /// `Forgotten`.
    #[remote(timeout = none)]
    async fn receipt(&self, letter: LetterId, until: Until) -> Result<ProcessId, Error>;

    /// What the mailbox holds.
    async fn counts(&self) -> Result<Counts, Error>;
}

/// Letters in the hands of a receiver, numbered as they were delivered: dropping the last handle gives those back that are not acked.
#[remote(name = "farcall.Lease", crate = "farcall_core")]
pub trait Lease {
    /// The receiver is done with these letters.
    #[remote(oneway)]
    async fn ack(&self, letters: Vec<u32>) -> Result<(), Error>;

    /// The same, and waits until the host has heard it. How many of them had not been given back before.
    async fn acked(&self, letters: Vec<u32>) -> Result<u32, Error>;

    /// The receiver will not ack these letters. Those that it has not read have not been delivered.
    #[remote(oneway)]
    async fn give_back(&self, letters: Vec<u32>, unread: bool) -> Result<(), Error>;
}

/// A process that is attached, seen from the host: only its end matters.
#[remote(name = "farcall.Member", crate = "farcall_core")]
pub trait Member {}
