//! Whether the background task has been told that there is something to do.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// A note for the background task. Changed under the connection's lock; the background task may look without it while it is awake, and looks
/// once more under the lock before it sleeps.
#[derive(Clone, Default, Debug)]
pub(super) struct Notice(Arc<AtomicBool>);

impl Notice {
    pub(super) fn give(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub(super) fn take_back(&self) {
        self.0.store(false, Ordering::Relaxed);
    }

    pub(super) fn is_given(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
