//! Letters as the engine has them: bytes that it does not look at, who sent them, and how often they were delivered.

use super::Hold;
use crate::{
    ProcessId,
    parcel::{Parcel, Unpacked},
    writing::Writing,
};
use serde::{Deserialize, Serialize};
use std::{
    hash::{BuildHasher, Hasher},
    sync::Arc,
};

/// Which letter of a mailbox, in the order in which they were accepted.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct LetterId(pub u64);

/// Spreads the numbers of letters, which nobody chooses, over a table.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Spread(u64);

impl BuildHasher for Spread {
    type Hasher = Self;

    fn build_hasher(&self) -> Self {
        *self
    }
}

impl Hasher for Spread {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write_u64(&mut self, number: u64) {
        // Fibonacci hashing: Knuth, The Art of Computer Programming 3, 6.4.
        self.0 = (self.0 ^ number).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64(u64::from(*byte)));
    }
}

/// A letter that was accepted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Letter {
    /// Which one.
    pub id: LetterId,
    /// Who sent it.
    pub sender: Arc<ProcessId>,
    /// What letters that go to the same receiver have in common.
    pub key: u64,
    /// What it says.
    pub writing: Writing,
    /// How often it was handed out.
    pub handed_out: u32,
    /// How often of that it came back unread.
    pub unread: u32,
}

impl Letter {
    /// A letter that was delivered so often.
    #[must_use]
    pub fn delivered(
        id: LetterId,
        sender: ProcessId,
        key: u64,
        writing: Writing,
        deliveries: u32,
    ) -> Self {
        let sender = Arc::new(sender);
        Self { id, sender, key, writing, handed_out: deliveries, unread: 0 }
    }

    /// Bytes of what it says.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.writing.size() as u64
    }

    /// Its place in the hands of who has it.
    #[must_use]
    pub fn hold(&self) -> Hold {
        Hold { letter: self.id, delivery: self.handed_out }
    }

    /// Counts anew.
    pub(super) fn set_deliveries(&mut self, deliveries: u32) {
        (self.handed_out, self.unread) = (deliveries, 0);
    }

    /// How often it was delivered.
    #[must_use]
    pub fn deliveries(&self) -> u32 {
        self.handed_out - self.unread
    }
}

/// Letters as they are sent, one directly after the other.
#[derive(Clone, Debug)]
pub struct Draft {
    sender: Arc<ProcessId>,
    key: u64,
    /// Those that are not accepted yet.
    rest: Unpacked,
}

impl Draft {
    /// One letter.
    #[must_use]
    pub fn one(sender: Arc<ProcessId>, key: u64, writing: Writing) -> Self {
        Self { sender, key, rest: Unpacked::one(writing) }
    }

    /// The letters of a parcel. None, if it is not whole.
    #[must_use]
    pub fn many(sender: Arc<ProcessId>, key: u64, parcel: Parcel) -> Option<Self> {
        parcel.open().map(|rest| Self { sender, key, rest })
    }

    /// Bytes of those letters that are not accepted yet.
    pub(super) fn rest(&self) -> u64 {
        self.rest.size()
    }

    /// Whether one of those letters encloses a handle on an object.
    #[must_use]
    pub fn encloses_remotes(&self) -> bool {
        self.rest.enclosed().any(|enclosed| !enclosed.remotes().is_empty())
    }

    /// Whether all are accepted.
    pub(super) fn is_accepted(&self) -> bool {
        self.rest.is_empty()
    }

    /// Accepts the next letter.
    pub(super) fn accept(&mut self, id: LetterId) -> Option<Letter> {
        let writing = self.rest.next()?;
        let (sender, key) = (Arc::clone(&self.sender), self.key);
        Some(Letter { id, sender, key, writing, handed_out: 0, unread: 0 })
    }
}
