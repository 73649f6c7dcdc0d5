//! Waiting for a return: in a task, or on a thread.

use super::{
    Link,
    line::Line,
    receive::Drained,
    spinning::{Slice, Spinning},
    start::nobody,
    waiter::{Reply, Wakes},
};
use crate::{clock, id::CallId, transport::Interest};
use std::{
    ptr,
    sync::{Arc, atomic::Ordering},
    task::{Context, Poll},
    thread,
    time::Instant,
};

/// How a thread has received for everybody.
enum Led {
    /// Until its call's result came.
    Done(Reply),
    /// Until the wire ended, or something else was there to be looked at.
    Over,
    /// It has not: another does.
    Taken,
}

impl Link {
    /// Polls for the result of a call. `spinning` belongs to the call and is kept between polls.
    ///
    /// A task that is alone on its connection receives itself and spins, in slices. Otherwise it leaves that to the background
    /// task, which writes and reads for all at once.
    pub(crate) fn poll_reply(
        self: &Arc<Self>,
        call: CallId,
        spinning: &mut Option<Spinning>,
        cx: &mut Context<'_>,
    ) -> Poll<Reply> {
        let (mut may_spin, mut looked) = (true, false);
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
            if looked && state.notice.is_given() {
                // The background task is to do something first, perhaps on this thread.
                drop(state);
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            let alone = state.conn.in_flight() == 1 && state.outbox.is_empty();
            if may_spin
                && alone
                && let Some(line) = state.open_line()
            {
                let received = line.received.load(Ordering::Relaxed);
                drop(state);
                // Nobody is woken by the first poll of a servant.
                let inline = ptr::eq(cx.waker(), nobody());
                match self.poll_wire(&line, call, spinning, (received, inline)) {
                    Err(reply) => return Poll::Ready(reply),
                    Ok(Slice::Nothing) => {
                        cx.waker().wake_by_ref();
                        return Poll::Pending;
                    }
                    Ok(slice) => {
                        looked = matches!(slice, Slice::Found | Slice::Call | Slice::More);
                        may_spin = looked;
                    }
                }
                continue;
            }
            // Over before the lock is: whoever parks next sees that nobody receives.
            if let Some(spinning) = spinning.take() {
                spinning.end(&self.calling, false);
            }
            let Ok(earlier) = state.waiter(call).keep(&mut waker, cx.waker()) else {
                // Cloned and dropped outside of the lock: a waker is foreign code.
                drop(state);
                waker = Some(cx.waker().clone());
                may_spin = false;
                continue;
            };
            let parked = state.background.is_some();
            state.asleep |= !parked;
            let line = if parked { state.open_line() } else { None };
            drop(state);
            drop(earlier);
            if let Some(line) = line {
                line.ready.arm();
            }
            return Poll::Pending;
        }
    }

    /// Spins for a slice, for a task that is alone on its connection. `Err`: its own reply came.
    fn poll_wire(
        self: &Arc<Self>,
        line: &Arc<Line>,
        call: CallId,
        spinning: &mut Option<Spinning>,
        (received, inline): (u32, bool),
    ) -> Result<Slice, Reply> {
        if spinning.is_none() {
            line.activity.fetch_add(1, Ordering::Relaxed);
            *spinning = Spinning::begin(&self.calling, line, self.places);
        }
        let Some(begun) = spinning.as_mut().filter(|begun| !begun.is_over()) else {
            return Ok(Slice::Taken);
        };
        begun.set_inline(inline);
        // Looked at before anything has come, when there is time.
        let here = self.is_here();
        let mut received = Some(received);
        let reply = loop {
            let mut wakes = Wakes::of_task(call);
            let slice = self.slice(line, begun, &mut received, &mut wakes);
            let next = wakes.take_next();
            let nested = next.is_some();
            if let Some(next) = next {
                let (alone, now) = (slice == Slice::Call, begun.seen());
                self.start_nested(line, next, (alone, !here || wakes.has_own()), now);
            }
            match wakes.take_own() {
                Some(reply) => break reply,
                // What this was called back for is done: most likely its own reply is next.
                None if nested && slice == Slice::Call && self.may_go_on(begun) => {}
                None => return Ok(slice),
            }
        };
        if let Some(spinning) = spinning.take() {
            spinning.end(&self.calling, true);
        }
        Err(reply)
    }

    /// Nothing else is to be done before a spin goes on.
    fn may_go_on(&self, spinning: &Spinning) -> bool {
        !spinning.is_over() && !self.notice.is_given()
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
            let Some(line) = state.open_line() else {
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
            match self.lead(&line, call) {
                Led::Done(reply) => return reply,
                Led::Over => {}
                Led::Taken => self.follow(&line, call),
            }
        }
    }

    /// Receives for everybody until this call's result is there.
    fn lead(&self, line: &Arc<Line>, call: CallId) -> Led {
        let Some(mut rx) = line.rx.try_take() else { return Led::Taken };
        line.activity.fetch_add(1, Ordering::Relaxed);
        if line.silence() {
            self.notify();
        }
        let mut spinning = Spinning::begin(&self.calling, line, usize::MAX);
        let mut passing = (line.tx.queued(), rx.partial());
        let mut wakes = Wakes::of_receiver(call);
        let mut drained;
        // Whoever held the lease before may have received this call's result after it was looked for.
        let mut look = true;
        loop {
            let mut clock = spinning.as_ref().map(Spinning::seen);
            drained = match &spinning {
                Some(_) => self.look(line, rx.as_mut(), &mut clock, &mut wakes),
                None => self.drain(line, rx.as_mut(), &mut clock, &mut wakes),
            };
            wakes.wake();
            if wakes.has_own() || line.ended().is_some() || (look && self.has_reply(call)) {
                break;
            }
            look = false;
            if line.tx.queued() > 0 && line.flush() {
                self.notify();
            }
            match &mut spinning {
                Some(begun) if !begun.is_over() => {
                    begun.go_on_if_moved(line, rx.as_ref(), &mut passing);
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
        if missed || drained == Drained::More || !wakes.was_last() {
            self.leave_lead(line, missed || drained == Drained::More, &mut wakes);
        }
        wakes.take_own().map_or(Led::Over, Led::Done)
    }

    /// Others may need somebody who receives. `more`: there may be frames that nobody has seen.
    fn leave_lead(&self, line: &Line, more: bool, wakes: &mut Wakes) {
        let mut state = self.lock();
        if more {
            wakes.push(state.notify());
        }
        // Tasks that sleep counted on this thread to receive for them.
        let others = state.conn.in_flight() > 0;
        let follower = state.followers.pop();
        drop(state);
        if others {
            line.ready.arm();
        }
        wakes.push_thread(follower);
        wakes.wake();
    }

    /// Sleeps until something arrives or the next deadline passes.
    fn sleep(&self, line: &Line) {
        let timeout = self.lock().conn.poll_timeout();
        let timeout = timeout.map(|at| at.saturating_duration_since(clock::now()));
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
            Some(at) => thread::park_timeout(at.saturating_duration_since(clock::now())),
            None => thread::park(),
        }
        self.expire();
    }

    /// Fails the calls whose deadline has passed.
    fn expire(&self) {
        let mut wakes = Wakes::default();
        self.lock().expire(clock::now(), &mut wakes);
        wakes.wake();
    }

    /// Somebody else must receive now.
    pub(super) fn lead_another(&self, wakes: &mut Wakes) {
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
