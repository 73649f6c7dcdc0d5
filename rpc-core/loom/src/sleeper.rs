//! Sleeping and waking. One wake before the sleep is kept, as with a thread's token or a task's waker. (loom's own `unpark` also wakes
//! a thread that waits for a mutex.)

use loom::sync::{Condvar, Mutex};
use std::sync::Arc;

/// A handle on whoever sleeps.
#[derive(Clone)]
pub(crate) struct Sleeper(Arc<(Mutex<bool>, Condvar)>);

impl Sleeper {
    pub(crate) fn new() -> Self {
        Self(Arc::new((Mutex::new(false), Condvar::new())))
    }

    pub(crate) fn sleep(&self) {
        let (woken, changed) = &*self.0;
        let mut woken = woken.lock().unwrap();
        while !*woken {
            woken = changed.wait(woken).unwrap();
        }
        *woken = false;
    }

    pub(crate) fn wake(&self) {
        let (woken, changed) = &*self.0;
        *woken.lock().unwrap() = true;
        changed.notify_one();
    }

    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}
