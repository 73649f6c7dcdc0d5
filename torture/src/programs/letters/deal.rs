//! What a round is: how many letters the mailbox holds, who gets them, what a crash does, and who is hurt. The first 25 rounds have each
//! pair of these, and so have the next 25.

use farcall::mailbox::{Capacity, Key, OnCrash, Policy};
use std::fmt;

/// Rounds after which each pair was there.
pub(super) const ALL: usize = 25;

/// Who is hurt in a round.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Hurt {
    Nobody,
    Producers,
    Consumers,
    Both,
    Host,
}

impl Hurt {
    pub(super) fn producers(self) -> bool {
        matches!(self, Self::Producers | Self::Both)
    }

    pub(super) fn consumers(self) -> bool {
        matches!(self, Self::Consumers | Self::Both)
    }
}

/// What a round is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Deal {
    pub(super) capacity: Capacity,
    pub(super) policy: Policy,
    pub(super) on_crash: OnCrash,
    pub(super) hurt: Hurt,
    /// Consumers are slower than producers: letters wait, and senders.
    pub(super) slow: bool,
}

impl Deal {
    /// That of the round with this number.
    pub(super) fn of(round: usize) -> Self {
        // Two columns and their sums: any two of the four have each pair of values once in 25 rows.
        let (one, two, turn) = (round % 5, round / 5 % 5, round / ALL);
        let capacities = [
            Capacity::Zero,
            Capacity::Bounded(1),
            Capacity::Bounded(7),
            Capacity::Bounded(64),
            Capacity::Unbounded,
        ];
        let policies = [
            Policy::FirstReceiver,
            Policy::RoundRobin,
            Policy::LeastLoaded,
            Policy::Sticky(Key::Sender),
            Policy::Sticky(Key::Letter),
        ];
        let crashes = [
            OnCrash::Redeliver { max: 3 },
            OnCrash::Drop,
            OnCrash::Return,
            OnCrash::Close,
            OnCrash::Redeliver { max: 5 },
        ];
        let hurts = [Hurt::Nobody, Hurt::Host, Hurt::Consumers, Hurt::Both, Hurt::Producers];
        Self {
            capacity: capacities[one],
            policy: policies[two],
            on_crash: crashes[(one + two + turn) % 5],
            hurt: hurts[(one + 2 * two + 3 * turn) % 5],
            slow: round % 2 == 1,
        }
    }

    /// Whether letters are for one receiver from the moment they are accepted.
    pub(super) fn assigns(&self) -> bool {
        let keeps = self.capacity != Capacity::Zero;
        keeps && matches!(self.policy, Policy::RoundRobin | Policy::Sticky(_))
    }

    /// How often a letter is delivered, at most.
    pub(super) fn most(&self) -> u32 {
        match self.on_crash {
            OnCrash::Redeliver { max } => max,
            _ => 1,
        }
    }

    /// Whether consumers may drop a letter without an ack as they like: it would close the mailbox.
    pub(super) fn may_give_back(&self) -> bool {
        self.on_crash != OnCrash::Close
    }
}

impl fmt::Display for Deal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { capacity, policy, on_crash, hurt, slow } = self;
        let slow = if *slow { ", slow" } else { "" };
        write!(f, "{capacity:?}, {policy:?}, {on_crash:?}, hurt: {hurt:?}{slow}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn each_pair_is_there() {
        for first in [0, ALL, 2 * ALL] {
            let mut pairs = HashSet::new();
            for round in first..first + ALL {
                let Deal { capacity, policy, on_crash, hurt, .. } = Deal::of(round);
                let all = [
                    format!("{capacity:?}"),
                    format!("{policy:?}"),
                    format!("{on_crash:?}"),
                    format!("{hurt:?}"),
                ];
                for one in 0..all.len() {
                    for two in one + 1..all.len() {
                        pairs.insert((all[one].clone(), all[two].clone()));
                    }
                }
            }
            assert_eq!(pairs.len(), 6 * ALL, "from round {first} on");
        }
    }
}
