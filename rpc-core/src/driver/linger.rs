//! Keeps calls for company before they are written.

use super::{line::Line, state::State};
use std::{
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

/// How long calls are kept after the last return.
const LINGER: Duration = Duration::from_micros(8);

/// Waits a little before calls are written, while more are likely to follow: when many are in flight, each return that comes brings
/// a new call. Without it two fast peers exchange frames one by one, at the price of a system call each.
#[derive(Default, Debug)]
pub(super) struct Linger {
    since: Option<Instant>,
}

impl Linger {
    pub(super) fn wants(&mut self, state: &State, line: &Line, progress: bool) -> bool {
        let in_flight = state.conn.in_flight();
        let pays = in_flight >= 8
            && !state.urgent
            && state.unflushed * 2 < in_flight
            && !line.one_processor.load(Ordering::Relaxed);
        if !pays {
            self.since = None;
            return false;
        }
        let now = Instant::now();
        if progress {
            self.since = Some(now);
        }
        let lingers = now.duration_since(*self.since.get_or_insert(now)) < LINGER;
        if !lingers {
            self.since = None;
        }
        lingers
    }
}
