//! What a mailbox tells those who only look at it: its parameters, what it holds, and its letters as they lie there.

use crate::{Counts, Kind, ProcessId, Terms, engine::LetterId};
use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// A mailbox, seen from outside.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct About {
    /// The type of its letters. None: the first process that attaches says it.
    pub kind: Option<Kind>,
    /// Its parameters.
    pub terms: Terms,
    /// What it holds, and what has become of its letters.
    pub counts: Counts,
    /// Whether its letters outlive its host.
    pub durable: bool,
}

/// A letter in a mailbox, seen from outside.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Peeked {
    /// Which one.
    pub id: LetterId,
    /// Who sent it.
    pub sender: ProcessId,
    /// How often it was delivered.
    pub deliveries: u32,
    /// Who has taken it and not acked it yet. None: it waits to be taken.
    pub holder: Option<ProcessId>,
    /// What it says.
    pub bytes: Bytes,
    /// How many payloads it encloses.
    pub payloads: u32,
    /// How many handles on objects it encloses.
    pub remotes: u32,
}
