//! The parameters of a mailbox: part of it, compared when it is opened again.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Bytes of letters that a mailbox holds unless told otherwise: 1 GiB.
pub const CEILING: u64 = 1 << 30;

/// How many letters a mailbox holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Capacity {
    /// None: a send completes when a receiver has taken the letter (rendezvous).
    Zero,
    /// So many, those taken and not acked included. A send waits in the order of sending while they are there.
    Bounded(u64),
    /// Any number, up to the ceiling in bytes: a send never waits.
    Unbounded,
}

/// Who gets a letter.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Policy {
    /// At most two processes have the mailbox. Its host is one of them once it has sent or received, and not before.
    Pair,
    /// One process executes a receive at a time; the others wait in the order of asking.
    FirstReceiver,
    /// The mailbox selects the receivers in turn, whether or not they are asking just now.
    RoundRobin,
    /// Of the receivers that are asking, the one that holds the fewest letters.
    LeastLoaded,
    /// Letters with the same key go to the same receiver, as long as it lives; with a capacity of zero, to the same of those that are asking.
    Sticky(Key),
}

/// What letters have in common that go to the same receiver.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Key {
    /// Their sender.
    Sender,
    /// What was given to [`Access::keyed`](crate::Access::keyed).
    Letter,
}

/// What becomes of a letter whose receiver dies, or drops it, without an ack.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum OnCrash {
    /// It is delivered again, `max` times in all; then it goes to the dead letters.
    Redeliver {
        /// Deliveries in all, at least one.
        max: u32,
    },
    /// It is dropped, and counted.
    Drop,
    /// The sender's receipt says [`ReceiverDied`](crate::Error::ReceiverDied).
    Return,
    /// The mailbox closes: letters that nobody holds are dropped with it, and counted.
    Close,
}

/// The parameters of a mailbox.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Terms {
    /// How many letters it holds.
    pub capacity: Capacity,
    /// Bytes of letters that it holds, those of waiting sends included.
    pub ceiling: u64,
    /// Who gets a letter.
    pub policy: Policy,
    /// What becomes of a letter that is not acked.
    pub on_crash: OnCrash,
}

impl Terms {
    /// The parameters that follow from a capacity: the first receiver gets a letter, which is returned if the capacity is zero, and
    /// otherwise delivered up to 5 times.
    #[must_use]
    pub fn of(capacity: Capacity) -> Self {
        let on_crash = match capacity {
            Capacity::Zero => OnCrash::Return,
            _ => OnCrash::Redeliver { max: 5 },
        };
        Self { capacity, ceiling: CEILING, policy: Policy::FirstReceiver, on_crash }
    }
}

impl fmt::Display for Terms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { capacity, ceiling, policy, on_crash } = self;
        write!(f, "{capacity:?}, {policy:?}, {on_crash:?}, at most {ceiling} B")
    }
}

/// What a mailbox holds, and what has become of its letters since it was opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Counts {
    /// Letters that wait to be taken.
    pub ready: u64,
    /// Letters that are taken and not acked.
    pub held: u64,
    /// Sends that wait for room, or for a receiver.
    pub waiting: u64,
    /// Receives that wait for a letter.
    pub asking: u64,
    /// Bytes of the letters that are ready, held or waiting to be accepted.
    pub bytes: u64,
    /// Letters that were accepted.
    pub accepted: u64,
    /// Deliveries, those that were repeated included.
    pub deliveries: u64,
    /// Letters that were acked.
    pub acked: u64,
    /// Letters that went to the dead letters.
    pub dead: u64,
    /// Letters that were dropped.
    pub dropped: u64,
    /// Letters that were returned to their senders.
    pub returned: u64,
}
