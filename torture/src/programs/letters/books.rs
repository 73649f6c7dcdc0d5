//! Whether what the mailbox has counted is what the processes have noted.

use super::{
    consumer,
    judge::Fates,
    records::{End, Records, Sent},
};
use farcall::mailbox::{Counts, OnCrash};

impl Fates {
    /// How many deliveries may have been that nobody has noted: each thread of a consumer that was killed was about to take one, or had as
    /// many as a stream takes at once; and a receive that was given up, or a stream, may have had some.
    pub(super) fn may_be_unseen(&self, records: &Records) -> usize {
        let killed = self.consumers.iter().filter(|person| person.killed).count();
        killed * (consumer::LANES as usize - 1 + self.deal.portion()) + records.left
    }

    /// Compares the counts of a mailbox whose host lives, when its letters are gone, with what was noted.
    pub(super) fn compare(&self, counts: &Counts, records: &Records) -> Vec<String> {
        let letters = records.letters.values();
        let sent =
            |sent: &[Sent]| letters.clone().filter(|letter| sent.contains(&letter.sent)).count();
        let takes = || letters.clone().flat_map(|letter| &letter.takes);
        let acked = takes().filter(|take| take.end == End::Acked).count();
        let acks = takes().filter(|take| matches!(take.end, End::Acks | End::Acked)).count();
        let dead: usize = letters.clone().map(|letter| letter.dead).sum();
        let accepted = sent(&[Sent::Accepted, Sent::Sunk]);
        let unknown = sent(&[Sent::Unknown, Sent::Tried]);
        let (deliveries, unseen) = (takes().count(), self.may_be_unseen(records));
        let mut violations = Vec::new();
        for (what, count, least, most) in [
            ("accepted", counts.accepted, accepted, accepted + unknown),
            ("deliveries", counts.deliveries, deliveries, deliveries + unseen),
            ("acked", counts.acked, acked, acks),
            ("dead", counts.dead, dead, dead),
        ] {
            if !(least..=most).contains(&(count as usize)) {
                violations.push(format!("it counts {count} {what}: between {least} and {most}"));
            }
        }
        let ended = counts.acked + counts.dead + counts.dropped + counts.returned;
        if counts.accepted != ended {
            violations.push(format!("{} were accepted, {ended} are over", counts.accepted));
        }
        let (drops, returns) = match self.deal.on_crash {
            OnCrash::Redeliver { .. } => (false, false),
            OnCrash::Drop | OnCrash::Close => (true, false),
            OnCrash::Return => (false, true),
        };
        if (counts.dropped > 0 && !drops) || (counts.returned > 0 && !returns) {
            violations.push(format!("it drops or returns what it should not: {counts:?}"));
        }
        violations
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::programs::letters::{
        deal::{Deal, Hurt},
        judge::Person,
    };
    use farcall::mailbox::{Capacity, Policy};

    fn fates(on_crash: OnCrash) -> Fates {
        let (capacity, policy) = (Capacity::Unbounded, Policy::FirstReceiver);
        let deal = Deal { capacity, policy, on_crash, hurt: Hurt::Consumers, slow: false };
        let people = [false, true].map(|killed| Person { pid: 1, killed }).to_vec();
        Fates {
            deal,
            producers: people.clone(),
            consumers: people,
            late: 0,
            host_died: false,
            closed: false,
        }
    }

    /// Four letters, of which it is not known whether the last was accepted; one was acked, perhaps a second, and one has died.
    fn records() -> Records {
        let mut records = Records::default();
        let sent = ["sent 0.0.1", "sent 0.0.2", "sent 0.0.3", "gave-up 0.0.4"];
        let sent = sent.map(|line| format!("tries {}\n{line}", &line[line.len() - 5..]));
        records.read_producer(0, &sent.join("\n")).expect("it means something");
        let taken = "took 0.0.1 1 0 1\nacks 0.0.1 1\nacked 0.0.1 1\ntook 0.0.2 1 0 1\nacks 0.0.2 1";
        records.read_consumer(1, taken).expect("it means something");
        records.read_dead("0.0.3".parse().expect("a letter"));
        records
    }

    fn counts(accepted: u64, deliveries: u64, acked: u64, dead: u64) -> Counts {
        let mut counts = Counts::default();
        (counts.accepted, counts.deliveries) = (accepted, deliveries);
        (counts.acked, counts.dead) = (acked, dead);
        counts
    }

    #[track_caller]
    fn check(counts: &Counts, want: &[&str]) {
        let fates = fates(OnCrash::Redeliver { max: 1 });
        assert_eq!(fates.compare(counts, &records()), want);
    }

    #[test]
    fn counts_that_the_journals_bear_out() {
        // Each of the threads of the dead may have taken one that it could not note.
        assert_eq!(fates(OnCrash::Drop).may_be_unseen(&records()), 2);
        check(&counts(3, 3, 2, 1), &[]);
        check(&counts(3, 4, 2, 1), &[]);
    }

    #[test]
    fn counts_that_the_journals_do_not_bear_out() {
        let over = "3 were accepted, 2 are over";
        check(
            &counts(5, 3, 2, 1),
            &["it counts 5 accepted: between 3 and 4", "5 were accepted, 3 are over"],
        );
        check(&counts(3, 1, 2, 1), &["it counts 1 deliveries: between 2 and 4"]);
        check(&counts(3, 5, 2, 1), &["it counts 5 deliveries: between 2 and 4"]);
        check(&counts(4, 3, 3, 1), &["it counts 3 acked: between 1 and 2"]);
        check(&counts(3, 3, 1, 2), &["it counts 2 dead: between 1 and 1"]);
        check(&counts(3, 3, 1, 1), &[over]);
    }

    #[test]
    fn what_is_dropped_or_returned_and_should_not_be() {
        let mut dropped = counts(3, 3, 1, 1);
        dropped.dropped = 1;
        let mut returned = counts(3, 3, 1, 1);
        returned.returned = 1;
        let again = OnCrash::Redeliver { max: 1 };
        for (on_crash, counts, is_so) in [
            (again, &dropped, false),
            (again, &returned, false),
            (OnCrash::Drop, &dropped, true),
            (OnCrash::Drop, &returned, false),
            (OnCrash::Close, &dropped, true),
            (OnCrash::Return, &dropped, false),
            (OnCrash::Return, &returned, true),
        ] {
            let violations = fates(on_crash).compare(counts, &records());
            let said = violations.iter().any(|what| what.starts_with("it drops or returns"));
            assert_eq!(
                (violations.is_empty(), said),
                (is_so, !is_so),
                "{on_crash:?}: {violations:?}"
            );
        }
    }
}
