//! What a frame gives back: counts of references, several at a time.

use super::{FrameError, Reader, kind, put_object_id, put_varint};
use crate::id::ObjectId;

/// References given back: which objects, and how many descriptors of each had been received.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Releases<'a> {
    bytes: &'a [u8],
}

impl<'a> Releases<'a> {
    /// The releases that [`encode`](Self::encode) has written, the frame's first byte not among them.
    #[must_use]
    pub fn of(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    /// Objects and counts. What is malformed ends them.
    pub fn entries(&self) -> impl Iterator<Item = (ObjectId, u32)> + 'a {
        let mut reader = Reader::new(self.bytes);
        std::iter::from_fn(move || Some((reader.object_id().ok()?, reader.u32().ok()?)))
    }

    /// Appends a whole frame that gives these back.
    pub fn encode(entries: impl Iterator<Item = (ObjectId, u32)>, out: &mut Vec<u8>) {
        out.push(kind::RELEASE);
        for (object, count) in entries {
            put_object_id(out, object);
            put_varint(out, u64::from(count));
        }
    }

    /// Reads at least one, to the end of the frame. Each gives back something.
    pub(super) fn decode(reader: &mut Reader<'a>) -> Result<Self, FrameError> {
        let whole = reader.clone().rest();
        loop {
            reader.object_id()?;
            if reader.u32()? == 0 {
                return Err(FrameError::Value);
            }
            if reader.end().is_ok() {
                return Ok(Self::of(whole));
            }
        }
    }

    pub(super) fn bytes(&self) -> &'a [u8] {
        self.bytes
    }
}
