//! Who uses a mailbox: a process, told from all others by a number that it draws when it starts.

use serde::{Deserialize, Serialize};
use std::{
    fmt,
    hash::{BuildHasher, RandomState},
    sync::{LazyLock, PoisonError, RwLock},
};

/// Bytes that the name of a process may have.
pub const NAME_BYTES: usize = 64;

static NAME: RwLock<String> = RwLock::new(String::new());

/// A process that uses mailboxes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct ProcessId {
    /// The name that it has claimed, or nothing.
    pub name: String,
    /// Its number at its operating system.
    pub pid: u32,
    /// What tells it from a process that had the same number before it, or has it on another machine.
    pub instance: u64,
}

impl ProcessId {
    /// This process.
    #[must_use]
    pub fn own() -> Self {
        static INSTANCE: LazyLock<u64> =
            LazyLock::new(|| RandomState::new().hash_one(std::process::id()));
        let name = NAME.read().unwrap_or_else(PoisonError::into_inner).clone();
        Self { name, pid: std::process::id(), instance: *INSTANCE }
    }

    /// Names this process to those that it sends letters to from now on. At most [`NAME_BYTES`]; what is beyond is cut off.
    pub fn set_own_name(name: &str) {
        let ends = (0..=NAME_BYTES.min(name.len())).rev();
        let end = ends.into_iter().find(|end| name.is_char_boundary(*end)).unwrap_or_default();
        let name = name[..end].to_owned();
        *NAME.write().unwrap_or_else(PoisonError::into_inner) = name;
    }

    /// Whether both are the same process, whatever it was called.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        (self.pid, self.instance) == (other.pid, other.instance)
    }
}

impl fmt::Display for ProcessId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.name {
            "" => write!(f, "process {}", self.pid),
            name => write!(f, "`{name}` (process {})", self.pid),
        }
    }
}
