//! Which promises about the order of letters, and about who gets them, were broken.

use super::{item::Name, judge::Fates, producer, records::Records};
use farcall::mailbox::{Key, Policy};
use std::collections::{BTreeMap, BTreeSet};

impl Fates {
    /// Letters of a sender come in the order in which they were sent, but for those that come again. Letters that are meant for one receiver
    /// are meant for another when the receivers change: those that come later may then have been sent earlier.
    pub(super) fn judge_order(&self, records: &Records) -> Vec<String> {
        let changes = if self.deal.assigns() { self.changes() } else { 0 };
        let mut violations = Vec::new();
        for ([consumer, lane, producer, of], numbers) in &records.order {
            let steps_back = numbers.windows(2).filter(|pair| pair[0] >= pair[1]).count();
            if steps_back > changes {
                violations.push(format!(
                    "lane {lane} of consumer {consumer} had those of {producer}.{of} in another order: {numbers:?}"
                ));
            }
        }
        violations
    }

    /// As long as the receivers are the same, each gets its share.
    pub(super) fn judge_shares(&self, records: &Records) -> Vec<String> {
        if !self.deal.assigns() || self.changes() > 0 || self.host_died || records.left > 0 {
            return Vec::new();
        }
        match self.deal.policy {
            Policy::RoundRobin => self.judge_turns(records),
            Policy::Sticky(key) => judge_keys(records, key),
            _ => Vec::new(),
        }
    }

    /// How often the receivers have changed.
    fn changes(&self) -> usize {
        self.late + self.consumers.iter().filter(|person| person.killed).count()
    }

    fn judge_turns(&self, records: &Records) -> Vec<String> {
        let mut shares = vec![0_u32; self.consumers.len()];
        for take in records.letters.values().flat_map(|letter| &letter.takes) {
            shares[take.by] += 1;
        }
        let (most, least) = (shares.iter().max(), shares.iter().min());
        match most.zip(least) {
            Some((most, least)) if most - least > 1 => vec![format!("not in turn: {shares:?}")],
            _ => Vec::new(),
        }
    }
}

fn judge_keys(records: &Records, key: Key) -> Vec<String> {
    let of = |name: &Name| match key {
        Key::Sender => u64::from(name.producer),
        Key::Letter => producer::key(name.producer, name.lane),
    };
    let mut receivers: BTreeMap<u64, BTreeSet<usize>> = BTreeMap::new();
    for (name, letter) in &records.letters {
        let takers = letter.takes.iter().map(|take| take.by);
        receivers.entry(of(name)).or_default().extend(takers);
    }
    let several = receivers.into_iter().filter(|(_, takers)| takers.len() > 1);
    several.map(|(key, takers)| format!("the key {key} has the receivers {takers:?}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::programs::letters::{
        deal::{Deal, Hurt},
        judge::Person,
    };
    use farcall::mailbox::{Capacity, OnCrash};

    fn fates(policy: Policy, killed: bool, late: usize) -> Fates {
        let deal = Deal {
            capacity: Capacity::Bounded(7),
            policy,
            on_crash: OnCrash::Redeliver { max: 3 },
            hurt: Hurt::Consumers,
            slow: false,
        };
        let people = [1, 2].map(|pid| Person { pid, killed: killed && pid == 2 });
        Fates {
            deal,
            producers: people.to_vec(),
            consumers: people.to_vec(),
            late,
            host_died: false,
            closed: false,
        }
    }

    /// What the two consumers take.
    fn records(journals: [&str; 2]) -> Records {
        let mut records = Records::default();
        for (number, journal) in journals.iter().enumerate() {
            let lines: Vec<_> =
                journal.split(", ").map(|take| format!("took {take} 0 1")).collect();
            records.read_consumer(number, &lines.join("\n")).expect("it means something");
        }
        records
    }

    #[test]
    fn letters_of_a_sender_in_another_order() {
        let steps_back = records(["0.0.1 1, 0.0.4 1, 1.0.2 1, 0.0.3 1", "0.0.2 1, 0.1.1 1"]);
        let want = "lane 0 of consumer 0 had those of 0.0 in another order: [1, 4, 3]";
        let judge = |fates: &Fates| fates.judge_order(&steps_back);
        assert_eq!(judge(&fates(Policy::LeastLoaded, true, 1)), [want]);
        assert_eq!(judge(&fates(Policy::RoundRobin, false, 0)), [want]);
        assert_eq!(judge(&fates(Policy::RoundRobin, true, 0)), [""; 0]);
        assert_eq!(judge(&fates(Policy::RoundRobin, false, 1)), [""; 0]);
        // One that comes again may come at any time.
        let again = records(["0.0.1 1, 0.0.4 1, 0.0.3 2", "0.0.3 1"]);
        assert_eq!(fates(Policy::LeastLoaded, false, 0).judge_order(&again), [""; 0]);
    }

    #[test]
    fn letters_that_are_not_given_out_in_turn() {
        let uneven = records(["0.0.1 1, 0.0.3 1, 0.0.4 1", "0.0.2 1"]);
        let want = ["not in turn: [3, 1]"];
        assert_eq!(fates(Policy::RoundRobin, false, 0).judge_shares(&uneven), want);
        assert_eq!(fates(Policy::RoundRobin, true, 0).judge_shares(&uneven), [""; 0]);
        assert_eq!(fates(Policy::FirstReceiver, false, 0).judge_shares(&uneven), [""; 0]);
        let even = records(["0.0.1 1, 0.0.3 1", "0.0.2 1"]);
        assert_eq!(fates(Policy::RoundRobin, false, 0).judge_shares(&even), [""; 0]);
    }

    #[test]
    fn letters_of_a_key_that_several_get() {
        let both = records(["0.0.1 1, 1.0.3 1", "0.1.2 1"]);
        let want = ["the key 0 has the receivers {0, 1}"];
        assert_eq!(fates(Policy::Sticky(Key::Sender), false, 0).judge_shares(&both), want);
        assert_eq!(fates(Policy::Sticky(Key::Letter), false, 0).judge_shares(&both), [""; 0]);
        assert_eq!(fates(Policy::Sticky(Key::Sender), false, 1).judge_shares(&both), [""; 0]);
        let lane = records(["0.1.1 1", "0.1.2 1"]);
        let want = ["the key 1 has the receivers {0, 1}"];
        assert_eq!(fates(Policy::Sticky(Key::Letter), false, 0).judge_shares(&lane), want);
    }
}
