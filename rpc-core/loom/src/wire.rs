//! A wire as the driver sees it: frames that arrive, and a readiness that can be silenced.

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
    rung: Condvar,
    /// Arming looks for what is there already. If not: a mutant.
    arm_looks: bool,
}

struct State {
    frames: VecDeque<Frame>,
    rings: u32,
    task_saw: u32,
    thread_saw: u32,
    armed: bool,
    waker: Option<Sleeper>,
}

impl Wire {
    pub(crate) fn new(frames: &[Frame], arm_looks: bool) -> Self {
        let frames: VecDeque<Frame> = frames.iter().copied().collect();
        let rings = u32::from(!frames.is_empty());
        let state =
            State { frames, rings, task_saw: 0, thread_saw: 0, armed: true, waker: None };
        Self { state: Mutex::new(state), rung: Condvar::new(), arm_looks }
    }

    /// Frames arrive.
    pub(crate) fn arrive(&self, frames: &[Frame]) {
        let mut state = self.state.lock().unwrap();
        state.frames.extend(frames);
        state.rings += 1;
        let waker = if state.armed { state.waker.take() } else { None };
        drop(state);
        self.rung.notify_all();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Moves what has arrived into the reader's own buffer, where no readiness sees it.
    pub(crate) fn read(&self, buffer: &mut VecDeque<Frame>) {
        buffer.append(&mut self.state.lock().unwrap().frames);
    }

    pub(crate) fn arm(&self) {
        let mut state = self.state.lock().unwrap();
        state.armed = true;
        let missed = self.arm_looks && state.task_saw < state.rings;
        let waker = if missed { state.waker.take() } else { None };
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    pub(crate) fn disarm(&self) {
        self.state.lock().unwrap().armed = false;
    }

    /// Whether something has arrived since the last time; if not, `me` is woken by what comes while armed.
    pub(crate) fn poll_readable(&self, me: &Sleeper) -> bool {
        let mut state = self.state.lock().unwrap();
        let rang = state.task_saw < state.rings;
        state.task_saw = state.rings;
        state.waker = Some(me.clone());
        rang
    }

    /// Blocks until something arrives, armed or not.
    pub(crate) fn wait(&self) {
        let mut state = self.state.lock().unwrap();
        while state.thread_saw == state.rings {
            state = self.rung.wait(state).unwrap();
        }
        state.thread_saw = state.rings;
    }
}
