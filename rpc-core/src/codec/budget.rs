//! What decoding one message may cost: a peer decides about the bytes, so we decide about what becomes of them.

use super::fault::Fault;
use crate::limits::Limits;

/// Decoded bytes allowed for each byte of the frame.
const PER_FRAME_BYTE: usize = 8;

/// What decoding one message may cost. What is left of it, while a message is decoded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Budget {
    /// Bytes that may be materialised: the memory of the elements of sequences and maps, of boxed values, of texts and
    /// bytes. Allocators and tables add their own overhead, which is not counted.
    pub bytes: usize,
    /// Nesting of structs, enums, tuples, sequences, maps and options. Newtypes count as what they contain.
    pub depth: usize,
}

impl Budget {
    /// The budget for a frame of `frame` bytes: the larger of `limits.decoded` and 8 x the frame.
    #[must_use]
    pub fn of(limits: &Limits, frame: usize) -> Self {
        let bytes = limits.decoded.max(frame.saturating_mul(PER_FRAME_BYTE));
        Self { bytes, depth: limits.depth }
    }

    /// Takes `bytes` from what is left.
    #[inline]
    pub(super) fn charge(&mut self, bytes: usize) -> Result<(), Fault> {
        self.bytes = self.bytes.checked_sub(bytes).ok_or(Fault::Memory)?;
        Ok(())
    }

    /// One level down.
    #[inline]
    pub(super) fn enter(&mut self) -> Result<(), Fault> {
        self.depth = self.depth.checked_sub(1).ok_or(Fault::Depth)?;
        Ok(())
    }

    /// One level up again.
    #[inline]
    pub(super) fn leave(&mut self) {
        self.depth = self.depth.saturating_add(1);
    }
}
