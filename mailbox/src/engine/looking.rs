//! The letters of a mailbox, for whoever only looks.

use super::{Engine, LetterId};
use crate::{Peeked, ProcessId};

impl Engine {
    /// The first letters from an id on, in the order in which they were accepted: those that wait, and those that are held.
    #[must_use]
    pub fn letters(&self, from: LetterId, most: usize) -> Vec<Peeked> {
        let waiting = self.queue.letters(from, most).map(|letter| (None, letter));
        let held =
            self.held.values().filter(|(_, letter)| letter.id >= from).map(|(seat, letter)| {
                (
                    self.receivers.seated(*seat).map(|seated| ProcessId::clone(&seated.process)),
                    letter,
                )
            });
        let mut letters: Vec<_> = waiting.chain(held).collect();
        letters.sort_by_key(|(_, letter)| letter.id);
        letters.truncate(most);
        let peeked = letters.into_iter().map(|(holder, letter)| Peeked {
            id: letter.id,
            sender: ProcessId::clone(&letter.sender),
            deliveries: letter.deliveries(),
            holder,
            bytes: letter.writing.bytes.clone(),
            payloads: letter.writing.enclosed.payloads().len() as u32,
            remotes: letter.writing.enclosed.remotes().len() as u32,
        });
        peeked.collect()
    }
}
