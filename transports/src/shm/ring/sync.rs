//! The primitives that loom replaces when it explores every interleaving.

#[cfg(all(loom, test))]
pub(crate) use loom::sync::atomic::AtomicU32;
#[cfg(loom)]
pub(crate) use loom::sync::atomic::{Ordering, fence};
#[cfg(all(any(test, feature = "fuzzing"), not(loom)))]
pub(crate) use std::sync::atomic::AtomicU32;
#[cfg(not(loom))]
pub(crate) use std::sync::atomic::{Ordering, fence};
