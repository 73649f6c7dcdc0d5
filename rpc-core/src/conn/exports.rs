//! The objects I lent: each with the number of times that its descriptor was sent.

use crate::{error::Error, id::ObjectId};
use std::collections::HashMap;

#[derive(Debug)]
struct Entry<S> {
    generation: u16,
    object: Lent<S>,
    refs: u32,
}

#[derive(Debug)]
enum Lent<S> {
    /// The slot is free.
    Nothing,
    /// An object, known by this key.
    Object(usize, S),
    /// It was taken away from its borrowers.
    Broken(Error),
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

impl<S> Exports<S> {
    pub(super) fn new(root: Option<S>) -> Self {
        let object = root.map_or(Lent::Nothing, |root| Lent::Object(0, root));
        let root = Entry { generation: 0, object, refs: 1 };
        Self { entries: vec![root], free: Vec::new(), by_key: HashMap::new() }
    }

    /// How many objects are lent, broken ones included, the root not.
    pub(super) fn len(&self) -> usize {
        self.entries.len().saturating_sub(self.free.len()).saturating_sub(1)
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
            self.entries.push(Entry { generation: 0, object: Lent::Nothing, refs: 0 });
            (self.entries.len() as u32).saturating_sub(1)
        });
        self.by_key.insert(key, slot);
        match self.entries.get_mut(slot as usize) {
            Some(entry) => {
                entry.object = Lent::Object(key, object);
                entry.refs = 1;
                ObjectId { slot, generation: entry.generation }
            }
            None => ObjectId::ROOT,
        }
    }

    /// Whether the object known by `key` is lent.
    pub(super) fn has(&self, key: usize) -> bool {
        self.by_key.contains_key(&key)
    }

    /// The object lent as `id`; an error if it is broken.
    pub(super) fn get(&self, id: ObjectId) -> Option<Result<&S, &Error>> {
        let entry = self.entries.get(id.slot as usize)?;
        if entry.generation != id.generation {
            return None;
        }
        match &entry.object {
            Lent::Nothing => None,
            Lent::Object(_, object) => Some(Ok(object)),
            Lent::Broken(error) => Some(Err(error)),
        }
    }

    /// Takes the object known by `key` away from its borrowers, who give their references back all the same.
    pub(super) fn break_object(&mut self, key: usize, error: Error) -> Option<(ObjectId, S)> {
        let slot = self.by_key.remove(&key)?;
        let entry = self.entries.get_mut(slot as usize)?;
        match std::mem::replace(&mut entry.object, Lent::Broken(error)) {
            Lent::Object(_, object) => {
                Some((ObjectId { slot, generation: entry.generation }, object))
            }
            _ => None,
        }
    }

    /// Takes back `count` references; the object, when they were the last.
    pub(super) fn release(&mut self, id: ObjectId, count: u32) -> Result<Option<S>, NotLent> {
        if id.slot == 0 {
            return Err(NotLent);
        }
        let entry = self.entries.get_mut(id.slot as usize).ok_or(NotLent)?;
        if entry.generation != id.generation || matches!(entry.object, Lent::Nothing) {
            return Err(NotLent);
        }
        entry.refs = entry.refs.checked_sub(count).ok_or(NotLent)?;
        if entry.refs > 0 {
            return Ok(None);
        }
        entry.generation = entry.generation.wrapping_add(1);
        self.free.push(id.slot);
        match std::mem::replace(&mut entry.object, Lent::Nothing) {
            Lent::Object(key, object) => {
                self.by_key.remove(&key);
                Ok(Some(object))
            }
            _ => Ok(None),
        }
    }

    /// Takes everything back, for dropping outside of the lock.
    pub(super) fn take_all(&mut self) -> Vec<S> {
        self.by_key.clear();
        self.free.clear();
        let object = |entry: Entry<S>| match entry.object {
            Lent::Object(_, object) => Some(object),
            _ => None,
        };
        self.entries.drain(..).filter_map(object).collect()
    }
}
