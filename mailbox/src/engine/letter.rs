//! Letters as the engine has them: bytes that it does not look at, who sent them, and how often they were delivered.

use super::Hold;
use crate::ProcessId;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::{
    hash::{BuildHasher, Hasher},
    sync::Arc,
    vec,
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
    pub bytes: Bytes,
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
        bytes: Bytes,
        deliveries: u32,
    ) -> Self {
        let sender = Arc::new(sender);
        Self { id, sender, key, bytes, handed_out: deliveries, unread: 0 }
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

/// Letters as they are sent: one after the other in one piece of memory.
#[derive(Clone, Debug)]
pub struct Draft {
    sender: Arc<ProcessId>,
    key: u64,
    /// Of those that are not accepted yet.
    bytes: Bytes,
    lengths: vec::IntoIter<u32>,
}

impl Draft {
    /// One letter.
    #[must_use]
    pub fn one(sender: Arc<ProcessId>, key: u64, bytes: Bytes) -> Self {
        let lengths = vec![u32::try_from(bytes.len()).unwrap_or(u32::MAX)].into_iter();
        Self { sender, key, bytes, lengths }
    }

    /// Letters of these lengths. None, if the lengths are not those of the bytes, or there are none.
    #[must_use]
    pub fn many(sender: Arc<ProcessId>, key: u64, bytes: Bytes, lengths: Vec<u32>) -> Option<Self> {
        let all: u64 = lengths.iter().map(|length| u64::from(*length)).sum();
        let fits = all == bytes.len() as u64 && !lengths.is_empty();
        fits.then(|| Self { sender, key, bytes, lengths: lengths.into_iter() })
    }

    /// Bytes of those letters that are not accepted yet.
    pub(super) fn rest(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// Whether all are accepted.
    pub(super) fn is_accepted(&self) -> bool {
        self.lengths.as_slice().is_empty()
    }

    /// Accepts the next letter.
    pub(super) fn accept(&mut self, id: LetterId) -> Option<Letter> {
        let length = self.lengths.next()? as usize;
        let bytes = self.bytes.split_to(length.min(self.bytes.len()));
        let (sender, key) = (Arc::clone(&self.sender), self.key);
        Some(Letter { id, sender, key, bytes, handed_out: 0, unread: 0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_those_of_the_bytes() {
        let many = |bytes: &'static [u8], lengths: &[u32]| {
            let sender = Arc::new(ProcessId { name: String::new(), pid: 1, instance: 1 });
            Draft::many(sender, 0, Bytes::from_static(bytes), lengths.to_vec()).is_some()
        };
        assert!(many(b"abc", &[1, 0, 2]));
        assert!(many(b"", &[0]));
        assert!(!many(b"abc", &[1, 1]));
        assert!(!many(b"abc", &[1, 3]));
        assert!(!many(b"abc", &[u32::MAX, u32::MAX, 5]));
        assert!(!many(b"", &[]));
    }
}
