//! What becomes of calls when a wire, a deadline or the connection ends.

use super::{
    Link,
    line::Line,
    order::Target,
    outbox::HeldCall,
    state::State,
    waiter::{Reply, Wakes},
};
use crate::{
    clock,
    conn::Unsent,
    error::{Error, ErrorKind, Executed},
};
use std::{
    future::poll_fn,
    mem,
    sync::{Arc, atomic::Ordering},
    task::Poll,
    time::{Duration, Instant},
};

/// How long a peer that was told goodbye may take to close.
const FAREWELL: Duration = Duration::from_secs(1);

/// The longest time between two looks whether a peer that sends nothing more is there.
const MOST_DOUBT: Duration = Duration::from_secs(1);

impl Link {
    /// Whether this wire's time is over, and why.
    pub(super) fn why_ended(&self, line: &Line) -> Option<Error> {
        if let Some(why) = line.ended() {
            return Some(why.clone());
        }
        let mut state = self.lock();
        if let Some(why) = &state.closed {
            return Some(why.clone());
        }
        let flushed = line.is_flushed();
        if state.unused && state.is_unused() && flushed {
            return Some(Error::of(ErrorKind::Disconnected, "the last handle was dropped"));
        }
        if state.half_closed && !state.owes(flushed) {
            let text = format!("the connection to {} was closed by the peer", line.peer.address);
            return Some(Error::of(ErrorKind::Disconnected, text));
        }
        if state.conn.is_draining() && state.conn.serving() == 0 && state.oneways == 0 && flushed {
            // The peer closes, once it has everything. It is not waited for without end.
            let now = clock::now();
            if now >= *state.drained.get_or_insert(now + FAREWELL) {
                return Some(Error::of(ErrorKind::ShuttingDown, "this endpoint was shut down"));
            }
        }
        if state.conn.is_refused() && state.conn.in_flight_before_refusal() == 0 && flushed {
            let text = format!("{} was shut down", line.peer.address);
            return Some(Error::of(ErrorKind::ShuttingDown, text));
        }
        if state.resume() {
            // What was not read meanwhile makes no more noise: look for it.
            state.notice.give();
        }
        None
    }

    /// The wire has ended: calls that surely did not run wait for the next one, the others fail; what was lent is dropped.
    pub(super) fn detach_line(&self, line: &Arc<Line>, why: &Error) {
        line.end(why.clone());
        let mut wakes = Wakes::default();
        self.drain_last(line, &mut wakes);
        line.tx.close();
        let dropped = {
            let mut state = self.lock();
            state.line = None;
            state.half_closed = false;
            state.doubt = None;
            state.root = None;
            state.differences = None;
            state.trouble = Some(why.clone());
            state.unsend(why, &mut wakes);
            state.abort_running(&mut wakes);
            wakes.push_threads(state.followers.drain(..));
            let handles = state.handles.take_all();
            let dropped = (
                state.conn.close(),
                mem::take(&mut state.arrived),
                mem::take(&mut state.released),
                state.take_answers(),
            );
            (dropped, handles, state.pipelined.take_all(why))
        };
        dropped.1.iter().for_each(|handle| handle.end(&why.clone().executed_as(Executed::No)));
        drop(dropped);
        wakes.wake();
        self.over.notify_waiters();
        crate::buffer::trim();
    }

    /// Waits until the one-way calls that were accepted before a goodbye have ended, though their caller has gone.
    pub(super) async fn end_oneways(&self) {
        poll_fn(|cx| {
            let mut state = self.lock();
            if !state.conn.is_draining() || state.oneways == 0 {
                return Poll::Ready(());
            }
            state.background = Some(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }

    /// Takes what has arrived before the end: results may be among it.
    fn drain_last(&self, line: &Line, wakes: &mut Wakes) {
        let Some(mut rx) = line.rx.try_take() else { return };
        while self.drain(line, rx.as_mut(), &mut None, wakes).any() {}
        let _ = line.rx.release(rx);
    }

    /// The connection is over: whoever still waits is told.
    pub(super) fn finish(&self, why: &Error) {
        let mut wakes = Wakes::default();
        let (why, dropped) = {
            let mut state = self.lock();
            if let Some(line) = state.line.take() {
                line.end(why.clone());
                line.tx.close();
            }
            let why = state.closed.get_or_insert_with(|| why.clone()).clone();
            state.unsend(&why, &mut wakes);
            state.fail_outbox(&why, &mut wakes);
            state.abort_running(&mut wakes);
            wakes.push_threads(state.followers.drain(..));
            let handles = state.handles.take_all();
            let dropped = (state.conn.close(), mem::take(&mut state.arrived), state.take_answers());
            let pipelined = state.pipelined.take_all(&why);
            (why, (dropped, handles, pipelined))
        };
        dropped.1.iter().for_each(|handle| handle.end(&why));
        drop(dropped);
        wakes.wake();
        self.over.notify_waiters();
        self.bound.send_modify(|bound| bound.fail(&why));
    }
}

impl State {
    /// Whether it is worth asking why the wire's time is over. Cheap, for every round.
    pub(super) fn may_end(&self, line: &Line) -> bool {
        self.closed.is_some()
            || self.unused
            || self.half_closed
            || self.conn.is_draining()
            || self.conn.is_refused()
            || line.paused.load(Ordering::Relaxed)
    }

    /// When something is due on this wire.
    pub(super) fn poll_timeout(&mut self, line: &Line, now: Instant) -> Option<Instant> {
        let full = self.is_stalled(line);
        if !full {
            self.stalled = None;
        }
        let stalled = full.then(|| *self.stalled.get_or_insert(now + self.limits.stalled));
        let doubt = self.doubt.map(|(at, _)| at);
        [self.conn.poll_timeout(), stalled, self.drained, doubt].into_iter().flatten().min()
    }

    /// The peer does not read its replies: nothing more is started for it.
    pub(super) fn is_stalled(&self, line: &Line) -> bool {
        line.tx.queued() > self.limits.outbound + self.limits.frame
    }

    /// Does what is due.
    pub(super) fn handle_time(&mut self, line: &Line, now: Instant, wakes: &mut Wakes) {
        self.expire(now, wakes);
        if let Some((at, wait)) = self.doubt.take_if(|(at, _)| *at <= now) {
            let wait = (2 * wait).min(MOST_DOUBT);
            self.doubt = Some((at.max(now) + wait, wait));
            self.conn.probe();
            self.notice.give();
        }
        if line.goes() {
            self.conn.hear(now);
        }
        if let Err(error) = self.conn.handle_timeout(now) {
            line.end(error);
        }
        if self.stalled.is_some_and(|at| at <= now) {
            let text = format!(
                "{} has not read its replies for {:?}: closed as a slow consumer",
                line.peer.address, self.limits.stalled
            );
            line.end(Error::of(ErrorKind::Overloaded, text).executed_as(Executed::Maybe));
        }
    }

    /// The connection has no more use, or is over already.
    pub(super) fn is_over(&self) -> bool {
        self.closed.is_some() || (self.unused && self.is_unused())
    }

    /// The wire is gone. Calls that surely did not run, or may run twice, wait for the next wire, in order; the others fail.
    pub(super) fn unsend(&mut self, why: &Error, wakes: &mut Wakes) {
        let unsent = self.conn.unsend();
        self.hold_again(unsent, why, wakes);
        self.lose_answers(&why.clone().executed_as(Executed::No), wakes);
        self.fail_stale(wakes);
    }

    /// Fails the calls that never went out and whose objects belong to the wire that is gone.
    fn fail_stale(&mut self, wakes: &mut Wakes) {
        (self.outbox_bytes, self.outbox_payloads, self.outbox_nested) = (0, 0, 0);
        let apart = mem::take(&mut self.outbox_apart);
        for held in mem::take(&mut self.outbox).into_iter().chain(apart) {
            match self.why_lost(held.order.target) {
                None => self.hold(held),
                Some(why) => self.fail_held(held, why, wakes),
            }
        }
    }

    /// Puts calls that were sent back in front of those that were not, as far as they may be sent again.
    pub(super) fn hold_again(&mut self, unsent: Vec<Unsent>, why: &Error, wakes: &mut Wakes) {
        let redials = self.closed.is_none() && why.kind() != ErrorKind::Protocol;
        let mut again = Vec::new();
        for unsent in unsent {
            // Kept only where the connection is made anew.
            let order = self.waiter(unsent.call).order.take();
            let order = order.filter(|order| {
                let again = unsent.executed == Executed::No || order.idempotent;
                let bound = matches!(order.target, Target::Object(..));
                again && !bound && self.why_lost(order.target).is_none()
            });
            match order {
                Some(order) if redials => {
                    self.waiter(unsent.call).was_out |= unsent.executed != Executed::No;
                    again.push(HeldCall { call: Some(unsent.call), order });
                }
                _ => {
                    self.conn.resolve(unsent.call);
                    let error = why.clone().executed_as(unsent.executed);
                    self.resolve(unsent.call, Reply::Failed(error), wakes);
                }
            }
        }
        again.into_iter().rev().for_each(|held| self.hold_first(held));
    }

    /// Fails the calls that never went out.
    pub(super) fn fail_outbox(&mut self, why: &Error, wakes: &mut Wakes) {
        (self.outbox_bytes, self.outbox_payloads, self.outbox_nested) = (0, 0, 0);
        let apart = mem::take(&mut self.outbox_apart);
        for held in mem::take(&mut self.outbox).into_iter().chain(apart) {
            self.fail_held(held, why.clone().executed_as(Executed::No), wakes);
        }
    }

    /// Servants that serve a peer that is gone are dropped at their next await.
    pub(super) fn abort_running(&mut self, wakes: &mut Wakes) {
        self.running.drain().for_each(|(_, running)| wakes.push_abort(Some(running)));
        self.arrived_bytes = 0;
    }
}
