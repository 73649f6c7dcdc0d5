//! Reads a frame's fields in order. Every length is checked against the bytes that are there.

use crate::id::{CallId, ObjectId};

/// Why bytes are not a frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum FrameError {
    /// The frame ends inside of a field.
    #[error("a frame ends inside of a field")]
    Cut,
    /// A number is longer than it needs to be or does not fit its field.
    #[error("a number in a frame is malformed")]
    Varint,
    /// Bytes follow the last field.
    #[error("a frame has bytes after its last field")]
    Trailing,
    /// A text is not UTF-8.
    #[error("a text in a frame is not UTF-8")]
    Text,
    /// A field has a value that this protocol does not know.
    #[error("a field of a frame has an unknown value")]
    Value,
    /// The first frame is not farcall's.
    #[error("the peer does not speak farcall's protocol: check the address and the port")]
    Magic,
}

/// A cursor over the bytes of one frame.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Starts at the first byte.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    #[inline]
    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8], FrameError> {
        let (taken, rest) = self.bytes.split_at_checked(count).ok_or(FrameError::Cut)?;
        self.bytes = rest;
        Ok(taken)
    }

    #[inline]
    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], FrameError> {
        let (taken, rest) = self.bytes.split_first_chunk::<N>().ok_or(FrameError::Cut)?;
        self.bytes = rest;
        Ok(*taken)
    }

    #[inline]
    pub(super) fn u8(&mut self) -> Result<u8, FrameError> {
        let (first, rest) = self.bytes.split_first().ok_or(FrameError::Cut)?;
        self.bytes = rest;
        Ok(*first)
    }

    #[inline(always)]
    pub(super) fn u64(&mut self) -> Result<u64, FrameError> {
        match *self.bytes {
            [first, ref rest @ ..] if first < 0x80 => {
                self.bytes = rest;
                Ok(u64::from(first))
            }
            [first, second @ 1..0x80, ref rest @ ..] => {
                self.bytes = rest;
                Ok(u64::from(first & 0x7f) | u64::from(second) << 7)
            }
            _ => self.long(),
        }
    }

    #[cold]
    fn long(&mut self) -> Result<u64, FrameError> {
        let mut value = u64::from(self.u8()? & 0x7f);
        for shift in (7..64).step_by(7) {
            let byte = self.u8()?;
            let bits = u64::from(byte & 0x7f);
            if byte == 0 || (shift == 63 && bits > 1) {
                return Err(FrameError::Varint);
            }
            value |= bits << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(FrameError::Varint)
    }

    #[inline]
    pub(super) fn u32(&mut self) -> Result<u32, FrameError> {
        u32::try_from(self.u64()?).map_err(|_| FrameError::Varint)
    }

    #[inline]
    fn u16(&mut self) -> Result<u16, FrameError> {
        u16::try_from(self.u64()?).map_err(|_| FrameError::Varint)
    }

    #[inline]
    pub(super) fn call_id(&mut self) -> Result<CallId, FrameError> {
        Ok(CallId { slot: self.u32()?, generation: self.u16()? })
    }

    #[inline]
    pub(super) fn object_id(&mut self) -> Result<ObjectId, FrameError> {
        Ok(ObjectId { slot: self.u32()?, generation: self.u16()? })
    }

    /// Bytes with their length before them.
    #[inline]
    pub(super) fn bytes(&mut self) -> Result<&'a [u8], FrameError> {
        let count = usize::try_from(self.u64()?).map_err(|_| FrameError::Varint)?;
        self.take(count)
    }

    pub(super) fn text(&mut self) -> Result<&'a str, FrameError> {
        std::str::from_utf8(self.bytes()?).map_err(|_| FrameError::Text)
    }

    /// Everything that is left.
    #[inline]
    pub(super) fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.bytes)
    }

    #[inline]
    pub(super) fn end(&self) -> Result<(), FrameError> {
        if self.bytes.is_empty() { Ok(()) } else { Err(FrameError::Trailing) }
    }
}
