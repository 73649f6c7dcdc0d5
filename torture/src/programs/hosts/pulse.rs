//! Whether the machine goes at all: a thread that looks at the clock again and again, and notes when it was kept from it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

/// Between two looks.
const BEAT: Duration = Duration::from_millis(50);

/// The longest time between two looks, since it was last asked for, in milliseconds. Dropped, it ends the thread.
pub(super) struct Pulse(Arc<AtomicU64>);

impl Pulse {
    pub(super) fn begin() -> Self {
        let longest = Arc::new(AtomicU64::new(0));
        let noted = Arc::downgrade(&longest);
        thread::spawn(move || {
            let mut looked = Instant::now();
            while let Some(longest) = noted.upgrade() {
                let now = Instant::now();
                let millis = now.duration_since(looked).as_millis();
                longest.fetch_max(u64::try_from(millis).unwrap_or(u64::MAX), Ordering::Relaxed);
                looked = now;
                thread::sleep(BEAT);
            }
        });
        Self(longest)
    }

    pub(super) fn take(&self) -> Duration {
        Duration::from_millis(self.0.swap(0, Ordering::Relaxed))
    }
}
