//! A block of this side's arena. One of the files that may be `unsafe`.
#![expect(
    unsafe_code,
    reason = "pages that are taken from the pool have one owner, which Rust does not see"
)]

use super::pool::{Pages, Pool};
use crate::shm::mapping::Part;
use farcall_core::{copy, payload::Block, transport::Need};
use std::sync::Arc;

/// A block, written while it has one holder and only read afterwards. Its pages are free when its last holder is gone, the
/// lends to the peer among them.
#[derive(Debug)]
pub(crate) struct Own {
    part: Part,
    pool: Arc<Pool>,
    page: u32,
    pages: u32,
}

impl Own {
    /// A block of `length` bytes, if the pool has room for one.
    pub(super) fn new(pool: &Arc<Pool>, length: usize) -> Option<Self> {
        pool.take(length).map(|pages| Self::of(pool, pages, length))
    }

    /// Blocks for the first of `needs` that the pool has room for, and which one that is. Otherwise the pool notes that they are awaited.
    pub(super) fn first(
        pool: &Arc<Pool>,
        needs: Vec<Need>,
        lends: usize,
    ) -> Option<(usize, Vec<Self>)> {
        let (at, taken) = pool.take_first(needs, lends)?;
        let block = |(pages, length)| Self::of(pool, pages, length);
        Some((at, taken.into_iter().map(block).collect()))
    }

    /// The block of pages that were just taken from the pool.
    fn of(pool: &Arc<Pool>, (page, pages): Pages, length: usize) -> Self {
        // SAFETY: the pool gives pages to one taker until they are freed, which happens when this is dropped; nothing else
        // writes in the arena.
        let part = unsafe { Part::new(&pool.segment, pool.offset(page), length) };
        Self { part, pool: Arc::clone(pool), page, pages }
    }

    /// Its number.
    pub(super) fn number(&self) -> u32 {
        self.page
    }

    pub(super) fn is_of(&self, pool: &Arc<Pool>) -> bool {
        Arc::ptr_eq(&self.pool, pool)
    }
}

impl Block for Own {
    fn length(&self) -> usize {
        self.part.length()
    }

    fn read(&self, offset: usize, bytes: &mut [u8]) {
        let there = self.part.bytes().and_then(|part| part.get(offset..offset + bytes.len()));
        match there {
            Some(there) => copy::copy(bytes, there),
            None => bytes.fill(0),
        }
    }

    fn append_to(&self, bytes: &mut Vec<u8>) {
        match self.part.bytes() {
            Some(part) => copy::append(bytes, part),
            None => bytes.resize(bytes.len() + self.length(), 0),
        }
    }

    fn as_slice(&self) -> Option<&[u8]> {
        self.part.bytes()
    }

    unsafe fn as_slice_unchecked(&self) -> &[u8] {
        self.part.bytes().unwrap_or_default()
    }

    fn as_mut_slice(&mut self) -> Option<&mut [u8]> {
        self.part.bytes_mut()
    }

    fn truncate(&mut self, length: usize) {
        self.part.truncate(length);
    }

    fn is_borrowed(&self) -> bool {
        false
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        // A fork has a pool of its own, whose lock another thread may have held for ever.
        if self.part.is_here() {
            self.pool.free(self.page, self.pages);
        }
    }
}
