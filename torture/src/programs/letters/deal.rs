//! What a round is: how many letters the mailbox holds, who gets them, what a crash does, and who is hurt. Of 30 rounds, 25 have each pair
//! of these; in the others the mailbox is for two processes. So it goes on with the next 30.

use farcall::mailbox::{Capacity, Key, OnCrash, PREFETCHED, Policy};
use std::fmt;

/// Rounds after which all was there.
pub(super) const ALL: usize = SHARED + 5;
/// Those of them in which several processes share the mailbox.
const SHARED: usize = 25;

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
        let (row, turn) = (round % ALL, round / ALL);
        // Two columns and their sums: any two of the four have each pair of values once in 25 rows.
        let (one, two) = (row % 5, row / 5);
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
            Policy::Pair,
        ];
        let crashes = [
            OnCrash::Redeliver { max: 3 },
            OnCrash::Drop,
            OnCrash::Return,
            OnCrash::Close,
            OnCrash::Redeliver { max: 5 },
        ];
        let hurts = [Hurt::Nobody, Hurt::Host, Hurt::Consumers, Hurt::Both, Hurt::Producers];
        let hurt = hurts[(one + 2 * two + 3 * turn) % 5];
        let on_crash = match crashes[(one + two + turn) % 5] {
            // Once it has closed, the next consumer would not be let in.
            OnCrash::Close if row >= SHARED && hurt.consumers() => OnCrash::Return,
            on_crash => on_crash,
        };
        let (capacity, policy) = (capacities[one], policies[two]);
        Self { capacity, policy, on_crash, hurt, slow: round % 2 == 1 }
    }

    /// Whether the mailbox is for two processes.
    pub(super) fn is_pair(&self) -> bool {
        self.policy == Policy::Pair
    }

    /// How many letters a stream takes at once, at most.
    pub(super) fn portion(&self) -> usize {
        match (self.policy, self.capacity) {
            (Policy::FirstReceiver | Policy::LeastLoaded, _) | (_, Capacity::Zero) => 1,
            (_, Capacity::Bounded(most)) => (most as usize / 2).max(1),
            (_, Capacity::Unbounded) => PREFETCHED as usize,
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
            for round in first..first + SHARED {
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
            assert_eq!(pairs.len(), 6 * SHARED, "from round {first} on");
        }
    }

    #[test]
    fn those_for_two_processes_have_each_capacity_and_each_victim() {
        for first in [0, ALL, 2 * ALL] {
            let deals: Vec<_> = (first + SHARED..first + ALL).map(Deal::of).collect();
            let capacities: HashSet<_> =
                deals.iter().map(|deal| format!("{:?}", deal.capacity)).collect();
            let hurts: HashSet<_> = deals.iter().map(|deal| format!("{:?}", deal.hurt)).collect();
            assert_eq!((capacities.len(), hurts.len()), (5, 5), "from round {first} on");
            let may_close = |deal: &Deal| deal.on_crash == OnCrash::Close && deal.hurt.consumers();
            assert!(deals.iter().all(|deal| deal.is_pair() && !may_close(deal)));
        }
    }
}
