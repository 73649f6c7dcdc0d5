//! Waiting for a return: in a task, or on a thread.

use super::{
    Link,
    line::Line,
    receive::Drained,
    spin::{Spin, Spinner},
    waiter::{Reply, Wakes},
};
use crate::{id::CallId, transport::Interest};
use std::{
    hint, mem,
    sync::{Arc, atomic::Ordering},
    task::{Context, Poll},
    thread,
    time::{Duration, Instant},
};
use tokio::runtime::RuntimeFlavor;

/// How long a task spins before it lets the other tasks of its thread run.
const SLICE: Duration = Duration::from_micros(2);

/// A spin that goes over several polls.
pub(crate) struct Spinning {
    begun: Instant,
    /// When the clock was last looked at.
    seen: Instant,
    budget: Duration,
    /// There was no slice yet.
    first: bool,
    line: Arc<Line>,
    _place: Spinner,
}

/// How a slice of a spin ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Slice {
    /// Something came, and no more for now.
    Found,
    /// More came than one go takes.
    More,
    /// Nothing came.
    Nothing,
    /// Somebody else receives.
    Taken,
}

impl Spinning {
    /// Begins a spin if it is likely to pay.
    pub(super) fn begin(spin: &Spin, line: &Arc<Line>, places: usize) -> Option<Self> {
        if line.one_processor.load(Ordering::Relaxed) {
            return None;
        }
        let budget = spin.budget();
        let begun = Instant::now();
        if budget.is_zero() || line.is_spun(begun) {
            return None;
        }
        let place = Spinner::take(places)?;
        line.spin_until(begun + budget);
        Some(Self {
            begun,
            seen: begun,
            budget,
            first: true,
            line: Arc::clone(line),
            _place: place,
        })
    }

    /// Something moved: the waiting begins anew.
    fn go_on(&mut self, now: Instant) {
        self.begun = now;
        self.seen = now;
        self.line.spin_until(now + self.budget);
    }

    /// The budget was used up when the clock was last looked at.
    pub(super) fn is_over(&self) -> bool {
        self.seen - self.begun >= self.budget
    }

    /// When the clock was last looked at.
    pub(super) fn seen(&self) -> Instant {
        self.seen
    }

    /// Notes how it ended.
    pub(super) fn end(self, spin: &Spin, found: bool) {
        if found || self.is_over() {
            spin.record(self.seen - self.begun, found);
        }
    }
}

impl Drop for Spinning {
    fn drop(&mut self) {
        self.line.spun();
    }
}

impl Link {
    /// Polls for the result of a call. `spinning` belongs to the call and is kept between polls.
    ///
    /// A task that is alone on its connection receives itself and spins, in slices. Otherwise it leaves that to the background
    /// task, which writes and reads for all at once.
    pub(crate) fn poll_reply(
        &self,
        call: CallId,
        spinning: &mut Option<Spinning>,
        cx: &mut Context<'_>,
    ) -> Poll<Reply> {
        let mut may_spin = true;
        let mut waker = None;
        loop {
            let mut state = self.lock();
            if let Some(reply) = state.take_reply(call) {
                drop(state);
                if let Some(spinning) = spinning.take() {
                    spinning.end(&self.calling, true);
                }
                return Poll::Ready(reply);
            }
            let alone = state.conn.in_flight() == 1 && state.outbox.is_empty();
            let line = state.line.clone().filter(|line| line.ended().is_none());
            if let Some(line) = &line
                && may_spin
                && alone
            {
                let received = line.received.load(Ordering::Relaxed);
                drop(state);
                if spinning.is_none() {
                    line.activity.fetch_add(1, Ordering::Relaxed);
                    *spinning = Spinning::begin(&self.calling, line, self.places);
                }
                let slice = match spinning {
                    Some(begun) if !begun.is_over() => self.slice(line, begun, Some(received)),
                    _ => Slice::Taken,
                };
                if slice == Slice::Nothing {
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                may_spin = matches!(slice, Slice::Found | Slice::More);
                continue;
            }
            // Over before the lock is: whoever parks next sees that nobody receives.
            if let Some(spinning) = spinning.take() {
                spinning.end(&self.calling, false);
            }
            let waiter = state.waiter(call);
            let mut earlier = None;
            if !waiter.waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
                let Some(waker) = waker.take() else {
                    // Cloned and dropped outside of the lock: a waker is foreign code.
                    drop(state);
                    waker = Some(cx.waker().clone());
                    may_spin = false;
                    continue;
                };
                earlier = waiter.waker.replace(waker);
            }
            let parked = state.background.is_some();
            state.asleep |= !parked;
            drop(state);
            drop(earlier);
            if let Some(line) = line
                && parked
            {
                line.ready.arm();
            }
            return Poll::Pending;
        }
    }

    /// Looks for frames for a slice of time, or, where no other task waits for the thread, for the whole budget. If the
    /// peer is in this process, at first only once.
    /// Stops at once if something came since the time when so many frames had been `received`.
    pub(super) fn slice(
        &self,
        line: &Line,
        spinning: &mut Spinning,
        received: Option<u32>,
    ) -> Slice {
        let Some(mut rx) = line.rx.try_take() else { return Slice::Taken };
        if received.is_some_and(|seen| seen != line.received.load(Ordering::Relaxed)) {
            let missed = line.rx.release(rx);
            if missed {
                self.notify();
            }
            return Slice::Found;
        }
        if line.silence() {
            self.notify();
        }
        let first = mem::replace(&mut spinning.first, false);
        if !first {
            // Other tasks may have run for long.
            spinning.seen = Instant::now();
        }
        let length = match self.runtime.runtime_flavor() {
            // Who answers may be waiting for this very thread.
            _ if line.is_near && first => Duration::ZERO,
            RuntimeFlavor::MultiThread if !line.is_near => spinning.budget,
            _ => SLICE,
        };
        let begun = spinning.seen;
        let mut wakes = Wakes::default();
        let mut passing = (line.tx.queued(), rx.partial());
        let slice = loop {
            if line.tx.queued() > 0 && line.flush() {
                wakes.push(self.lock().notify());
            }
            match self.drain(line, rx.as_mut(), &mut Some(spinning.seen), &mut wakes) {
                Drained::Empty(0) if line.ended().is_none() => {}
                Drained::Empty(_) => break Slice::Found,
                Drained::More => break Slice::More,
            }
            let now = Instant::now();
            spinning.seen = now;
            let passed = (line.tx.queued(), rx.partial());
            if passed != passing {
                // A large frame is on its way: that is no vain waiting.
                passing = passed;
                spinning.go_on(now);
            }
            if now - begun >= length {
                break Slice::Nothing;
            }
            hint::spin_loop();
        };
        let missed = line.rx.release(rx);
        if missed || slice == Slice::More {
            wakes.push(self.lock().notify());
            self.lead_another(&mut wakes);
        }
        wakes.wake();
        slice
    }

    /// Blocks the calling thread until the result of a call is there. The thread receives itself, if no other does.
    pub(crate) fn wait_reply(&self, call: CallId) -> Reply {
        loop {
            let mut state = self.lock();
            if let Some(reply) = state.take_reply(call) {
                drop(state);
                // A thread that was woken to lead, and need not, passes that on.
                self.lead_another_if_free();
                return reply;
            }
            let line = state.line.clone().filter(|line| line.ended().is_none());
            let Some(line) = line else {
                state.waiter(call).thread = Some(thread::current());
                let timeout = state.conn.poll_timeout();
                drop(state);
                self.park(timeout);
                continue;
            };
            drop(state);
            if line.tx.queued() > 0 && line.flush() {
                self.notify();
            }
            if !self.lead(&line, call) {
                self.follow(&line, call);
            }
        }
    }

    /// Receives for everybody until this call's result is there. False if another thread receives.
    fn lead(&self, line: &Arc<Line>, call: CallId) -> bool {
        let Some(mut rx) = line.rx.try_take() else { return false };
        line.activity.fetch_add(1, Ordering::Relaxed);
        if line.silence() {
            self.notify();
        }
        let mut spinning = Spinning::begin(&self.calling, line, usize::MAX);
        let mut passing = (line.tx.queued(), rx.partial());
        let mut wakes = Wakes::default();
        let mut drained;
        // Whoever held the lease before may have received this call's result after it was looked for.
        let mut look = true;
        loop {
            let mut clock = spinning.as_ref().map(Spinning::seen);
            drained = self.drain(line, rx.as_mut(), &mut clock, &mut wakes);
            wakes.wake();
            look |= drained.any();
            if line.ended().is_some() || (look && self.has_reply(call)) {
                break;
            }
            look = false;
            if line.tx.queued() > 0 && line.flush() {
                self.notify();
            }
            let passed = (line.tx.queued(), rx.partial());
            if passed != mem::replace(&mut passing, passed)
                && let Some(spinning) = &mut spinning
            {
                spinning.go_on(Instant::now());
            }
            match &mut spinning {
                Some(begun) if !begun.is_over() => {
                    hint::spin_loop();
                    begun.seen = Instant::now();
                }
                Some(_) => {
                    if let Some(over) = spinning.take() {
                        over.end(&self.calling, false);
                    }
                }
                None if drained == Drained::More => {}
                None => {
                    self.sleep(line);
                    look = true;
                }
            }
        }
        if let Some(spinning) = spinning {
            spinning.end(&self.calling, true);
        }
        let missed = line.rx.release(rx);
        let mut state = self.lock();
        if missed || drained == Drained::More {
            wakes.push(state.notify());
        }
        // Tasks that sleep counted on this thread to receive for them.
        let others = state.conn.in_flight() > 0;
        drop(state);
        if others {
            line.ready.arm();
        }
        self.lead_another(&mut wakes);
        wakes.wake();
        true
    }

    /// Sleeps until something arrives or the next deadline passes.
    fn sleep(&self, line: &Line) {
        let timeout = self.lock().conn.poll_timeout();
        let timeout = timeout.map(|at| at.saturating_duration_since(Instant::now()));
        let interest = match line.tx.queued() {
            0 => Interest::Read,
            _ => Interest::ReadWrite,
        };
        line.ready.wait(interest, timeout);
        if line.tx.queued() > 0 && line.flush() {
            self.notify();
        }
        self.expire();
    }

    /// Sleeps until this call's result is there or the lease may be free.
    fn follow(&self, line: &Line, call: CallId) {
        let timeout = {
            let mut state = self.lock();
            let waiter = state.waiter(call);
            if waiter.reply.is_some() {
                return;
            }
            waiter.thread = Some(thread::current());
            state.followers.push(thread::current());
            state.conn.poll_timeout()
        };
        match line.rx.try_take() {
            Some(rx) => {
                if line.rx.release(rx) {
                    self.notify();
                }
            }
            None => self.park(timeout),
        }
        let this = thread::current().id();
        let mut state = self.lock();
        state.followers.retain(|follower| follower.id() != this);
        state.waiter(call).thread = None;
    }

    /// Parks the thread, until the next deadline at most.
    fn park(&self, timeout: Option<Instant>) {
        match timeout {
            Some(at) => thread::park_timeout(at.saturating_duration_since(Instant::now())),
            None => thread::park(),
        }
        self.expire();
    }

    /// Fails the calls whose deadline has passed.
    fn expire(&self) {
        let mut wakes = Wakes::default();
        self.lock().expire(Instant::now(), &mut wakes);
        wakes.wake();
    }

    /// Somebody else must receive now.
    fn lead_another(&self, wakes: &mut Wakes) {
        let follower = self.lock().followers.pop();
        wakes.push_thread(follower);
    }

    /// Somebody who waits on a thread receives now, if nobody does.
    fn lead_another_if_free(&self) {
        let mut state = self.lock();
        if state.followers.is_empty() || state.line.as_ref().is_some_and(|line| line.rx.is_held()) {
            return;
        }
        let follower = state.followers.pop();
        drop(state);
        if let Some(follower) = follower {
            follower.unpark();
        }
    }

    fn has_reply(&self, call: CallId) -> bool {
        self.lock().waiter(call).reply.is_some()
    }
}
