//! What the model of a mailbox knows of letters: those that are accepted, and those that are being sent.

use super::{LetterId, SeatId};
use crate::ProcessId;
use bytes::Bytes;
use std::{collections::VecDeque, sync::Arc};

/// Where a letter is, as far as its events tell.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Place {
    Ready,
    Held(SeatId),
    Acked(Arc<ProcessId>),
    /// Dead, dropped or returned.
    Lost,
}

#[derive(Debug)]
pub(super) struct Known {
    pub(super) place: Place,
    /// What was sent, which no two letters have in common.
    pub(super) bytes: Bytes,
    pub(super) sender: SeatId,
    pub(super) key: u64,
    pub(super) deliveries: u32,
    pub(super) unread: u32,
    /// Who took it last.
    pub(super) taken_by: Option<Arc<ProcessId>>,
}

/// Letters that are sent, one after the other, and not accepted yet.
#[derive(Debug)]
pub(super) struct Sending {
    pub(super) seat: SeatId,
    pub(super) key: u64,
    pub(super) letters: VecDeque<Bytes>,
    /// The last one that was accepted.
    pub(super) accepted: Option<LetterId>,
}

impl Sending {
    pub(super) fn bytes(&self) -> u64 {
        self.letters.iter().map(|letter| letter.len() as u64).sum()
    }
}
