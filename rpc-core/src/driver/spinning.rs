//! Looking for frames before going to sleep: one spin, and the slices that a task spends on it.

use super::{
    Link,
    line::Line,
    receive::Drained,
    spin::{Spin, Spinner},
    waiter::Wakes,
};
use crate::{runtime, transport::Rx};
use std::{
    hint, mem,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};
use tokio::runtime::RuntimeFlavor;

/// How long a task spins before it lets the other tasks of its thread run.
const SLICE: Duration = Duration::from_micros(2);
/// The same for a servant that calls back within its first poll: to let it go on as a task costs more.
const INLINE: Duration = Duration::from_micros(20);
/// How long a spin that is not carried on counts for others.
const ANNOUNCED: Duration = Duration::from_micros(150);

/// A spin that goes over several polls.
pub(crate) struct Spinning {
    begun: Instant,
    /// When the clock was last looked at.
    seen: Instant,
    /// When the budget is used up.
    until: Instant,
    /// It belongs to a servant's first poll.
    inline: bool,
    /// There was no slice yet.
    first: bool,
    /// Until when others can see it: not before it has lasted for some looks, as most do not.
    announced: Option<Instant>,
    line: Arc<Line>,
    _place: Spinner,
}

/// Looks at the wire between two looks at the clock, which costs as much as one of them.
const LOOKS: usize = 4;

/// How a slice of a spin ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Slice {
    /// Something came, and no more for now.
    Found,
    /// A call came that the receiver is to start, and nothing else for now.
    Call,
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
        Some(Self {
            begun,
            seen: begun,
            until: begun + budget,
            inline: false,
            first: true,
            announced: None,
            line: Arc::clone(line),
            _place: place,
        })
    }

    /// Begins anew after something was found, if that is likely to pay again and nobody else has begun meanwhile.
    pub(super) fn again(mut self, spin: &Spin, now: Instant) -> Option<Self> {
        if self.line.one_processor.load(Ordering::Relaxed) || self.line.is_spun(now) {
            return None;
        }
        let budget = spin.budget();
        self.seen = now;
        self.first = true;
        self.begin_anew(budget);
        (!budget.is_zero()).then_some(self)
    }

    /// Its slices are those of a servant's first poll, or of any task.
    pub(super) fn set_inline(&mut self, inline: bool) {
        self.inline = inline;
    }

    fn slice(&self) -> Duration {
        if self.inline { INLINE } else { SLICE }
    }

    fn budget(&self) -> Duration {
        self.until.saturating_duration_since(self.begun)
    }

    /// Something was found.
    pub(super) fn found(&mut self, spin: &Spin) {
        spin.record(self.lasted(), true);
        // What is done now may spin itself.
        self.withdraw();
    }

    /// How long, when the clock was last looked at.
    fn lasted(&self) -> Duration {
        if self.seen == self.begun { Duration::ZERO } else { self.seen - self.begun }
    }

    fn withdraw(&mut self) {
        if self.announced.take().is_some() {
            self.line.spun();
        }
    }

    /// Lets others see it, for a while: it counts no longer if it is not carried on.
    fn announce(&mut self) {
        let until = self.until.min(self.seen + ANNOUNCED);
        self.announced = Some(until);
        self.line.spin_until(until);
    }

    /// Looks at the clock. If something moved of a large frame on its way, the waiting begins anew: it is not in vain.
    pub(super) fn go_on_if_moved(
        &mut self,
        line: &Line,
        rx: &dyn Rx,
        passing: &mut (usize, usize),
    ) {
        self.seen = Instant::now();
        if self.announced.is_none_or(|until| until <= self.seen) {
            self.announce();
        }
        let passed = (line.tx.queued(), rx.partial());
        if passed != mem::replace(passing, passed) {
            self.begin_anew(self.budget());
        }
    }

    /// The whole budget is to be had from now on.
    fn begin_anew(&mut self, budget: Duration) {
        self.begun = self.seen;
        self.until = self.seen + budget;
        if self.announced.is_some() {
            self.announce();
        }
    }

    /// The budget was used up when the clock was last looked at.
    pub(super) fn is_over(&self) -> bool {
        self.seen >= self.until
    }

    /// When the clock was last looked at.
    pub(super) fn seen(&self) -> Instant {
        self.seen
    }

    /// Notes how it ended.
    pub(super) fn end(self, spin: &Spin, found: bool) {
        if found || self.is_over() {
            spin.record(self.lasted(), found);
        } else {
            spin.broken_off();
        }
    }
}

impl Drop for Spinning {
    fn drop(&mut self) {
        self.withdraw();
    }
}

impl Link {
    /// Looks for frames for a slice of time, or, where no other task waits for the thread, for the whole budget. If the
    /// peer is in this process, at first only once.
    /// Stops at once if something came since the time when so many frames had been `received`, and tells how many have been since.
    pub(super) fn slice(
        &self,
        line: &Line,
        spinning: &mut Spinning,
        received: &mut Option<u32>,
        wakes: &mut Wakes,
    ) -> Slice {
        let Some(mut rx) = line.rx.try_take() else { return Slice::Taken };
        let before = Some(line.received.load(Ordering::Relaxed));
        if received.is_some() && mem::replace(received, before) != before {
            let missed = line.rx.release(rx);
            if missed {
                self.notify();
            }
            return Slice::Found;
        }
        // The background task itself knows that it has silenced the wire, and would only break off its own spin.
        if line.silence() && received.is_some() {
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
            RuntimeFlavor::MultiThread if !line.is_near => spinning.budget(),
            _ => spinning.slice(),
        };
        let until = spinning.seen + length;
        let mut passing = (line.tx.queued(), rx.partial());
        let slice = loop {
            if line.tx.queued() > 0 && line.flush() {
                wakes.push(self.lock().notify());
            }
            match self.look(line, rx.as_mut(), &mut Some(spinning.seen), wakes) {
                Drained::Empty(0) if line.ended().is_none() => {}
                Drained::Empty(1) if wakes.has_next() => break Slice::Call,
                Drained::Empty(_) => break Slice::Found,
                Drained::More => break Slice::More,
            }
            spinning.go_on_if_moved(line, rx.as_ref(), &mut passing);
            if spinning.seen >= until || self.notice.is_given() || runtime::take_stir() {
                break Slice::Nothing;
            }
        };
        *received = Some(line.received.load(Ordering::Relaxed));
        let missed = line.rx.release(rx);
        if missed || slice == Slice::More {
            wakes.push(self.lock().notify());
            self.lead_another(wakes);
        }
        wakes.wake();
        slice
    }
    /// Looks at the wire a few times.
    pub(super) fn look(
        &self,
        line: &Line,
        rx: &mut dyn Rx,
        clock: &mut Option<Instant>,
        wakes: &mut Wakes,
    ) -> Drained {
        for _ in 1..LOOKS {
            let drained = self.drain(line, rx, clock, wakes);
            if drained.any() || line.ended().is_some() {
                return drained;
            }
            hint::spin_loop();
        }
        self.drain(line, rx, clock, wakes)
    }
}
