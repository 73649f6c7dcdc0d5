//! A call that was made while a call of this process is served, and came back here: a callback.
//!
//! The task that waits for its own call starts it, out of queue, if it runs where servants run: nobody has to be woken, and a servant that
//! it calls could not be waited for by anybody but this task. A thread that merely waits does not: it may hold a lock that the servant needs.

use super::{
    Link,
    line::Line,
    start::{Job, Next, launch_late},
    state::{Incoming, State},
};
use crate::{conn::IncomingCall, host, id::CallId, skeleton::Local};
use std::{cell::Cell, sync::Arc};
use tokio::runtime::Handle;

/// Servants that one thread starts one inside the other.
const DEEPEST: u8 = 8;

thread_local! {
    static DEPTH: Cell<u8> = const { Cell::new(0) };
}

impl State {
    /// Whether a call that has just come was made while `own`, which waits, is served, and no other has to be started before it. One-way
    /// calls are not meant: nobody waits for them.
    pub(super) fn is_nested(&mut self, call: &IncomingCall<Local>, own: Option<CallId>) -> bool {
        let (Some(own), Some(chain)) = (own, call.chain) else { return false };
        call.call.is_some()
            && !self.batch
            && self.lanes == 0
            && self.arrived.is_empty()
            && host::is_within(chain, self.waiter(own).chain)
    }

    /// Takes out the call that is the next to be started, if it was made while one of `chain` is served.
    fn next_nested(&mut self, line: &Line, chain: u64) -> Option<(u32, Incoming)> {
        let inner = self.arrived.front()?.call.chain?;
        if self.batch || !host::is_within(inner, chain) {
            return None;
        }
        self.next_arrived(line).map(Next::into_parts)
    }
}

impl Link {
    /// Starts a callback that has come while `own` waits. If it cannot, or need not, it tells the background task.
    pub(super) fn start_nested(self: &Arc<Self>, line: &Arc<Line>, own: CallId) {
        let here = Handle::try_current().is_ok_and(|here| here.id() == self.runtime.id());
        let depth = DEPTH.get();
        if !here || depth == DEEPEST {
            return self.notify();
        }
        let mut state = self.lock();
        let chain = state.waiter(own).chain;
        let next = state.next_nested(line, chain);
        drop(state);
        let Some((epoch, incoming)) = next else { return self.notify() };
        DEPTH.set(depth + 1);
        launch_late(Job::new(self, line, epoch, incoming));
        DEPTH.set(depth);
    }
}
