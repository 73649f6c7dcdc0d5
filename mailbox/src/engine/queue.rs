//! The letters that wait to be taken: one lane for each receiver that letters were assigned to, and one for all; in each, the order in
//! which they were accepted. A letter that is given back has its old place again.

use super::{letter::Letter, letter::LetterId, receivers::SeatId};
use std::collections::{BTreeMap, VecDeque};

/// The letters that wait to be taken.
#[derive(Default, Debug)]
pub(super) struct Queue {
    for_all: Lane,
    /// Those of receivers. A lane stays when it is empty, until all are taken out.
    lanes: BTreeMap<SeatId, Lane>,
    length: usize,
}

/// Letters in their order.
type Lane = VecDeque<Letter>;

impl Queue {
    pub(super) fn len(&self) -> usize {
        self.length
    }

    /// Adds a letter, for one receiver or for all.
    #[inline]
    pub(super) fn insert(&mut self, to: Option<SeatId>, letter: Letter) {
        let lane = match to {
            None => &mut self.for_all,
            Some(seat) => self.lanes.entry(seat).or_default(),
        };
        if lane.back().is_none_or(|last| last.id < letter.id) {
            lane.push_back(letter);
        } else {
            let at = lane.partition_point(|before| before.id < letter.id);
            lane.insert(at, letter);
        }
        self.length += 1;
    }

    /// The next letter for a receiver.
    pub(super) fn next(&self, seat: SeatId) -> Option<LetterId> {
        let own = self.lanes.get(&seat).and_then(VecDeque::front);
        let first = [self.for_all.front(), own].into_iter().flatten();
        first.map(|letter| letter.id).min()
    }

    /// Takes it.
    #[inline]
    pub(super) fn take(&mut self, seat: SeatId) -> Option<Letter> {
        let next = self.next(seat)?;
        let is_for_all = self.for_all.front().is_some_and(|letter| letter.id == next);
        let lane = if is_for_all { Some(&mut self.for_all) } else { self.lanes.get_mut(&seat) };
        let letter = lane?.pop_front();
        self.length -= usize::from(letter.is_some());
        letter
    }

    /// Takes all out, in order, to be assigned anew.
    pub(super) fn take_all(&mut self) -> impl Iterator<Item = Letter> + use<> {
        let Self { for_all, lanes, .. } = std::mem::take(self);
        let mut all: Vec<_> = lanes.into_values().flatten().chain(for_all).collect();
        all.sort_unstable_by_key(|letter| letter.id);
        all.into_iter()
    }

    /// The first ones of each lane, from an id on.
    pub(super) fn letters(&self, from: LetterId, most: usize) -> impl Iterator<Item = &Letter> {
        let lanes = self.lanes.values().chain([&self.for_all]);
        lanes.flat_map(move |lane| {
            let first = lane.partition_point(|letter| letter.id < from);
            lane.range(first..).take(most)
        })
    }
}
