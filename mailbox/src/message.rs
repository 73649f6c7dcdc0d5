//! What a process has got from another one directly.

use crate::ProcessId;
use std::ops::Deref;

/// A message from another process. It reads like the value in it, and is done with as soon as it is taken: there is nobody else who could
/// have it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Message<T> {
    pub(crate) value: T,
    pub(crate) sender: ProcessId,
}

impl<T> Message<T> {
    /// Who sent it.
    #[must_use]
    pub fn sender(&self) -> &ProcessId {
        &self.sender
    }

    /// The value.
    #[must_use]
    pub fn into_inner(self) -> T {
        self.value
    }
}

impl<T> Deref for Message<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}
