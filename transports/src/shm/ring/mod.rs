//! One direction of a wire in shared memory: records, who may write where, and how each side says that it sleeps.
//!
//! Each side owns one segment, which only it writes, and reads the other's. A direction is a [`Producer`] on the
//! sender's segment and a [`Consumer`] on the receiver's. Nothing here makes a system call, allocates or waits; the
//! memory is a [`Readable`] and a [`Writable`], so that the same code runs on a mapping, on the heap and under loom.

mod consumer;
mod geometry;
#[cfg(any(test, loom, feature = "fuzzing"))]
pub(crate) mod heap;
mod memory;
mod park;
mod producer;
mod record;
mod returns;
mod sync;
#[cfg(all(any(test, feature = "fuzzing"), not(loom)))]
pub(crate) mod target;

pub(crate) use consumer::{Consumer, Found};
pub(crate) use geometry::{GRANULE, Geometry};
pub(crate) use memory::{Readable, Writable};
pub(crate) use park::{Due, Lot, Ringer, Sleeper};
pub(crate) use producer::{Producer, Room, SHORT};
pub(crate) use record::{DESCRIPTOR, HEADER};
pub(crate) use returns::{GivenBack, TakenBack};
pub(crate) use sync::{Ordering, fence};

use std::io;

/// The other side has broken the rules of the ring.
fn broken(what: &str) -> io::Error {
    let text = format!("the peer broke the rules of the shared ring: {what}");
    io::Error::new(io::ErrorKind::InvalidData, text)
}

#[cfg(all(test, not(loom)))]
mod tests;
