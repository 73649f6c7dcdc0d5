//! A call to be made: everything of it, encoded.

use crate::{buffer::Buffer, frame::Trace, id::ObjectId, interface::Method};
use std::{sync::Arc, time::Instant};

/// What a call is made on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Target {
    /// The service that the connection is bound to, whatever its number on the present wire.
    Root,
    /// An object of the wire with this number in the order of wires.
    Object(ObjectId, u32),
}

/// A call to be made.
#[derive(Debug)]
pub(crate) struct Order {
    pub(crate) target: Target,
    pub(crate) method: &'static Method,
    pub(crate) idempotent: bool,
    /// When it was made.
    pub(crate) made: Instant,
    pub(crate) deadline: Option<Instant>,
    pub(crate) chain: Option<u64>,
    pub(crate) trace: Option<Trace>,
    pub(crate) metadata: Option<Arc<[u8]>>,
    /// The arguments, up to the first large one.
    pub(crate) head: Buffer,
    /// The arguments from the first large one on.
    pub(crate) tail: Option<Buffer>,
}

impl Order {
    /// Bytes of the arguments.
    pub(super) fn len(&self) -> usize {
        self.head.len() + self.tail.as_ref().map_or(0, |tail| tail.len())
    }

    /// Whether the order can be sent again as it is: its tail was not given away.
    pub(super) fn is_whole(&self, sent_tail: bool) -> bool {
        !sent_tail
    }
}
