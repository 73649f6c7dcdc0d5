//! The letters that wait to be taken: one lane for each receiver that letters were assigned to, and one for all; in each, the order in
//! which they were accepted. A letter that is given back has its old place again.

use super::{letter::Letter, letter::LetterId, receivers::SeatId};
use std::collections::BTreeMap;

/// The letters that wait to be taken.
#[derive(Default, Debug)]
pub(super) struct Queue {
    lanes: BTreeMap<Option<SeatId>, BTreeMap<LetterId, Letter>>,
    length: usize,
}

impl Queue {
    pub(super) fn len(&self) -> usize {
        self.length
    }

    /// Adds a letter, for one receiver or for all.
    pub(super) fn insert(&mut self, to: Option<SeatId>, letter: Letter) {
        let before = self.lanes.entry(to).or_default().insert(letter.id, letter);
        self.length += usize::from(before.is_none());
    }

    /// The next letter for a receiver.
    pub(super) fn next(&self, seat: SeatId) -> Option<LetterId> {
        self.first(seat).map(|(_, id)| id)
    }

    /// Takes it.
    pub(super) fn take(&mut self, seat: SeatId) -> Option<Letter> {
        let (lane, id) = self.first(seat)?;
        let letters = self.lanes.get_mut(&lane)?;
        let letter = letters.remove(&id)?;
        if letters.is_empty() {
            self.lanes.remove(&lane);
        }
        self.length -= 1;
        Some(letter)
    }

    /// Takes all out, in order, to be assigned anew.
    pub(super) fn take_all(&mut self) -> impl Iterator<Item = Letter> + use<> {
        self.length = 0;
        let lanes = std::mem::take(&mut self.lanes).into_values();
        let all: BTreeMap<_, _> = lanes.flatten().collect();
        all.into_values()
    }

    /// The first ones of each lane, from an id on.
    pub(super) fn letters(&self, from: LetterId, most: usize) -> impl Iterator<Item = &Letter> {
        let lanes = self.lanes.values();
        lanes.flat_map(move |lane| lane.range(from..).take(most).map(|(_, letter)| letter))
    }

    fn first(&self, seat: SeatId) -> Option<(Option<SeatId>, LetterId)> {
        let head = |lane| Some((lane, *self.lanes.get(&lane)?.first_key_value()?.0));
        [head(None), head(Some(seat))].into_iter().flatten().min_by_key(|(_, id)| *id)
    }
}
