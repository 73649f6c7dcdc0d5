//! Gives back the memory that an idle wire does not need.

use super::line::Line;
use crate::buffer;
use std::{
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

/// A wire without frames for so long is idle.
const IDLE: Duration = Duration::from_secs(1);

/// Watches for idleness.
#[derive(Default, Debug)]
pub(super) struct Rest {
    /// Frames received when the present wait for idleness began.
    seen: u32,
    due: Option<Instant>,
}

impl Rest {
    /// Gives memory back if the wire has been idle for long enough. When to look again; never, for one that has rested since its last frame.
    pub(super) fn look(&mut self, line: &Line, now: Instant) -> Option<Instant> {
        let received = line.received.load(Ordering::Relaxed);
        if self.due.is_some_and(|due| due > now) {
            return self.due;
        }
        let idle = received == self.seen;
        if idle && self.due.take().is_some() {
            relax(line);
        }
        if !idle {
            self.seen = received;
            self.due = Some(now + IDLE);
        }
        self.due
    }
}

fn relax(line: &Line) {
    if let Some(mut rx) = line.rx.try_take() {
        rx.relax();
        // Whoever missed the lease meanwhile is served by the background task, which runs this.
        let _ = line.rx.release(rx);
    }
    buffer::trim();
}
