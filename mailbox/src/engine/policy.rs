//! Who gets a letter: which receiver it is assigned to when it is accepted, and who of those that are asking is served.

use super::{
    letter::Letter,
    receivers::{Asking, SeatId},
};
use crate::{Key, Policy};
use std::hash::{DefaultHasher, Hash, Hasher};

/// Who gets a letter.
#[derive(Debug)]
pub(super) struct Selection {
    policy: Policy,
    /// Who was selected last, by `RoundRobin`.
    last: Option<SeatId>,
}

impl Selection {
    pub(super) fn new(policy: Policy) -> Self {
        Self { policy, last: None }
    }

    /// Whether letters are for one receiver from the moment they are accepted.
    pub(super) fn assigns(&self) -> bool {
        matches!(self.policy, Policy::RoundRobin | Policy::Sticky(_))
    }

    /// Which of the `receivers`, in ascending order, a letter is for. None: whoever asks.
    pub(super) fn assign(&mut self, letter: &Letter, receivers: &[SeatId]) -> Option<SeatId> {
        let to = match self.policy {
            Policy::Pair | Policy::FirstReceiver | Policy::LeastLoaded => None,
            Policy::RoundRobin => {
                let after = receivers.iter().find(|seat| Some(**seat) > self.last);
                after.or(receivers.first()).copied()
            }
            Policy::Sticky(Key::Letter) => stick(letter.key, receivers),
            Policy::Sticky(Key::Sender) => stick(letter.sender.instance, receivers),
        };
        self.last = to.or(self.last);
        to
    }

    /// Who is served, of those that are asking and for whom a letter is there: in the order of asking, with what each holds.
    pub(super) fn choose(&self, asking: impl Iterator<Item = (Asking, usize)>) -> Option<Asking> {
        let mut asking = asking;
        let chosen = match self.policy {
            Policy::LeastLoaded => asking.min_by_key(|(_, held)| *held),
            _ => asking.next(),
        };
        chosen.map(|(asks, _)| asks)
    }
}

/// The receiver with the highest hash of both (rendezvous hashing): when one goes, only its own keys move.
fn stick(key: u64, receivers: &[SeatId]) -> Option<SeatId> {
    let weight = |seat: &SeatId| {
        let mut hasher = DefaultHasher::new();
        (key, seat).hash(&mut hasher);
        hasher.finish()
    };
    receivers.iter().copied().max_by_key(weight)
}
