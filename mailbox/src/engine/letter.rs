//! A letter as the engine has it: bytes that it does not look at, who sent them, and how often they were delivered.

use crate::ProcessId;
use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// Which letter of a mailbox, in the order in which they were accepted.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct LetterId(pub u64);

/// A letter that was accepted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Letter {
    /// Which one.
    pub id: LetterId,
    /// Who sent it.
    pub sender: ProcessId,
    /// What letters that go to the same receiver have in common.
    pub key: u64,
    /// What it says.
    pub bytes: Bytes,
    /// How often it was delivered.
    pub deliveries: u32,
}

/// A letter as it is sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Draft {
    /// Who sends it.
    pub sender: ProcessId,
    /// What letters that go to the same receiver have in common.
    pub key: u64,
    /// What it says.
    pub bytes: Bytes,
}

impl Draft {
    /// Its bytes.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// Whether it has no bytes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The same, accepted.
    pub(super) fn accepted(self, id: LetterId) -> Letter {
        let Self { sender, key, bytes } = self;
        Letter { id, sender, key, bytes, deliveries: 0 }
    }
}
