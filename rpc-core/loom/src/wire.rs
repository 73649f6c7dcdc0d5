//! A wire as the driver sees it, after the socket whose readiness sits behind an epoll of its own: while it is armed, each arrival is an
//! edge; arming passes on what is there already; silence swallows the edges. What the reader has read is seen by no readiness.

use crate::sleeper::Sleeper;
use loom::sync::{Condvar, Mutex};
use std::collections::VecDeque;

/// What arrives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Frame {
    /// The result of this call of ours.
    Return(usize),
    /// A call of the peer's, to be started by the background task.
    Call,
}

pub(crate) struct Wire {
    state: Mutex<State>,
    arrived: Condvar,
    /// Arming looks for what is there already. If not: a mutant.
    arm_looks: bool,
}

struct State {
    frames: VecDeque<Frame>,
    armed: bool,
    edge: bool,
    waker: Option<Sleeper>,
}

impl Wire {
    pub(crate) fn new(there: &[Frame], armed: bool, arm_looks: bool) -> Self {
        let frames: VecDeque<Frame> = there.iter().copied().collect();
        let edge = armed && !frames.is_empty();
        let state = State { frames, armed, edge, waker: None };
        Self { state: Mutex::new(state), arrived: Condvar::new(), arm_looks }
    }

    /// Frames arrive.
    pub(crate) fn arrive(&self, frames: &[Frame]) {
        let mut state = self.state.lock().unwrap();
        state.frames.extend(frames);
        let waker = if state.armed { state.edge() } else { None };
        drop(state);
        self.arrived.notify_all();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Moves what has arrived into the reader's own buffer.
    pub(crate) fn read(&self, buffer: &mut VecDeque<Frame>) {
        buffer.append(&mut self.state.lock().unwrap().frames);
    }

    pub(crate) fn arm(&self) {
        let mut state = self.state.lock().unwrap();
        let was_armed = std::mem::replace(&mut state.armed, true);
        let passes_on = !was_armed && self.arm_looks && !state.frames.is_empty();
        let waker = if passes_on { state.edge() } else { None };
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    pub(crate) fn disarm(&self) {
        self.state.lock().unwrap().armed = false;
    }

    /// Whether there was an edge since the last time; if not, the next wakes `me`.
    pub(crate) fn poll_readable(&self, me: &Sleeper) -> bool {
        let mut state = self.state.lock().unwrap();
        state.waker = Some(me.clone());
        std::mem::take(&mut state.edge)
    }

    /// Blocks until there is something to read, armed or not.
    pub(crate) fn wait(&self) {
        let mut state = self.state.lock().unwrap();
        while state.frames.is_empty() {
            state = self.arrived.wait(state).unwrap();
        }
    }
}

impl State {
    fn edge(&mut self) -> Option<Sleeper> {
        self.edge = true;
        self.waker.take()
    }
}
