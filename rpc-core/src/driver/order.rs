//! A call to be made: everything of it, encoded.

use super::Enclosed;
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
    /// The payloads that travel with them. Those that are inline are at the end of the tail, or of the head.
    pub(crate) payloads: Enclosed,
}

impl Order {
    /// Bytes of the arguments, and of the payloads that are inline.
    pub(super) fn len(&self) -> usize {
        let tail = self.tail.as_ref().map_or(0, |tail| tail.len());
        self.head.len() + tail + self.payloads.values_bytes()
    }

    /// Bytes that it holds while it waits.
    pub(super) fn held_bytes(&self) -> usize {
        self.len() + self.payloads.beside_bytes()
    }

    /// Whether the order can be sent again as it is: nothing of it was given away.
    pub(super) fn is_whole(&self, sent_tail: bool) -> bool {
        !sent_tail && self.payloads.is_whole()
    }
}
