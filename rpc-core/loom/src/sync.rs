//! What the lease is made of, under loom. Its lock is the standard library's uncontended path: one exchange to take it, one
//! store to give it back. (loom's own blocks whoever is about to *try* a lock until it is free, so that no try fails beside a holder
//! that sleeps.)

use loom::sync::{Mutex as Value, MutexGuard as ValueGuard};
use std::ops::{Deref, DerefMut};

pub(crate) use loom::sync::atomic::{AtomicBool, Ordering, fence};

#[derive(Debug)]
pub(crate) struct Mutex<T> {
    taken: AtomicBool,
    /// Only who has `taken` locks it.
    value: Value<T>,
}

impl<T> Mutex<T> {
    pub(crate) fn new(value: T) -> Self {
        Self { taken: AtomicBool::new(false), value: Value::new(value) }
    }

    pub(crate) fn try_lock(&self) -> Result<MutexGuard<'_, T>, Taken> {
        self.taken
            .compare_exchange(false, true, Ordering::Acquire, Ordering::Relaxed)
            .map_err(|_| Taken)?;
        Ok(MutexGuard { taken: &self.taken, value: Some(self.value.lock().unwrap()) })
    }
}

#[derive(Debug)]
pub(crate) struct Taken;

#[derive(Debug)]
pub(crate) struct MutexGuard<'a, T> {
    taken: &'a AtomicBool,
    value: Option<ValueGuard<'a, T>>,
}

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.value.as_ref().expect("it is there until the guard is dropped")
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.value.as_mut().expect("it is there until the guard is dropped")
    }
}

impl<T> Drop for MutexGuard<'_, T> {
    fn drop(&mut self) {
        drop(self.value.take());
        self.taken.store(false, Ordering::Release);
    }
}
