//! The objects I lent: each with the number of times that its descriptor was sent.

use crate::id::ObjectId;
use std::collections::HashMap;

#[derive(Debug)]
struct Entry<S> {
    generation: u16,
    object: Option<(usize, S)>,
    refs: u32,
}

/// The table, indexed by slot; slot 0 is the root object and stays.
#[derive(Debug)]
pub(super) struct Exports<S> {
    entries: Vec<Entry<S>>,
    free: Vec<u32>,
    by_key: HashMap<usize, u32>,
}

/// Why a release is a breach of the protocol.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct NotLent;

impl<S: Clone> Exports<S> {
    pub(super) fn new(root: Option<S>) -> Self {
        let root = Entry { generation: 0, object: root.map(|root| (0, root)), refs: 1 };
        Self { entries: vec![root], free: Vec::new(), by_key: HashMap::new() }
    }

    /// How many objects are lent, the root not counted.
    pub(super) fn len(&self) -> usize {
        self.by_key.len()
    }

    /// Whether the object known by `key` is lent.
    pub(super) fn contains(&self, key: usize) -> bool {
        self.by_key.contains_key(&key)
    }

    /// Counts one more descriptor of the object known by `key`.
    pub(super) fn lend(&mut self, key: usize, object: S) -> ObjectId {
        if let Some(&slot) = self.by_key.get(&key)
            && let Some(entry) = self.entries.get_mut(slot as usize)
        {
            entry.refs = entry.refs.saturating_add(1);
            return ObjectId { slot, generation: entry.generation };
        }
        let slot = self.free.pop().unwrap_or_else(|| {
            self.entries.push(Entry { generation: 0, object: None, refs: 0 });
            (self.entries.len() as u32).saturating_sub(1)
        });
        self.by_key.insert(key, slot);
        match self.entries.get_mut(slot as usize) {
            Some(entry) => {
                entry.object = Some((key, object));
                entry.refs = 1;
                ObjectId { slot, generation: entry.generation }
            }
            None => ObjectId::ROOT,
        }
    }

    pub(super) fn get(&self, id: ObjectId) -> Option<&S> {
        let entry = self.entries.get(id.slot as usize)?;
        let (_, object) = entry.object.as_ref()?;
        (entry.generation == id.generation).then_some(object)
    }

    /// Takes back `count` references; the object, when they were the last.
    pub(super) fn release(&mut self, id: ObjectId, count: u32) -> Result<Option<S>, NotLent> {
        if id.slot == 0 {
            return Err(NotLent);
        }
        let entry = self.entries.get_mut(id.slot as usize).ok_or(NotLent)?;
        if entry.generation != id.generation || entry.object.is_none() {
            return Err(NotLent);
        }
        entry.refs = entry.refs.checked_sub(count).ok_or(NotLent)?;
        if entry.refs > 0 {
            return Ok(None);
        }
        entry.generation = entry.generation.wrapping_add(1);
        let Some((key, object)) = entry.object.take() else { return Err(NotLent) };
        self.by_key.remove(&key);
        self.free.push(id.slot);
        Ok(Some(object))
    }

    /// Takes everything back, for dropping outside of the lock.
    pub(super) fn take_all(&mut self) -> Vec<S> {
        self.by_key.clear();
        self.free.clear();
        self.entries.drain(..).filter_map(|entry| entry.object).map(|(_, object)| object).collect()
    }
}
