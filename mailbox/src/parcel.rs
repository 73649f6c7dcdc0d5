//! Letters that are sent together.

use crate::Result;
use bytes::Bytes;
use farcall_core::codec::Encoder;
use serde::Serialize;

/// Letters that are sent together, at most.
pub const PARCEL_LETTERS: usize = 128;
/// Bytes of letters from which they are sent without waiting for more.
pub const PARCEL_BYTES: usize = 32 << 10;

/// Letters that are sent together, one after the other in one piece of memory.
#[derive(Default, Debug)]
pub(crate) struct Parcel {
    letters: Encoder,
    lengths: Vec<u32>,
    bytes: usize,
}

impl Parcel {
    /// Adds a letter.
    pub(crate) fn push<T: Serialize>(&mut self, value: &T) -> Result<()> {
        self.letters.value(value)?;
        let bytes = self.letters.written();
        // A frame is shorter by far, and refused where it is too long.
        self.lengths.push((bytes - self.bytes) as u32);
        self.bytes = bytes;
        Ok(())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.lengths.is_empty()
    }

    pub(crate) fn is_full(&self) -> bool {
        self.lengths.len() >= PARCEL_LETTERS || self.bytes >= PARCEL_BYTES
    }

    /// The letters, and how long each is.
    pub(crate) fn finish(self) -> (Vec<u32>, Bytes) {
        (self.lengths, bytes_of(self.letters))
    }
}

/// What was encoded, in one piece.
pub(crate) fn bytes_of(encoder: Encoder) -> Bytes {
    let (head, tail) = encoder.finish();
    let mut bytes = head.into_vec();
    bytes.extend_from_slice(tail.as_deref().unwrap_or_default());
    bytes.into()
}
