//! The calls I owe: numbered by the peer, busy until I have answered; those whose answer is kept, until the peer finishes them.
//!
//! ```text
//!            Call             reply             reply that is kept           Finish
//!           ------> Running --------> free   or ------------------> Kept ----------> free
//!                      |  Finish
//!                      +--------> cancelled: the answer is not kept
//! ```

use crate::{error::Error, id::CallId};

/// Slots that a peer may use. It needs no more than the calls in flight, which are bounded much lower, and the answers it has kept.
const SLOTS: u32 = 1 << 16;

/// What calls on an answer go to, if it is kept at all: few are, so this is small.
pub type Kept<S> = Option<Box<Result<S, Error>>>;

#[derive(Clone, Debug)]
struct Entry<S> {
    generation: u16,
    cancelled: bool,
    /// The answer, which calls may be made on. None: the call runs.
    kept: Kept<S>,
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

/// What a call has returned.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Answered<S> {
    /// It runs.
    NotYet,
    Object(S),
    Failed(Error),
    /// There is no such call, or it returns no object.
    Unknown,
}

/// The table, indexed by the caller's slot.
#[derive(Debug)]
pub(super) struct Serving<S> {
    entries: Vec<Option<Entry<S>>>,
    count: usize,
    cancelled: usize,
}

impl<S> Default for Serving<S> {
    fn default() -> Self {
        Self { entries: Vec::new(), count: 0, cancelled: 0 }
    }
}

impl<S: Clone> Serving<S> {
    pub(super) fn len(&self) -> usize {
        self.count
    }

    pub(super) fn cancelled(&self) -> usize {
        self.cancelled
    }

    /// Whether the call runs.
    pub(super) fn contains(&self, call: CallId) -> bool {
        self.get(call).is_some_and(|entry| entry.kept.is_none())
    }

    pub(super) fn is_cancelled(&self, call: CallId) -> bool {
        self.get(call).is_some_and(|entry| entry.cancelled)
    }

    /// What the call has returned.
    pub(super) fn answer(&self, call: CallId) -> Answered<S> {
        match self.get(call) {
            None => Answered::Unknown,
            Some(entry) => match entry.kept.as_deref() {
                None => Answered::NotYet,
                Some(Ok(object)) => Answered::Object(object.clone()),
                Some(Err(error)) => Answered::Failed(error.clone()),
            },
        }
    }

    pub(super) fn insert(&mut self, call: CallId, limit: usize) -> Accepted {
        if call.slot >= SLOTS {
            return Accepted::Busy;
        }
        let slot = call.slot as usize;
        if slot >= self.entries.len() {
            self.entries.resize_with(slot.saturating_add(1), || None);
        }
        let Some(entry) = self.entries.get_mut(slot) else { return Accepted::Busy };
        if entry.is_some() {
            return Accepted::Busy;
        }
        if self.count >= limit {
            return Accepted::Overloaded;
        }
        *entry = Some(Entry { generation: call.generation, cancelled: false, kept: None });
        self.count = self.count.saturating_add(1);
        Accepted::Yes
    }

    /// Answers a call at once, with an error that calls on the answer get too. False if its number is in use.
    pub(super) fn refuse(&mut self, call: CallId, error: Error) -> bool {
        if self.insert(call, usize::MAX) != Accepted::Yes {
            return false;
        }
        self.reply(call, Some(Box::new(Err(error)))) == Some(true)
    }

    /// The caller needs nothing more of a call that runs. Whether that is news.
    pub(super) fn cancel(&mut self, call: CallId) -> bool {
        match self.entry(call) {
            Some(entry) if entry.kept.is_none() && !entry.cancelled => {
                entry.cancelled = true;
                self.cancelled = self.cancelled.saturating_add(1);
                true
            }
            _ => false,
        }
    }

    /// The call is answered. `None` if it was not open; else whether the answer is kept: what is to be kept of a call that its caller
    /// still needs.
    pub(super) fn reply(&mut self, call: CallId, kept: Kept<S>) -> Option<bool> {
        let entry = self.entry(call).filter(|entry| entry.kept.is_none())?;
        let cancelled = entry.cancelled;
        let keeps = kept.is_some() && !cancelled;
        if keeps {
            entry.kept = kept;
        } else if let Some(entry) = self.entries.get_mut(call.slot as usize) {
            *entry = None;
        }
        self.count = self.count.saturating_sub(1);
        self.cancelled = self.cancelled.saturating_sub(usize::from(cancelled));
        Some(keeps)
    }

    /// The caller needs the answer no more, which is given out to be dropped.
    pub(super) fn finish(&mut self, call: CallId) -> Kept<S> {
        self.get(call)?.kept.as_ref()?;
        self.entries.get_mut(call.slot as usize)?.take()?.kept
    }

    /// Forgets all of them; the objects among their answers are given out to be dropped.
    pub(super) fn take_all(&mut self) -> Vec<S> {
        let entries = std::mem::take(self).entries;
        entries.into_iter().flatten().filter_map(|entry| entry.kept?.ok()).collect()
    }

    fn get(&self, call: CallId) -> Option<&Entry<S>> {
        let entry = self.entries.get(call.slot as usize)?.as_ref();
        entry.filter(|entry| entry.generation == call.generation)
    }

    fn entry(&mut self, call: CallId) -> Option<&mut Entry<S>> {
        let entry = self.entries.get_mut(call.slot as usize)?.as_mut();
        entry.filter(|entry| entry.generation == call.generation)
    }
}
