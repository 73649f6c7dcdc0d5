//! The objects I borrowed: each with the number of descriptors that I received.

use crate::id::ObjectId;
use std::collections::HashMap;

#[derive(Clone, Copy, Debug)]
struct Entry {
    generation: u16,
    received: u32,
    broken: bool,
}

/// The table, keyed by the exporter's slot.
#[derive(Default, Debug)]
pub(super) struct Imports {
    entries: HashMap<u32, Entry>,
}

/// Why a descriptor is a breach of the protocol: its slot is still in use.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct InUse;

impl Imports {
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether the object is borrowed, and not known to be broken.
    pub(super) fn is_whole(&self, id: ObjectId) -> bool {
        let entry = self.entries.get(&id.slot);
        entry.is_some_and(|entry| entry.generation == id.generation && !entry.broken)
    }

    /// Counts one more descriptor.
    pub(super) fn insert(&mut self, id: ObjectId) -> Result<(), InUse> {
        let new = Entry { generation: id.generation, received: 0, broken: false };
        let entry = self.entries.entry(id.slot).or_insert(new);
        if entry.generation != id.generation {
            return Err(InUse);
        }
        entry.received = entry.received.saturating_add(1);
        Ok(())
    }

    /// The object is dead. Whether that is news.
    pub(super) fn break_object(&mut self, id: ObjectId) -> bool {
        let entry = self.entries.get_mut(&id.slot);
        match entry {
            Some(entry) if entry.generation == id.generation && !entry.broken => {
                entry.broken = true;
                true
            }
            _ => false,
        }
    }

    /// The last local handle is gone: how many descriptors to give back.
    pub(super) fn remove(&mut self, id: ObjectId) -> Option<u32> {
        let entry = self.entries.get(&id.slot).filter(|entry| entry.generation == id.generation)?;
        let received = entry.received;
        self.entries.remove(&id.slot);
        Some(received)
    }

    pub(super) fn clear(&mut self) {
        self.entries.clear();
    }
}
