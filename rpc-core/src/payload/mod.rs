//! Payloads: bytes that travel beside the values of a call, and are read where they are.
//!
//! One of the files that may be `unsafe`: it hands on the promise of [`Payload::as_slice_unchecked`], and does nothing else with it.
#![expect(unsafe_code, reason = "a promise of the caller's is handed on")]

mod beside;
mod block;
mod chunks;
mod loan;
mod travel;

pub(crate) use beside::{Scope, Scopes};
pub use block::{Block, Trusted};
pub use chunks::Reader;
pub use loan::Loan;
pub(crate) use travel::{claim_from, collect_into, may_hold};

use crate::{buffer::Buffer, copy, tail::Tail};
use bytes::Bytes;
use std::{fmt, ops::Range, sync::Arc};

/// Bytes that travel without being copied where that can be: an argument, a result, or a field of either.
///
/// One that was [loaned](crate::stub::Remote::loan) on a connection through shared memory travels as a few bytes, whatever its size, and is
/// read by the peer where it lies. Elsewhere its bytes travel with the call. It is cheap to clone, can be kept, passed on and
/// sent back, and stays readable after its connection has ended.
///
/// A side of a connection has a bounded amount of shared memory for payloads, and what a peer keeps is not free. One that finds none travels
/// with its call; if no frame can hold it, the call or the answer waits, no longer than its deadline, until enough of it is free. One that
/// can never fit fails as `TooLarge` at once.
///
/// The memory may be another process's, which can still write it: so its bytes are copied out, by [`copy_to`](Self::copy_to),
/// [`for_each_chunk`](Self::for_each_chunk), [`reader`](Self::reader) or [`to_vec`](Self::to_vec). There is a slice only where nobody
/// can write any more: see [`try_as_slice`](Self::try_as_slice).
#[derive(Clone)]
pub struct Payload {
    bytes: Memory,
}

/// Where the bytes are.
#[derive(Clone)]
enum Memory {
    /// In a part of a buffer.
    Heap(Arc<Buffer>, Range<usize>),
    Shared(Bytes),
    /// In memory of a transport.
    Block(Arc<dyn Block>),
}

impl Payload {
    /// No bytes.
    #[must_use]
    pub const fn new() -> Self {
        Self { bytes: Memory::Shared(Bytes::new()) }
    }

    /// How many bytes it has.
    #[must_use]
    pub fn len(&self) -> usize {
        match &self.bytes {
            Memory::Heap(_, range) => range.len(),
            Memory::Shared(bytes) => bytes.len(),
            Memory::Block(block) => block.length(),
        }
    }

    /// Whether it has no bytes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Copies the bytes from `offset` on into `bytes`, as far as there are so many, and tells how many.
    ///
    /// What another process writes meanwhile may come out half old and half new.
    pub fn copy_to(&self, offset: usize, bytes: &mut [u8]) -> usize {
        let length = self.len().saturating_sub(offset).min(bytes.len());
        let Some(bytes) = bytes.get_mut(..length).filter(|bytes| !bytes.is_empty()) else {
            return 0;
        };
        match (&self.bytes, self.try_as_slice()) {
            (_, Some(slice)) => {
                copy::copy(bytes, slice.get(offset..offset + length).unwrap_or_default());
            }
            (Memory::Block(block), None) => block.read(offset, bytes),
            (_, None) => {}
        }
        length
    }

    /// A copy of all bytes.
    #[must_use]
    pub fn to_vec(&self) -> Vec<u8> {
        match self.try_as_slice() {
            Some(slice) => copy::to_vec(slice),
            None => self.to_buffer().into_vec(),
        }
    }

    /// Gives all bytes to `take`, one piece after the other: as they are if they can be had as a slice, else in copies of 8 KiB,
    /// which stay in the processor's cache.
    pub fn for_each_chunk(&self, take: impl FnMut(&[u8])) {
        chunks::for_each(self, take);
    }

    /// Reads the bytes from the first on.
    #[must_use]
    pub fn reader(&self) -> Reader<'_> {
        Reader::new(self)
    }

    /// The bytes, where nobody can write them any more: on the heap, in memory that this process has loaned, or in that of a peer that
    /// is trusted.
    #[must_use]
    pub fn try_as_slice(&self) -> Option<&[u8]> {
        match &self.bytes {
            Memory::Heap(buffer, range) => Some(buffer.get(range.clone()).unwrap_or_default()),
            Memory::Shared(bytes) => Some(bytes),
            Memory::Block(block) => block.as_slice(),
        }
    }

    /// The bytes, wherever they are.
    ///
    /// # Safety
    /// The process that the payload comes from does not write it while the slice is there. Every build of farcall keeps to that; a
    /// process that means harm does not.
    #[must_use]
    pub unsafe fn as_slice_unchecked(&self) -> &[u8] {
        match (&self.bytes, self.try_as_slice()) {
            (_, Some(slice)) => slice,
            // SAFETY: the caller promises the same.
            (Memory::Block(block), None) => unsafe { block.as_slice_unchecked() },
            (_, None) => &[],
        }
    }
}

// For transports and the driver.
impl Payload {
    /// A payload in memory of a transport.
    #[must_use]
    pub fn of_block(block: Arc<dyn Block>) -> Self {
        Self { bytes: Memory::Block(block) }
    }

    /// The memory of a transport that it is in.
    #[must_use]
    pub fn block(&self) -> Option<&Arc<dyn Block>> {
        match &self.bytes {
            Memory::Block(block) => Some(block),
            _ => None,
        }
    }

    /// The memory of a transport that it is in, by value.
    ///
    /// # Errors
    /// Itself, if it is on the heap.
    pub fn into_block(self) -> Result<Arc<dyn Block>, Self> {
        match self.bytes {
            Memory::Block(block) => Ok(block),
            bytes => Err(Self { bytes }),
        }
    }

    /// Whether the memory is the peer's.
    pub(crate) fn is_borrowed(&self) -> bool {
        self.block().is_some_and(|block| block.is_borrowed())
    }

    /// Whether it is the very same memory.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        match (&self.bytes, &other.bytes) {
            (Memory::Heap(a, of_a), Memory::Heap(b, of_b)) => Arc::ptr_eq(a, b) && of_a == of_b,
            (Memory::Shared(a), Memory::Shared(b)) => {
                a.as_ptr() == b.as_ptr() && a.len() == b.len()
            }
            (Memory::Block(a), Memory::Block(b)) => Arc::ptr_eq(a, b),
            _ => false,
        }
    }

    /// A part of a buffer that others may share.
    pub(crate) fn part(buffer: &Arc<Buffer>, range: Range<usize>) -> Self {
        Self { bytes: Memory::Heap(Arc::clone(buffer), range) }
    }

    /// The buffer, if the payload is the whole of it and nobody else holds it.
    pub(crate) fn into_buffer(self) -> Result<Buffer, Self> {
        match self.bytes {
            Memory::Heap(buffer, range) if range.start == 0 => {
                let length = range.end;
                let buffer = Arc::try_unwrap(buffer);
                let bytes = |buffer| Self { bytes: Memory::Heap(buffer, range) };
                let mut buffer = buffer.map_err(bytes)?;
                buffer.truncate(length);
                Ok(buffer)
            }
            bytes => Err(Self { bytes }),
        }
    }

    /// The end of a frame. What is on the heap is not copied.
    pub(crate) fn into_tail(self) -> Tail {
        match self.into_buffer() {
            Ok(buffer) => buffer.into(),
            Err(Self { bytes: Memory::Shared(bytes) }) => bytes.into(),
            Err(Self { bytes: Memory::Heap(buffer, range) }) => {
                Bytes::from_owner(Part(buffer, range)).into()
            }
            Err(block) => block.to_buffer().into(),
        }
    }

    /// A copy in a buffer.
    pub(crate) fn to_buffer(&self) -> Buffer {
        let mut buffer = Buffer::with_capacity(self.len());
        self.append_to(&mut buffer);
        buffer
    }

    /// Appends all bytes to a buffer.
    pub(crate) fn append_to(&self, buffer: &mut Buffer) {
        match (&self.bytes, self.try_as_slice()) {
            (_, Some(slice)) => buffer.extend_from_slice(slice),
            (Memory::Block(block), None) => block.append_to(buffer.writer()),
            (_, None) => {}
        }
    }
}

/// A part of a buffer that others may share.
struct Part(Arc<Buffer>, Range<usize>);

impl AsRef<[u8]> for Part {
    fn as_ref(&self) -> &[u8] {
        self.0.get(self.1.clone()).unwrap_or_default()
    }
}

impl Default for Payload {
    fn default() -> Self {
        Self::new()
    }
}

impl From<Buffer> for Payload {
    fn from(buffer: Buffer) -> Self {
        let length = buffer.len();
        Self { bytes: Memory::Heap(Arc::new(buffer), 0..length) }
    }
}

impl From<Vec<u8>> for Payload {
    fn from(bytes: Vec<u8>) -> Self {
        Buffer::from(bytes).into()
    }
}

impl From<&[u8]> for Payload {
    fn from(bytes: &[u8]) -> Self {
        let mut buffer = Buffer::with_capacity(bytes.len());
        buffer.extend_from_slice(bytes);
        buffer.into()
    }
}

impl From<Bytes> for Payload {
    fn from(bytes: Bytes) -> Self {
        Self { bytes: Memory::Shared(bytes) }
    }
}

impl From<Loan> for Payload {
    fn from(loan: Loan) -> Self {
        loan.into_payload()
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Payload").field("len", &self.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
