//! The pages of this side's arena: which are free, and which have memory behind them.

use super::{PAGE, ranges::Ranges};
use crate::{
    shm::{mapping::Ours, ring::Geometry},
    stream::lock,
};
use farcall_core::transport::Need;
use std::{sync::Mutex, task::Waker};

/// Bytes that get memory at a time, before the first of them is used.
const STEP: usize = 1 << 20;

/// The first of some pages that follow each other, and how many they are.
pub(super) type Pages = (u32, u32);

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
    /// What frames wait for. Meanwhile nobody else takes pages.
    awaited: Vec<Need>,
    /// Who is told when some of it may be there.
    waker: Option<Waker>,
}

impl Pool {
    pub(super) fn new(segment: Ours, geometry: &Geometry) -> Self {
        let pages = u32::try_from(geometry.arena_bytes() / PAGE).unwrap_or(0);
        let ranges = Ranges::new(pages, geometry.lends());
        let committed = vec![false; geometry.arena_bytes() / STEP];
        let state = Mutex::new(State { ranges, committed, awaited: Vec::new(), waker: None });
        Self { segment, start: geometry.arena_start(), state }
    }

    /// Takes pages for `length` bytes, with memory behind them: the first page, and how many. None while somebody waits for pages.
    pub(super) fn take(&self, length: usize) -> Option<Pages> {
        let mut state = lock(&self.state);
        if !state.awaited.is_empty() {
            return None;
        }
        self.take_one(&mut state, length)
    }

    /// Takes pages for the first of `needs` that there are pages for, if `lends` more blocks can be lent. Otherwise notes that they are awaited.
    pub(super) fn take_first(
        &self,
        needs: Vec<Need>,
        lends: usize,
    ) -> Option<(usize, Vec<(Pages, usize)>)> {
        let mut state = lock(&self.state);
        state.awaited.clear();
        for (at, need) in needs.iter().enumerate() {
            if let Some(pages) = self.take_all(&mut state, need, lends) {
                let with_length = pages.into_iter().zip(need.lengths.iter().copied());
                return Some((at, with_length.collect()));
            }
        }
        state.awaited = needs;
        None
    }

    /// Whether what is awaited could be taken now. None if nothing is.
    pub(super) fn has_awaited(&self, lends: usize) -> Option<bool> {
        let mut state = lock(&self.state);
        let awaited = std::mem::take(&mut state.awaited);
        let found = awaited.iter().any(|need| self.could_take(&mut state, need, lends));
        state.awaited = awaited;
        (!state.awaited.is_empty()).then_some(found)
    }

    /// Who is told when pages that are awaited are free, if any are awaited.
    pub(super) fn leave_waker(&self, waker: &Waker) {
        let mut state = lock(&self.state);
        if !state.awaited.is_empty() {
            let earlier = state.waker.replace(waker.clone());
            drop(state);
            drop(earlier);
        }
    }

    pub(super) fn free(&self, page: u32, pages: u32) {
        let mut state = lock(&self.state);
        state.ranges.free(page, pages);
        let waker = state.waker.take();
        drop(state);
        waker.into_iter().for_each(Waker::wake);
    }

    /// Whether an empty pool would have pages for all of these.
    pub(super) fn could_hold(&self, need: &Need) -> bool {
        let pages = need.lengths.iter().map(|length| length.div_ceil(PAGE));
        pages.fold(0, usize::saturating_add) <= lock(&self.state).ranges.pages()
    }

    /// Takes pages for all payloads of a frame, or for none.
    fn take_all(&self, state: &mut State, need: &Need, lends: usize) -> Option<Vec<Pages>> {
        if need.beside > lends {
            return None;
        }
        let mut taken = Vec::with_capacity(need.lengths.len());
        for length in &need.lengths {
            match self.take_one(state, *length) {
                Some(pages) => taken.push(pages),
                None => {
                    taken.into_iter().for_each(|(page, pages)| state.ranges.free(page, pages));
                    return None;
                }
            }
        }
        Some(taken)
    }

    fn could_take(&self, state: &mut State, need: &Need, lends: usize) -> bool {
        let taken = self.take_all(state, need, lends);
        let found = taken.is_some();
        taken.into_iter().flatten().for_each(|(page, pages)| state.ranges.free(page, pages));
        found
    }

    fn take_one(&self, state: &mut State, length: usize) -> Option<Pages> {
        let pages = u32::try_from(length.div_ceil(PAGE)).ok()?;
        let page = state.ranges.take(pages)?;
        if !self.commit(&mut state.committed, page, pages) {
            state.ranges.free(page, pages);
            return None;
        }
        Some((page, pages))
    }

    /// Whether more than half of it is taken.
    pub(super) fn is_short(&self) -> bool {
        lock(&self.state).ranges.is_short()
    }

    /// Pages that are taken.
    #[cfg(any(test, feature = "fuzzing"))]
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
