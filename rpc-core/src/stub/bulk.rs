//! Arguments with a large one among them, encoded straight into memory of the wire: there is no copy between the caller's bytes and
//! those that the peer reads.

use crate::{
    buffer::Buffer,
    codec::Encoder,
    copy,
    payload::{Loan, Payload},
    tail::Tail,
};

/// Bytes of a length that stands before bulk.
const PREFIX: usize = 10;
/// Room for the arguments after the large one.
const SLACK: usize = 1024;

/// All arguments up to the large one, in memory of the wire.
#[derive(Debug)]
pub(super) struct Bulk {
    loan: Loan,
    filled: usize,
}

impl Bulk {
    /// Bytes from which an argument is large: a ring passes what is shorter at least as fast, being in the caches.
    pub(super) const LEAST: usize = 256 << 10;

    /// Copies what was encoded, and then `bytes`. `None`, and nothing is changed, if there was a large argument before, or no `room`.
    pub(super) fn begin(
        encoder: &mut Encoder,
        bytes: &[u8],
        room: impl FnOnce(usize) -> Option<Loan>,
    ) -> Option<Self> {
        let before = encoder.head_length()?;
        let mut bulk = Self { loan: room(before + PREFIX + bytes.len() + SLACK)?, filled: 0 };
        let head = encoder.take_before_bulk(bytes.len());
        bulk.append(&head);
        bulk.append(bytes);
        Some(bulk)
    }

    /// Adds the arguments after the large one and gives out the whole. If there is no room for them, all of it becomes the tail.
    pub(super) fn finish(mut self, head: &mut Buffer, tail: &mut Option<Tail>) -> Option<Payload> {
        let after = tail.as_deref().unwrap_or_default();
        if self.filled + head.len() + after.len() <= self.loan.len() {
            self.append(head);
            self.append(after);
            head.clear();
            *tail = None;
            self.loan.truncate(self.filled);
            return Some(self.loan.into());
        }
        let filled = self.loan.get(..self.filled).unwrap_or_default();
        let mut whole = Buffer::with_capacity(filled.len() + head.len() + after.len());
        [filled, head, after].into_iter().for_each(|part| whole.extend_from_slice(part));
        head.clear();
        *tail = Some(whole.into());
        None
    }

    /// There is room.
    fn append(&mut self, bytes: &[u8]) {
        let end = self.filled + bytes.len();
        if let Some(room) = self.loan.get_mut(self.filled..end) {
            copy::copy(room, bytes);
            self.filled = end;
        }
    }
}
