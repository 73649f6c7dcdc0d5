//! What is known of letters by what a process has noted before it was killed, and by where they were found then.

use crate::{play::NOTE, stage::Puppet};
use std::collections::{BTreeMap, BTreeSet};

/// A letter that was found, and for the how many-th time it was delivered.
pub(crate) type Found = (u32, u32);

/// Letters below are those that fill a mailbox.
pub(crate) const FIRST: u32 = 100;

/// How often a mailbox is looked at before it is as it must be.
const PATIENCE: usize = 20_000;

/// What is known of letters.
#[derive(Default, Debug)]
pub(crate) struct Ledger {
    pub(crate) tried: BTreeSet<u32>,
    pub(crate) sent: BTreeSet<u32>,
    /// How often each was taken.
    took: BTreeMap<u32, u32>,
    /// Those that may be acked.
    acks: BTreeSet<u32>,
    acked: BTreeSet<u32>,
    /// Letters that were to be acked as they were taken, and may have been.
    gone: usize,
    pub(crate) found: Vec<Found>,
}

impl Ledger {
    /// What a process has noted. Where it has ended in good order the last answer is no note.
    pub(crate) fn read(&mut self, answers: &[String]) {
        for note in answers.iter().filter_map(|answer| answer.strip_prefix(NOTE)) {
            let (what, of) = note.split_once(' ').unwrap_or((note, ""));
            let letters: Vec<u32> = of.split(' ').filter_map(|word| word.parse().ok()).collect();
            match what {
                "tries" => self.tried.extend(letters),
                "sent" => self.sent.extend(letters),
                "took" => letters.iter().for_each(|of| *self.took.entry(*of).or_default() += 1),
                "acks" => self.acks.extend(letters),
                "takes" => self.gone += 1,
                "acked" => {
                    self.gone -= usize::from(!self.acks.contains(&letters[0]));
                    self.acked.extend(letters);
                }
                _ => {}
            }
        }
    }

    /// None is lost and none is there twice, and those that come again say so.
    #[track_caller]
    pub(crate) fn check(&self) {
        let found: BTreeSet<_> = self.found.iter().map(|(letter, _)| *letter).collect();
        assert_eq!(found.len(), self.found.len(), "twice: {self:?}");
        assert!(found.is_subset(&self.tried), "nobody has sent that: {self:?}");
        assert!(found.is_disjoint(&self.acked), "it was acked: {self:?}");
        let is_over = |letter: &&u32| self.acks.contains(letter) || self.acked.contains(letter);
        let lost = self.sent.difference(&found).filter(|letter| !is_over(letter)).count();
        assert!(lost <= self.gone, "{lost} are lost: {self:?}");
        for (letter, deliveries) in &self.found {
            let took = self.took.get(letter).copied().unwrap_or_default();
            assert!(*deliveries > took, "{letter} does not say that it comes again: {self:?}");
        }
    }
}

/// Takes all letters that are there.
fn drain(taker: &mut Puppet) -> Vec<Found> {
    let mut found = Vec::new();
    loop {
        let came = taker.ask("try_recv");
        let Ok(letter) = came.parse() else { return found };
        let deliveries = taker.ask("deliveries").parse().expect("a number");
        // Also where it is stored.
        assert_eq!(taker.ask("acked"), came);
        found.push((letter, deliveries));
    }
}

/// Takes all letters, until all that were ever accepted are acked.
pub(crate) fn drain_all(taker: &mut Puppet) -> Vec<Found> {
    let mut found = Vec::new();
    for _ in 0..PATIENCE {
        if taker.ask("count acked") == taker.ask("count accepted") {
            return found;
        }
        found.append(&mut drain(taker));
    }
    panic!("some are neither acked nor there, but for {found:?}");
}

/// Takes all letters, until the mailbox has room for so many and no more: whoever was killed holds no place in it.
pub(crate) fn restored(taker: &mut Puppet, room: usize) -> Vec<Found> {
    let mut found = Vec::new();
    // What a process has sent before it died may come after it.
    for _ in 0..PATIENCE {
        found.append(&mut drain(taker));
        let filled: Vec<_> =
            (0..=room).map(|letter| taker.ask(&format!("try_send {letter}"))).collect();
        let is_filled = filled[..room].iter().all(|sent| sent == "sent") && filled[room] == "Full";
        let (own, mut late): (Vec<_>, Vec<_>) =
            drain(taker).into_iter().partition(|(letter, _)| *letter < FIRST);
        let is_as_filled = own.iter().map(|(letter, _)| *letter as usize).eq(0..room);
        let is_quiet = late.is_empty();
        found.append(&mut late);
        let counts = ["ready", "held", "waiting", "asking", "bytes"];
        let is_empty = counts.iter().all(|what| taker.ask(&format!("count {what}")) == "0");
        if is_filled && is_as_filled && is_quiet && is_empty {
            return found;
        }
    }
    panic!("the mailbox has no room for {room} again");
}
