//! The objects I borrowed: each with the number of descriptors that I received.

use crate::id::ObjectId;
use std::collections::HashMap;

/// The table, keyed by the exporter's slot.
#[derive(Default, Debug)]
pub(super) struct Imports {
    received: HashMap<u32, (u16, u32)>,
}

impl Imports {
    pub(super) fn len(&self) -> usize {
        self.received.len()
    }

    /// Counts one more descriptor.
    pub(super) fn insert(&mut self, id: ObjectId) {
        let entry = self.received.entry(id.slot).or_insert((id.generation, 0));
        if entry.0 != id.generation {
            *entry = (id.generation, 0);
        }
        entry.1 = entry.1.saturating_add(1);
    }

    /// The last local handle is gone: how many descriptors to give back.
    pub(super) fn remove(&mut self, id: ObjectId) -> Option<u32> {
        let (generation, count) = self.received.get(&id.slot).copied()?;
        if generation != id.generation {
            return None;
        }
        self.received.remove(&id.slot);
        Some(count)
    }

    pub(super) fn clear(&mut self) {
        self.received.clear();
    }
}
