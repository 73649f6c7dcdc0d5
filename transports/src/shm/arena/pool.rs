//! The pages of this side's arena: which are free, and which have memory behind them.

use super::{PAGE, ranges::Ranges};
use crate::{
    shm::{mapping::Ours, ring::Geometry},
    stream::lock,
};
use std::sync::Mutex;

/// Bytes that get memory at a time, before the first of them is used.
const STEP: usize = 1 << 20;

/// This side's arena. Lives as long as any block of it.
#[derive(Debug)]
pub(super) struct Pool {
    pub(super) segment: Ours,
    start: usize,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    ranges: Ranges,
    /// Which steps have memory.
    committed: Vec<bool>,
}

impl Pool {
    pub(super) fn new(segment: Ours, geometry: &Geometry) -> Self {
        let pages = u32::try_from(geometry.arena_bytes() / PAGE).unwrap_or(0);
        let ranges = Ranges::new(pages, geometry.lends());
        let committed = vec![false; geometry.arena_bytes() / STEP];
        let state = Mutex::new(State { ranges, committed });
        Self { segment, start: geometry.arena_start(), state }
    }

    /// Takes pages for `length` bytes, with memory behind them: the first page, and how many.
    pub(super) fn take(&self, length: usize) -> Option<(u32, u32)> {
        let pages = u32::try_from(length.div_ceil(PAGE)).ok()?;
        let mut state = lock(&self.state);
        let page = state.ranges.take(pages)?;
        if !self.commit(&mut state.committed, page, pages) {
            state.ranges.free(page, pages);
            return None;
        }
        Some((page, pages))
    }

    pub(super) fn free(&self, page: u32, pages: u32) {
        lock(&self.state).ranges.free(page, pages);
    }

    /// Whether more than half of it is taken.
    pub(super) fn is_short(&self) -> bool {
        lock(&self.state).ranges.is_short()
    }

    /// Pages that are taken.
    #[cfg(test)]
    pub(super) fn used(&self) -> usize {
        lock(&self.state).ranges.used() as usize
    }

    /// Where a page begins in the segment.
    pub(super) fn offset(&self, page: u32) -> usize {
        self.start + page as usize * PAGE
    }

    /// Gives memory to the steps of these pages that have none.
    fn commit(&self, committed: &mut [bool], page: u32, pages: u32) -> bool {
        let (begin, end) = (page as usize * PAGE, (page + pages) as usize * PAGE);
        for step in begin / STEP..end.div_ceil(STEP) {
            let Some(done) = committed.get_mut(step) else { return false };
            if !*done && !self.segment.commit_part(self.start + step * STEP, STEP) {
                return false;
            }
            *done = true;
        }
        true
    }
}
