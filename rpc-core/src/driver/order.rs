//! A call to be made: everything of it, encoded.

use super::{Enclosed, Enclosing};
use crate::{
    buffer::Buffer,
    clock,
    frame::{DEPTH, Trace},
    id::{CallId, ObjectId},
    interface::Method,
    stub::Handle,
    tail::Tail,
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::oneshot;

/// What a call is made on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Target {
    /// The service that the connection is bound to, whatever its number on the present wire.
    Root,
    /// An object of the wire with this number in the order of wires.
    Object(ObjectId, u32),
    /// What a call of mine will return, on the wire on which that went out.
    Answer(CallId),
}

/// When a call fails if it has not come back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Deadline {
    Never,
    /// So long after it was made: on the way of most calls, nobody need look at the clock before they are out.
    After(Duration),
    At(Instant),
    /// Then, and so long after it was made: nobody need look at the clock again before it is out.
    Then(Instant, Duration),
}

impl Deadline {
    pub(crate) fn at(self, made: Instant) -> Option<Instant> {
        match self {
            Self::Never => None,
            Self::After(time) => made.checked_add(time),
            Self::At(at) | Self::Then(at, _) => Some(at),
        }
    }

    /// The earlier of the two.
    pub(crate) fn or_at(self, other: Option<Instant>) -> Self {
        let Some(other) = other else { return self };
        let now = clock::now();
        let at = self.at(now).map_or(other, |at| at.min(other));
        Self::Then(at, at.saturating_duration_since(now))
    }

    /// Milliseconds left, rounded up.
    pub(super) fn remaining(self) -> Option<u64> {
        let left = match self {
            Self::Never => return None,
            Self::After(time) | Self::Then(_, time) => time,
            Self::At(at) => at.saturating_duration_since(clock::now()),
        };
        let below = u64::from(left.subsec_nanos().div_ceil(1_000_000));
        Some(left.as_secs().saturating_mul(1000).saturating_add(below))
    }
}

/// What a call carries beside its arguments, where it carries anything.
#[derive(Clone, Default, Debug)]
pub(crate) struct Carried {
    pub(crate) trace: Option<Trace>,
    pub(crate) metadata: Arc<[u8]>,
}

/// What belongs to a stream, and so to no call: it inherits no deadline, and waits for no credit, for the calls that have all of that may
/// wait for what it brings.
#[derive(Default, Debug)]
pub(crate) struct Apart {
    /// Who waits until the order has gone out, or will not.
    pub(crate) gone: Option<oneshot::Sender<()>>,
}

impl Drop for Apart {
    fn drop(&mut self) {
        if let Some(gone) = self.gone.take() {
            // Whoever has given up does not wait.
            let _ = gone.send(());
        }
    }
}

/// A call to be made. A large tail of its arguments is passed beside it.
#[derive(Debug)]
pub(crate) struct Order {
    pub(crate) target: Target,
    pub(crate) method: &'static Method,
    pub(crate) idempotent: bool,
    pub(crate) deadline: Deadline,
    pub(crate) chain: Option<u64>,
    pub(crate) carried: Option<Arc<Carried>>,
    /// The arguments, up to the first large one.
    pub(crate) head: Buffer,
    /// The arguments from the first large one on.
    pub(crate) tail: Option<Tail>,
    /// The payloads that travel with them. Those that are inline are at the end of the tail, or of the head.
    pub(crate) payloads: Enclosing,
    pub(crate) apart: Option<Apart>,
    /// What a one-way call is made on, while it is held: given up before, it would be released before the call arrives.
    pub(super) keeps: Option<Arc<Handle>>,
}

impl Order {
    pub(crate) fn new(target: Target, method: &'static Method, head: Buffer) -> Self {
        Self {
            target,
            method,
            idempotent: method.mode.idempotent,
            deadline: Deadline::Never,
            chain: None,
            carried: None,
            head,
            tail: None,
            payloads: None,
            apart: None,
            keeps: None,
        }
    }

    /// It is made while another call is served, and does not wait for the credit of calls that may wait for it.
    pub(super) fn is_nested(&self) -> bool {
        self.chain.is_some_and(|chain| chain & DEPTH > 0)
    }

    /// Whether something must be told, or given up, when it is dropped: under no lock.
    pub(super) fn holds(&self) -> bool {
        self.payloads.is_some() || self.apart.is_some() || self.keeps.is_some()
    }

    /// Encoded metadata.
    pub(super) fn metadata(&self) -> &[u8] {
        self.carried.as_ref().map_or(&[], |carried| &carried.metadata)
    }

    pub(super) fn trace(&self) -> Option<&Trace> {
        self.carried.as_ref().and_then(|carried| carried.trace.as_ref())
    }

    /// Bytes of the arguments, and of the payloads that are inline.
    pub(super) fn len(&self) -> usize {
        let tail = self.tail.as_ref().map_or(0, |tail| tail.len());
        self.head.len() + tail + self.payloads.as_deref().map_or(0, Enclosed::values_bytes)
    }

    /// Bytes of the payloads that are not in the frame.
    pub(super) fn beside_bytes(&self) -> usize {
        self.payloads.as_deref().map_or(0, Enclosed::beside_bytes)
    }

    /// Bytes of its frame, more or less.
    pub(super) fn size(&self) -> usize {
        self.len() + 64 + self.metadata().len()
    }

    /// Whether the order can be sent again as it is: nothing of it was given away.
    pub(super) fn is_whole(&self, sent_tail: bool) -> bool {
        !sent_tail && self.payloads.as_deref().is_none_or(Enclosed::is_whole)
    }
}
