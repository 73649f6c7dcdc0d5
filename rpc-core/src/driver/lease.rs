//! The receive lease: whoever waits also reads, for everybody. One at a time, and nobody sleeps on it.
//!
//! Whoever finds the lease taken leaves a note and tries once more. Whoever gives it back looks for the note afterwards. One of the two
//! sees the other: `missed` is written before the retry and read after the release, with a full fence between on both sides.

use crate::sync::{AtomicBool, Mutex, MutexGuard, Ordering, fence};
use std::sync::atomic::AtomicBool as Hint;

/// The right to receive.
#[derive(Debug)]
pub(crate) struct Lease<T> {
    held: Mutex<T>,
    missed: AtomicBool,
    /// What `is_held` tells: a hint, outside of the protocol, so loom need not know of it.
    taken: Hint,
}

impl<T> Lease<T> {
    pub(crate) fn new(value: T) -> Self {
        Self { held: Mutex::new(value), missed: AtomicBool::new(false), taken: false.into() }
    }

    /// Takes the lease if it is free. `None`: its holder will see that it was missed.
    pub(crate) fn try_take(&self) -> Option<MutexGuard<'_, T>> {
        let guard = self.held.try_lock().ok().or_else(|| {
            self.missed.store(true, Ordering::Relaxed);
            fence(Ordering::SeqCst); // SYNC(missed)
            self.held.try_lock().ok()
        })?;
        self.taken.store(true, Ordering::Relaxed);
        Some(guard)
    }

    /// Whether somebody holds it at the moment, or did a moment ago.
    pub(crate) fn is_held(&self) -> bool {
        self.taken.load(Ordering::Relaxed)
    }

    /// Gives the lease back. True if somebody missed it meanwhile: somebody must be woken to look.
    pub(crate) fn release(&self, guard: MutexGuard<'_, T>) -> bool {
        self.taken.store(false, Ordering::Relaxed);
        drop(guard);
        fence(Ordering::SeqCst); // SYNC(missed)
        self.missed.load(Ordering::Relaxed) && self.missed.swap(false, Ordering::Relaxed)
    }
}
