//! One round of the background task: receive, start, flush.

use super::{
    Link,
    line::Line,
    linger::Linger,
    receive::Drained,
    start::{Next, Starter},
    waiter::Wakes,
};
use crate::clock;
use std::{
    mem,
    sync::{Arc, atomic::Ordering},
    time::Instant,
};

/// What a round has found out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Turn {
    /// There is more to do.
    pub(super) again: Again,
    /// Calls were started, now or lately.
    pub(super) serves: bool,
    /// The wire's time may be over.
    pub(super) may_be_last: bool,
    /// When the clock was last looked at.
    pub(super) at: Option<Instant>,
}

/// Whether there is more to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Again {
    Never,
    Now,
    /// Once the other tasks of the thread have run.
    AfterOthers,
}

impl Link {
    /// Does what is due, for a wire that gives no time to park.
    pub(super) fn keep_time(&self, line: &Line) {
        let now = clock::now();
        let mut wakes = Wakes::default();
        let mut state = self.lock();
        if state.poll_timeout(line, now).is_some_and(|at| at <= now) {
            state.handle_time(line, now, &mut wakes);
            state.transmit_control();
        }
        drop(state);
        wakes.wake();
    }

    /// A round in which nothing is to be done but to start a call that came alone at `begun`. Its answer is given away by whoever answers it.
    pub(super) fn short_turn(
        self: &Arc<Self>,
        line: &Arc<Line>,
        starter: &mut Starter,
        next: Next,
        begun: Instant,
    ) -> Turn {
        let ended = starter.start(self, line, next, begun);
        Turn {
            again: if self.notice.is_given() { Again::Now } else { Again::Never },
            serves: true,
            may_be_last: false,
            at: Some(ended),
        }
    }

    /// A round begins: others leave the flushing to it. Gives the call that is the first to be started, if it is known.
    fn begin_turn(&self, line: &Line, has_received: bool, next: Option<Next>) -> Option<Next> {
        let mut state = self.lock();
        state.notice.take_back();
        state.batch = true;
        match next {
            Some(mut next) => {
                state.look_again(&mut next);
                Some(next)
            }
            None if has_received => state.next_arrived(line),
            None => None,
        }
    }

    /// One round: receive (unless that has just been done, then), start `next` and what has arrived, flush.
    pub(super) fn turn(
        self: &Arc<Self>,
        line: &Arc<Line>,
        starter: &mut Starter,
        (received, next): (Option<Instant>, Option<Next>),
        linger: &mut Linger,
    ) -> Turn {
        let mut wakes = Wakes::default();
        let mut drained = Drained::Empty(usize::from(received.is_some()));
        let mut clock = received;
        let first = self.begin_turn(line, received.is_some(), next);
        // Who spins looks itself: what comes to it from here it finds when it is polled.
        let spun = received.is_none() && line.is_spun_now();
        if received.is_none()
            && let Some(mut rx) = line.rx.try_take()
        {
            drained = self.drain(line, rx.as_mut(), &mut clock, &mut wakes);
            if line.rx.release(rx) {
                let follower = self.lock().followers.pop();
                wakes.push_thread(follower);
            }
        }
        wakes.wake();
        let served = self.start_arrived(line, starter, first, &mut clock);
        let mut state = self.lock();
        state.batch = false;
        if served {
            state.served = clock;
        }
        let serves = state.served.is_some();
        state.transmit_control();
        let holds = state.holds();
        if holds {
            state.pump_outbox(&mut wakes);
        }
        let released = mem::take(&mut state.released);
        let startable = !state.arrived.is_empty() && !state.is_stalled(line);
        let again = drained == Drained::More || startable;
        let lingers = line.tx.queued() > 0 && linger.wants(&state, line, drained.any());
        if !lingers {
            state.unflushed = 0;
            state.urgent = false;
        }
        let may_be_last = state.may_end(line);
        // The only one who waited has its answer: it runs next, and writes its next call itself.
        let is_lone = line.one_processor.load(Ordering::Relaxed)
            && state.burst == 1
            && state.conn.in_flight() <= 1;
        let warns = state.handles.counters.is_due();
        drop(state);
        drop(released);
        if warns {
            self.warn();
        }
        let found_room = (holds || line.is_short.load(Ordering::Relaxed)) && self.make_room(line);
        // The outbox, or the end, has waited for just this. A blocked wire is waited for where the task parks.
        let awaited = !lingers
            && line.tx.queued() > 0
            && line.flush()
            && !line.blocked.load(Ordering::Relaxed);
        let may_be_last = may_be_last || line.ended().is_some();
        let others = (wakes.woke() && !is_lone) || (spun && drained.any());
        let again = again || lingers || awaited || found_room || others;
        Turn {
            again: if again { Again::AfterOthers } else { Again::Never },
            serves,
            may_be_last,
            at: clock,
        }
    }
}
