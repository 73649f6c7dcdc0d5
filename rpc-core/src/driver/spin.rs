//! How long to look for an answer before going to sleep.
//!
//! Waking a sleeping processor costs 5 us on a good machine and 40 to 80 us on a virtual one; an answer that comes sooner is
//! cheaper to wait for awake. So a waiter spins for a budget that follows what waiting has lately cost, and stops
//! spinning when that has not paid, but for one probe in many waits.

use crate::address::Spin as Mode;
use std::{
    sync::atomic::{AtomicU32, AtomicUsize, Ordering},
    time::Duration,
};

/// The longest spin. Twice what waking a processor costs on a slow virtual machine.
const LONGEST: u32 = 150_000;
/// The shortest spin that is worth beginning: a peer that lost its processor for a moment finds this one still awake.
const SHORTEST: u32 = 50_000;
/// Spins in a row that may fail before spinning stops.
const PATIENCE: u32 = 3;
/// Waits between two probes, at most.
const RAREST_PROBE: u32 = 64;

/// The budget of one kind of waiter on one connection. In nanoseconds; written without care for lost updates.
#[derive(Debug)]
pub(crate) struct Spin {
    mode: Mode,
    typical: AtomicU32,
    failed: AtomicU32,
    skipped: AtomicU32,
    probe_after: AtomicU32,
}

impl Spin {
    pub(crate) fn new(mode: Mode) -> Self {
        Self {
            mode,
            typical: AtomicU32::new(LONGEST / 4),
            failed: AtomicU32::new(0),
            skipped: AtomicU32::new(0),
            probe_after: AtomicU32::new(4),
        }
    }

    /// How long to spin this time; zero: sleep at once.
    pub(crate) fn budget(&self) -> Duration {
        match self.mode {
            Mode::Off => return Duration::ZERO,
            Mode::Always => return Duration::from_secs(1),
            _ => {}
        }
        if self.failed.load(Ordering::Relaxed) >= PATIENCE {
            let skipped = self.skipped.load(Ordering::Relaxed) + 1;
            self.skipped.store(skipped, Ordering::Relaxed);
            if skipped < self.probe_after.load(Ordering::Relaxed) {
                return Duration::ZERO;
            }
            self.skipped.store(0, Ordering::Relaxed);
            return Duration::from_nanos(u64::from(LONGEST));
        }
        let budget = self.typical.load(Ordering::Relaxed).saturating_mul(4);
        Duration::from_nanos(u64::from(budget.clamp(SHORTEST, LONGEST)))
    }

    /// The spin was broken off for something else to be done, and says nothing. A probe is made anew at the next wait.
    pub(crate) fn broken_off(&self) {
        self.skipped.store(RAREST_PROBE, Ordering::Relaxed);
    }

    /// The spin ended after `waited`, with an answer or without.
    pub(crate) fn record(&self, waited: Duration, found: bool) {
        if found {
            let waited = u32::try_from(waited.as_nanos()).unwrap_or(LONGEST).min(LONGEST);
            let typical = self.typical.load(Ordering::Relaxed);
            self.typical.store(typical - typical / 8 + waited / 8, Ordering::Relaxed);
            self.failed.store(0, Ordering::Relaxed);
            self.probe_after.store(4, Ordering::Relaxed);
            return;
        }
        let failed = self.failed.load(Ordering::Relaxed);
        if failed >= PATIENCE {
            let rarer = self.probe_after.load(Ordering::Relaxed) * 2;
            self.probe_after.store(rarer.min(RAREST_PROBE), Ordering::Relaxed);
        } else {
            self.failed.store(failed + 1, Ordering::Relaxed);
        }
    }
}

static SPINNERS: AtomicUsize = AtomicUsize::new(0);

/// The right to keep a processor busy. So many a process, lest spinners keep each other from what they wait for.
#[derive(Debug)]
pub(crate) struct Spinner(());

impl Spinner {
    /// One of `places`, if there is one left.
    pub(crate) fn take(places: usize) -> Option<Self> {
        let taken = SPINNERS.fetch_add(1, Ordering::Relaxed);
        let spinner = Self(());
        (taken < places.max(1)).then_some(spinner)
    }
}

impl Drop for Spinner {
    fn drop(&mut self) {
        SPINNERS.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spinning_stops_when_it_does_not_pay_and_probes() {
        let spin = Spin::new(Mode::Adaptive);
        for _ in 0..PATIENCE {
            assert!(spin.budget() > Duration::ZERO);
            spin.record(spin.budget(), false);
        }
        let asleep = (0..100).filter(|_| {
            let budget = spin.budget();
            if !budget.is_zero() {
                spin.record(budget, false);
            }
            budget.is_zero()
        });
        let asleep = asleep.count();
        assert!((90..100).contains(&asleep), "{asleep} of 100 waits slept at once");
        spin.record(Duration::from_micros(3), true);
        assert!(spin.budget() > Duration::ZERO);
    }

    #[test]
    fn a_probe_that_is_broken_off_is_made_anew() {
        let spin = Spin::new(Mode::Adaptive);
        (0..PATIENCE).for_each(|_| spin.record(spin.budget(), false));
        assert!((0..RAREST_PROBE).any(|_| !spin.budget().is_zero()));
        spin.broken_off();
        assert!(!spin.budget().is_zero());
        assert_eq!(spin.budget(), Duration::ZERO);
    }

    #[test]
    fn the_mode_wins() {
        assert_eq!(Spin::new(Mode::Off).budget(), Duration::ZERO);
        let always = Spin::new(Mode::Always);
        (0..10).for_each(|_| always.record(Duration::from_secs(1), false));
        assert!(always.budget() > Duration::ZERO);
    }
}
