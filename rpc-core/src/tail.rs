//! The large end of a frame, which a transport may keep and need not copy.

use crate::buffer::Buffer;
use bytes::Bytes;
use std::ops::Deref;

/// The large end of a frame.
#[derive(Debug)]
pub enum Tail {
    /// Bytes that were encoded.
    Own(Buffer),
    /// Bytes of the program's, which others may have too.
    Shared(Bytes),
}

impl Tail {
    /// The buffer to append to. What others may have is copied.
    pub(crate) fn writer(&mut self) -> &mut Buffer {
        loop {
            match self {
                Self::Own(buffer) => return buffer,
                Self::Shared(bytes) => *self = Self::Own(copied(bytes)),
            }
        }
    }

    /// Keeps the first `length` bytes.
    pub(crate) fn truncate(&mut self, length: usize) {
        match self {
            Self::Own(buffer) => buffer.truncate(length),
            Self::Shared(bytes) => bytes.truncate(length),
        }
    }
}

/// A copy with some room for more.
fn copied(bytes: &[u8]) -> Buffer {
    let mut buffer = Buffer::with_capacity(bytes.len().saturating_add(SLACK));
    buffer.extend_from_slice(bytes);
    buffer
}

/// Room for small values after a large one.
pub(crate) const SLACK: usize = 256;

impl Deref for Tail {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Own(buffer) => buffer,
            Self::Shared(bytes) => bytes,
        }
    }
}

impl From<Buffer> for Tail {
    fn from(buffer: Buffer) -> Self {
        Self::Own(buffer)
    }
}

impl From<Bytes> for Tail {
    fn from(bytes: Bytes) -> Self {
        Self::Shared(bytes)
    }
}
