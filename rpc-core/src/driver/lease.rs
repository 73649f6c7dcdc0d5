//! The receive lease: whoever waits also reads, for everybody. One at a time, and nobody sleeps on it.
//!
//! Whoever finds the lease taken leaves a note and tries once more. Whoever gives it back looks for the note afterwards. One of the two
//! sees the other: `missed` is written before the retry and read after the release, with a full fence between on both sides.

use crate::sync::{AtomicBool, Mutex, MutexGuard, Ordering, fence};

/// The right to receive.
#[derive(Debug)]
pub(crate) struct Lease<T> {
    held: Mutex<T>,
    missed: AtomicBool,
}

impl<T> Lease<T> {
    pub(crate) fn new(value: T) -> Self {
        Self { held: Mutex::new(value), missed: AtomicBool::new(false) }
    }

    /// Takes the lease if it is free. `None`: its holder will see that it was missed.
    pub(crate) fn try_take(&self) -> Option<MutexGuard<'_, T>> {
        if let Ok(guard) = self.held.try_lock() {
            return Some(guard);
        }
        self.missed.store(true, Ordering::Relaxed);
        fence(Ordering::SeqCst); // SYNC(missed)
        self.held.try_lock().ok()
    }

    /// Whether somebody holds it at the moment.
    pub(crate) fn is_held(&self) -> bool {
        self.held.try_lock().is_err()
    }

    /// Gives the lease back. True if somebody missed it meanwhile: somebody must be woken to look.
    pub(crate) fn release(&self, guard: MutexGuard<'_, T>) -> bool {
        drop(guard);
        fence(Ordering::SeqCst); // SYNC(missed)
        self.missed.load(Ordering::Relaxed) && self.missed.swap(false, Ordering::Relaxed)
    }
}
