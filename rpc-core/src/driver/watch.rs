//! Notices when waiters that receive themselves have stopped.

use super::line::Line;
use std::{
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

/// How often the background task looks whether waiters still receive themselves.
const WATCH: Duration = Duration::from_millis(2);

/// Watches waiters that receive themselves, so that arrivals find somebody when they have stopped.
#[derive(Default, Debug)]
pub(super) struct Watch {
    seen: u32,
    next: Option<Instant>,
}

impl Watch {
    /// Arms the wire, unless waiters receive or have received since the last look; then, when to look again.
    pub(super) fn look(&mut self, line: &Line, now: Instant, in_flight: usize) -> Option<Instant> {
        let receiving = line.is_spun(now) || line.rx.is_held();
        let asleep = in_flight > 0 && !receiving;
        if asleep || !line.watched.load(Ordering::Relaxed) {
            return self.arm(line);
        }
        let activity = line.activity.load(Ordering::Relaxed);
        if !receiving && activity == self.seen {
            return self.arm(line);
        }
        if let Some(next) = self.next
            && next > now
        {
            return Some(next);
        }
        self.seen = activity;
        self.next = Some(now + WATCH);
        self.next
    }

    fn arm(&mut self, line: &Line) -> Option<Instant> {
        line.watched.store(false, Ordering::Relaxed);
        self.next = None;
        line.ready.arm();
        None
    }
}
