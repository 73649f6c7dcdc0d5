//! Notices when waiters that receive themselves have stopped.

use super::line::Line;
use std::{
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

/// How often the background task looks whether waiters still receive themselves.
pub(super) const WATCH: Duration = Duration::from_millis(2);

/// Watches waiters that receive themselves, so that arrivals find somebody when they have stopped.
#[derive(Default, Debug)]
pub(super) struct Watch {
    seen: u32,
    /// The background task has silenced the wire itself, and nobody counts on its watch.
    own: bool,
    next: Option<Instant>,
}

impl Watch {
    /// Arms the wire, unless waiters receive or have received since the last look; then, when to look again. `asleep`: one
    /// that does not receive counts on this.
    pub(super) fn look(&mut self, line: &Line, now: Instant, asleep: bool) -> Option<Instant> {
        let receiving = line.is_spun(now) || line.rx.is_held();
        if (asleep && !receiving) || !line.watched.load(Ordering::Relaxed) {
            return self.arm(line);
        }
        let activity = line.activity.load(Ordering::Relaxed);
        let waited = self.next.is_some_and(|next| next <= now);
        if (self.own || waited) && !receiving && activity == self.seen {
            return self.arm(line);
        }
        if let Some(next) = self.next
            && !waited
        {
            return Some(next);
        }
        self.seen = activity;
        self.next = Some(now + WATCH);
        self.next
    }

    /// The background task has silenced the wire itself.
    pub(super) fn silenced(&mut self) {
        self.own = true;
    }

    fn arm(&mut self, line: &Line) -> Option<Instant> {
        self.own = false;
        line.watched.store(false, Ordering::Relaxed);
        self.next = None;
        line.ready.arm();
        None
    }
}
