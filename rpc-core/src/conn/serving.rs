//! The calls I owe: numbered by the peer, busy until I have answered.

use crate::id::CallId;

/// Slots that a peer may use. It needs no more than the calls in flight, which are bounded much lower.
const SLOTS: u32 = 1 << 16;

#[derive(Clone, Copy, Debug)]
struct Entry {
    generation: u16,
    cancelled: bool,
}

/// What became of a new call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Accepted {
    Yes,
    /// Too many are being served.
    Overloaded,
    /// The number is in use: the peer broke the protocol.
    Busy,
}

/// The table, indexed by the caller's slot.
#[derive(Default, Debug)]
pub(super) struct Serving {
    entries: Vec<Option<Entry>>,
    count: usize,
    cancelled: usize,
}

impl Serving {
    pub(super) fn len(&self) -> usize {
        self.count
    }

    pub(super) fn cancelled(&self) -> usize {
        self.cancelled
    }

    pub(super) fn contains(&self, call: CallId) -> bool {
        let entry = self.entries.get(call.slot as usize).copied().flatten();
        entry.is_some_and(|entry| entry.generation == call.generation)
    }

    pub(super) fn is_cancelled(&self, call: CallId) -> bool {
        let entry = self.entries.get(call.slot as usize).copied().flatten();
        entry.is_some_and(|entry| entry.generation == call.generation && entry.cancelled)
    }

    pub(super) fn insert(&mut self, call: CallId, limit: usize) -> Accepted {
        if call.slot >= SLOTS {
            return Accepted::Busy;
        }
        let slot = call.slot as usize;
        if slot >= self.entries.len() {
            self.entries.resize(slot.saturating_add(1), None);
        }
        let Some(entry) = self.entries.get_mut(slot) else { return Accepted::Busy };
        if entry.is_some() {
            return Accepted::Busy;
        }
        if self.count >= limit {
            return Accepted::Overloaded;
        }
        *entry = Some(Entry { generation: call.generation, cancelled: false });
        self.count = self.count.saturating_add(1);
        Accepted::Yes
    }

    /// The caller needs nothing more of the call. Whether that is news.
    pub(super) fn cancel(&mut self, call: CallId) -> bool {
        let entry = self.entries.get_mut(call.slot as usize).and_then(Option::as_mut);
        match entry {
            Some(entry) if entry.generation == call.generation && !entry.cancelled => {
                entry.cancelled = true;
                self.cancelled = self.cancelled.saturating_add(1);
                true
            }
            _ => false,
        }
    }

    /// The call is answered. Whether it was open.
    pub(super) fn remove(&mut self, call: CallId) -> bool {
        let Some(entry) = self.entries.get_mut(call.slot as usize) else { return false };
        let Some(open) = entry.take_if(|entry| entry.generation == call.generation) else {
            return false;
        };
        self.count = self.count.saturating_sub(1);
        if open.cancelled {
            self.cancelled = self.cancelled.saturating_sub(1);
        }
        true
    }

    /// Forgets all of them.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}
