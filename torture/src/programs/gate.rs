//! A gate: whether callers may have calls, and how many of them have some.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Whether there may be calls, and how many callers have some.
#[derive(Default)]
pub(crate) struct Gate {
    state: Mutex<(bool, usize)>,
    changed: Condvar,
}

/// A caller that has calls.
pub(crate) struct Pass<'a>(&'a Gate);

impl Gate {
    pub(crate) fn open(&self) {
        self.lock().0 = true;
        self.changed.notify_all();
    }

    /// Lets nobody in, and waits until all are out.
    pub(crate) fn close(&self) {
        let mut state = self.lock();
        state.0 = false;
        let out = self.changed.wait_while(state, |state| state.1 > 0);
        drop(out);
    }

    /// Waits until it is open.
    pub(crate) fn pass(&self) -> Pass<'_> {
        let state = self.changed.wait_while(self.lock(), |state| !state.0);
        state.unwrap_or_else(PoisonError::into_inner).1 += 1;
        Pass(self)
    }

    /// Goes in, open or not.
    pub(crate) fn enter(&self) {
        self.lock().1 += 1;
    }

    /// The pass of somebody who went in.
    pub(crate) fn entered(&self) -> Pass<'_> {
        Pass(self)
    }

    fn lock(&self) -> MutexGuard<'_, (bool, usize)> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        self.0.lock().1 -= 1;
        self.0.changed.notify_all();
    }
}
