//! Reading a payload piece by piece, without a reference into memory that another process can write.

use super::Payload;
use std::{
    fmt,
    io::{self, BufRead, Read},
};

/// Bytes of a piece that is copied: it stays in the processor's first cache.
const PIECE: usize = 8 << 10;
/// The distance at which addresses are alike to a processor that copies: see `buffer.rs`. Blocks begin with a page.
const PAGE: usize = 4096;

/// Gives all bytes to `take`.
pub(super) fn for_each(payload: &Payload, mut take: impl FnMut(&[u8])) {
    if let Some(slice) = payload.try_as_slice() {
        if !slice.is_empty() {
            take(slice);
        }
        return;
    }
    let mut room = [0; PIECE + PAGE];
    let start = (PAGE / 2).wrapping_sub(room.as_ptr().addr()) % PAGE;
    let piece = room.get_mut(start..start + PIECE).unwrap_or_default();
    let mut offset = 0;
    loop {
        let count = payload.copy_to(offset, piece);
        if count == 0 {
            return;
        }
        take(piece.get(..count).unwrap_or_default());
        offset += count;
    }
}

/// Reads a payload from its first byte on. Made by [`Payload::reader`].
pub struct Reader<'a> {
    payload: &'a Payload,
    /// Bytes that were taken.
    offset: usize,
    /// A copy of the next ones, where there is no slice.
    piece: Vec<u8>,
    /// Bytes of the copy that were taken.
    taken: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(payload: &'a Payload) -> Self {
        Self { payload, offset: 0, piece: Vec::new(), taken: 0 }
    }
}

impl Read for Reader<'_> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let count = self.payload.copy_to(self.offset, bytes);
        self.consume(count);
        Ok(count)
    }
}

impl BufRead for Reader<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if let Some(slice) = self.payload.try_as_slice() {
            return Ok(slice.get(self.offset..).unwrap_or_default());
        }
        if self.taken >= self.piece.len() {
            self.piece.resize(PIECE, 0);
            let count = self.payload.copy_to(self.offset, &mut self.piece);
            self.piece.truncate(count);
            self.taken = 0;
        }
        Ok(self.piece.get(self.taken..).unwrap_or_default())
    }

    fn consume(&mut self, count: usize) {
        self.offset = self.offset.saturating_add(count).min(self.payload.len());
        self.taken = self.taken.saturating_add(count);
    }
}

impl fmt::Debug for Reader<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").field("offset", &self.offset).finish_non_exhaustive()
    }
}
