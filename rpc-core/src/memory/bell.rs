//! A readiness without a descriptor: whoever has news rings, a task or a thread sleeps until then.

use crate::memory::lock;
use crate::transport::{Interest, Ready};
use std::{
    fmt,
    sync::{Arc, Condvar, Mutex},
    task::{Context, Poll, Wake, Waker},
    time::Duration,
};

/// Two signals, one per direction, each for one task and for threads.
pub struct Bell {
    state: Mutex<State>,
    rung: Condvar,
}

struct State {
    readable: Signal,
    writable: Signal,
    armed: bool,
    /// Threads in `wait`; while there are none, ringing makes no system call.
    threads: usize,
}

/// One direction's rings: how many there were, and how many of those a task and a thread have answered.
struct Signal {
    rings: u64,
    task_saw: u64,
    thread_saw: u64,
    waker: Option<Waker>,
}

impl Bell {
    /// A bell that has rung once in both directions: nothing was tried yet.
    pub fn new() -> Arc<Self> {
        let signal = || Signal { rings: 1, task_saw: 0, thread_saw: 0, waker: None };
        let state = State { readable: signal(), writable: signal(), armed: true, threads: 0 };
        Arc::new(Self { state: Mutex::new(state), rung: Condvar::new() })
    }

    /// There may be something to receive.
    pub fn ring_readable(&self) {
        let mut state = lock(&self.state);
        state.readable.rings += 1;
        let waker = if state.armed { state.readable.waker.take() } else { None };
        self.wake(state.threads, waker, state);
    }

    /// There may be room to send.
    pub fn ring_writable(&self) {
        let mut state = lock(&self.state);
        state.writable.rings += 1;
        let waker = state.writable.waker.take();
        self.wake(state.threads, waker, state);
    }

    /// Answers the rings of one direction, or leaves the waker there. Wakers are cloned and dropped outside of the lock.
    fn poll(
        &self,
        take: fn(&mut State) -> bool,
        signal: fn(&mut State) -> &mut Signal,
        cx: &Context<'_>,
    ) -> Poll<()> {
        let mut state = lock(&self.state);
        if take(&mut state) {
            return Poll::Ready(());
        }
        if signal(&mut state).would_wake(cx) {
            return Poll::Pending;
        }
        drop(state);
        let waker = cx.waker().clone();
        let mut state = lock(&self.state);
        let earlier = signal(&mut state).waker.replace(waker);
        let rang = take(&mut state);
        drop(state);
        drop(earlier);
        if rang { Poll::Ready(()) } else { Poll::Pending }
    }

    /// Wakes whoever sleeps, outside of the lock.
    fn wake<T>(&self, threads: usize, waker: Option<Waker>, state: T) {
        drop(state);
        if threads > 0 {
            self.rung.notify_all();
        }
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl fmt::Debug for Bell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Bell")
    }
}

impl Signal {
    fn take_for_task(&mut self) -> bool {
        let rang = self.task_saw < self.rings;
        self.task_saw = self.rings;
        rang
    }

    fn take_for_thread(&mut self) -> bool {
        let rang = self.thread_saw < self.rings;
        self.thread_saw = self.rings;
        rang
    }

    fn would_wake(&self, cx: &Context<'_>) -> bool {
        self.waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker()))
    }
}

impl State {
    fn has_news(&mut self, interest: Interest) -> bool {
        let readable = self.readable.take_for_thread();
        readable | (interest == Interest::ReadWrite && self.writable.take_for_thread())
    }
}

impl Ready for Bell {
    fn arm(&self) {
        let mut state = lock(&self.state);
        state.armed = true;
        let missed = state.readable.task_saw < state.readable.rings;
        let waker = if missed { state.readable.waker.take() } else { None };
        self.wake(0, waker, state);
    }

    fn disarm(&self) {
        lock(&self.state).armed = false;
    }

    fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<()> {
        let take = |state: &mut State| state.armed && state.readable.take_for_task();
        self.poll(take, |state| &mut state.readable, cx)
    }

    fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.poll(|state| state.writable.take_for_task(), |state| &mut state.writable, cx)
    }

    fn wait(&self, interest: Interest, timeout: Option<Duration>) {
        let mut state = lock(&self.state);
        if state.has_news(interest) {
            return;
        }
        state.threads += 1;
        // Woken for whatever reason, the caller looks for itself.
        let mut state = match timeout {
            Some(timeout) => match self.rung.wait_timeout(state, timeout) {
                Ok((state, _)) => state,
                Err(poisoned) => poisoned.into_inner().0,
            },
            None => match self.rung.wait(state) {
                Ok(state) => state,
                Err(poisoned) => poisoned.into_inner(),
            },
        };
        state.threads -= 1;
        state.has_news(interest);
    }
}

/// The bell as the waker of a reader.
#[derive(Debug)]
pub struct Readable(pub Arc<Bell>);

impl Wake for Readable {
    fn wake(self: Arc<Self>) {
        self.0.ring_readable();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.ring_readable();
    }
}

/// The bell as the waker of a writer.
#[derive(Debug)]
pub struct Writable(pub Arc<Bell>);

impl Wake for Writable {
    fn wake(self: Arc<Self>) {
        self.0.ring_writable();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.ring_writable();
    }
}
