//! A call that was made while a call of this process is served, and came back here: a callback.
//!
//! The task that waits for its own call starts it, out of queue, if it runs where servants run: nobody has to be woken, and a servant that
//! it calls could not be waited for by anybody but this task. A thread that merely waits does not: it may hold a lock that the servant needs.

use super::{
    Link,
    line::Line,
    start::{Handler, Job, Next, launch},
    state::{Incoming, State},
};
use crate::{conn::IncomingCall, host, id::CallId, skeleton::Local};
use std::{cell::Cell, sync::Arc, time::Instant};
use tokio::runtime::Handle;

/// Servants that one thread starts one inside the other.
const DEEPEST: u8 = 8;

thread_local! {
    static DEPTH: Cell<u8> = const { Cell::new(0) };
    /// The memory of the last handler, for the next.
    static SPARE: Cell<Option<Handler>> = const { Cell::new(None) };
}

impl State {
    /// Whether a call that has just come was made while `own`, which waits, is served, and no other has to be started before it. One-way
    /// calls are not meant: nobody waits for them.
    pub(super) fn is_nested(&mut self, call: &IncomingCall<Local>, own: Option<CallId>) -> bool {
        let (Some(own), Some(chain)) = (own, call.chain) else { return false };
        call.call.is_some()
            && !self.batch
            && self.lanes == 0
            && host::is_within(chain, self.waiter(own).chain)
    }

    /// A call that was to be started waits for the background task, before those that have arrived. Given out again, to be dropped outside
    /// of the lock, if its wire is gone.
    fn give_back(&mut self, next: Next) -> Option<Incoming> {
        let (epoch, incoming) = next.into_parts();
        if epoch != self.epoch || self.line.is_none() {
            return Some(incoming);
        }
        self.arrived_bytes += incoming.body.len();
        self.arrived.push_front(incoming);
        None
    }
}

impl Link {
    /// Whether this thread runs where servants run, at the moment.
    pub(super) fn is_here(&self) -> bool {
        Handle::try_current().is_ok_and(|here| here.id() == self.runtime.id())
    }

    /// Starts a callback that has come at `now` while the task of this thread waits. If it `cannot`, it tells the background task. `alone`:
    /// nothing else has come.
    pub(super) fn start_nested(
        self: &Arc<Self>,
        line: &Arc<Line>,
        mut next: Next,
        (alone, cannot): (bool, bool),
        now: Instant,
    ) {
        let depth = DEPTH.get();
        if !alone {
            self.lock().look_again(&mut next);
        }
        if cannot || depth == DEEPEST || next.cancelled {
            let mut state = self.lock();
            let stale = state.give_back(next);
            let waker = state.notify();
            drop(state);
            drop(stale);
            return super::wake(waker);
        }
        DEPTH.set(depth + 1);
        let job = Job::new(self, line, next);
        let finished = launch(self, job, SPARE.take(), now);
        SPARE.set(finished);
        DEPTH.set(depth);
    }
}
