//! The calls I made.
//!
//! A slot is busy while either side needs it: the waiter, until it has taken its result or gone; the wire, from the sending of the
//! call to its return. Where the peer keeps the answer, it is told when the slot is free, unless it was told before that the call is
//! given up.
//!
//! ```text
//!            reserve             return, expiry, failure          forget
//!  waiter:  ---------> Waiting ---------------------------> Done --------> Gone
//!                         +-------------- forget ------------------------> Gone
//!             send           return
//!  wire:    --------> out ------------> not out
//! ```

use crate::id::CallId;
use std::time::Instant;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Waiter {
    Waiting,
    Done,
    Gone,
}

#[derive(Debug)]
struct Entry {
    generation: u16,
    waiter: Waiter,
    /// Sent, and the return has not come.
    out: bool,
    /// The peer has been told that the call is given up.
    finished: bool,
    /// The return has come, and the peer keeps the answer.
    kept: bool,
    deadline: Option<Instant>,
    /// How many calls were sent before it on this wire.
    sequence: u64,
}

/// Whether calls can be made on what a call of mine returns.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    /// Once it is out: it has not been sent.
    Ahead,
    /// Now: it is out, or the peer keeps its answer.
    There,
    /// No more: it failed, was given up, or its wire is gone.
    Gone,
}

/// What the peer must be told of a call that nobody needs any more.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Forgotten {
    Quietly,
    /// It works on it for nobody.
    GivenUp,
    /// It keeps the answer for nobody.
    Finished,
}

/// The table, indexed by slot.
#[derive(Default, Debug)]
pub(super) struct Calls {
    entries: Vec<Entry>,
    free: Vec<u32>,
    in_flight: usize,
    /// Call frames sent on this wire, one-way ones included.
    sent: u64,
    /// No deadline of a waiting call is earlier. It may be too early, never too late.
    earliest: Option<Instant>,
}

impl Calls {
    /// Calls whose return has not come.
    pub(super) fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// Calls whose return has not come and that were sent before this place in the order of sending.
    pub(super) fn out_before(&self, sequence: u64) -> usize {
        self.entries.iter().filter(|entry| entry.out && entry.sequence < sequence).count()
    }

    pub(super) fn earliest(&self) -> Option<Instant> {
        self.earliest
    }

    pub(super) fn is_empty(&self) -> bool {
        self.free.len() == self.entries.len()
    }

    /// Whether calls can be made on what this one returns.
    pub(super) fn standing(&self, call: CallId) -> Standing {
        let entry = self.entries.get(call.slot as usize);
        match entry.filter(|entry| entry.generation == call.generation && !entry.finished) {
            Some(entry) if entry.out || entry.kept => Standing::There,
            Some(entry) if entry.waiter == Waiter::Waiting => Standing::Ahead,
            _ => Standing::Gone,
        }
    }

    pub(super) fn reserve(&mut self, deadline: Option<Instant>) -> CallId {
        self.note_earliest(deadline);
        let slot = self.free.pop().unwrap_or_else(|| {
            self.entries.push(Entry {
                generation: 0,
                waiter: Waiter::Gone,
                out: false,
                finished: false,
                kept: false,
                deadline: None,
                sequence: 0,
            });
            (self.entries.len() as u32).saturating_sub(1)
        });
        let mut generation = 0;
        if let Some(entry) = self.entries.get_mut(slot as usize) {
            entry.waiter = Waiter::Waiting;
            entry.finished = false;
            entry.kept = false;
            entry.deadline = deadline;
            generation = entry.generation;
        }
        CallId { slot, generation }
    }

    /// Sets the deadline of a call whose slot was taken without.
    pub(super) fn expire_at(&mut self, call: CallId, deadline: Option<Instant>) {
        self.note_earliest(deadline);
        if let Some(entry) = self.entry(call) {
            entry.deadline = deadline;
        }
    }

    fn note_earliest(&mut self, deadline: Option<Instant>) {
        if let Some(at) = deadline {
            self.earliest = Some(self.earliest.map_or(at, |earliest| earliest.min(at)));
        }
    }

    /// Notes that a call's frame is on its way. `None`: a one-way call.
    pub(super) fn send(&mut self, call: Option<CallId>) {
        let sequence = self.sent;
        self.sent = self.sent.saturating_add(1);
        if let Some(entry) = call.and_then(|call| self.entry(call)) {
            entry.out = true;
            entry.sequence = sequence;
            self.in_flight = self.in_flight.saturating_add(1);
        }
    }

    /// Whether somebody waits for the return of a call; nothing, if it is not out.
    pub(super) fn awaits(&self, call: CallId) -> Option<bool> {
        let entry = self.entries.get(call.slot as usize)?;
        let out = entry.generation == call.generation && entry.out;
        out.then_some(entry.waiter == Waiter::Waiting)
    }

    /// The return of a call that is out has come. Whether the peer keeps the answer for nobody.
    pub(super) fn handle_return(&mut self, call: CallId, kept: bool) -> bool {
        let Some(entry) = self.entry(call) else { return false };
        entry.out = false;
        entry.kept = kept && !entry.finished;
        let (waiter, kept) = (entry.waiter, entry.kept);
        match waiter {
            Waiter::Waiting => entry.waiter = Waiter::Done,
            Waiter::Done => {}
            Waiter::Gone => self.free(call),
        }
        self.in_flight = self.in_flight.saturating_sub(1);
        kept && waiter == Waiter::Gone
    }

    /// The waiter has its result by other means than a return. Whether it was waiting.
    pub(super) fn resolve(&mut self, call: CallId) -> bool {
        let Some(entry) = self.entry(call) else { return false };
        let waited = entry.waiter == Waiter::Waiting;
        if waited {
            entry.waiter = Waiter::Done;
        }
        waited
    }

    /// The waiter has taken its result, or has gone without. Whether the peer must be told.
    pub(super) fn forget(&mut self, call: CallId) -> Forgotten {
        let Some(entry) = self.entry(call) else { return Forgotten::Quietly };
        let waited = entry.waiter == Waiter::Waiting;
        entry.waiter = Waiter::Gone;
        let (out, kept) = (entry.out, entry.kept);
        if out && waited {
            entry.finished = true;
            return Forgotten::GivenUp;
        }
        if !out {
            self.free(call);
        }
        if kept { Forgotten::Finished } else { Forgotten::Quietly }
    }

    /// A waiting call whose deadline has passed, and whether it is out. It is resolved.
    pub(super) fn poll_expired(&mut self, now: Instant) -> Option<(CallId, bool)> {
        if self.earliest.is_none_or(|earliest| earliest > now) {
            return None;
        }
        let mut earliest = None;
        for (slot, entry) in self.entries.iter_mut().enumerate() {
            let Some(deadline) = entry.deadline else { continue };
            if entry.waiter != Waiter::Waiting {
                continue;
            }
            if deadline <= now {
                entry.waiter = Waiter::Done;
                entry.finished |= entry.out;
                let call = CallId { slot: slot as u32, generation: entry.generation };
                return Some((call, entry.out));
            }
            earliest = Some(earliest.map_or(deadline, |at: Instant| at.min(deadline)));
        }
        self.earliest = earliest;
        None
    }

    /// The wire is gone: see [`take_back`](Self::take_back).
    pub(super) fn unsend(&mut self) -> Vec<(CallId, u64)> {
        let waiting = self.take_back(0);
        self.in_flight = 0;
        self.sent = 0;
        self.entries.iter_mut().for_each(|entry| entry.kept = false);
        waiting
    }

    /// Calls sent from this place in the order of sending on are out no more: those of them that are waited for, in that order, each
    /// with its place.
    pub(super) fn take_back(&mut self, from: u64) -> Vec<(CallId, u64)> {
        let mut waiting = Vec::new();
        let mut gone = Vec::new();
        for (slot, entry) in self.entries.iter_mut().enumerate() {
            if !entry.out || entry.sequence < from {
                continue;
            }
            entry.out = false;
            entry.finished = false;
            self.in_flight = self.in_flight.saturating_sub(1);
            let call = CallId { slot: slot as u32, generation: entry.generation };
            match entry.waiter {
                Waiter::Waiting => waiting.push((call, entry.sequence)),
                Waiter::Gone => gone.push(call),
                Waiter::Done => {}
            }
        }
        gone.into_iter().for_each(|call| self.free(call));
        waiting.sort_by_key(|&(_, sequence)| sequence);
        waiting
    }

    fn free(&mut self, call: CallId) {
        if let Some(entry) = self.entries.get_mut(call.slot as usize) {
            entry.generation = entry.generation.wrapping_add(1);
            entry.deadline = None;
            self.free.push(call.slot);
        }
    }

    fn entry(&mut self, call: CallId) -> Option<&mut Entry> {
        let entry = self.entries.get_mut(call.slot as usize)?;
        let busy = entry.out || entry.waiter != Waiter::Gone;
        (entry.generation == call.generation && busy).then_some(entry)
    }
}
