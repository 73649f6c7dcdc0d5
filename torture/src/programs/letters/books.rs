//! Whether what the mailbox has counted is what the processes have noted.

use super::{
    consumer,
    judge::Fates,
    records::{End, Records, Sent},
};
use farcall::mailbox::{Counts, OnCrash};

impl Fates {
    /// How many deliveries may have been that nobody has noted: each thread of a consumer that was killed was about to take one, and a
    /// receive that was given up may have had one.
    pub(super) fn may_be_unseen(&self, records: &Records) -> usize {
        let killed = self.consumers.iter().filter(|person| person.killed).count();
        killed * consumer::LANES as usize + records.left
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
        let accepted = sent(&[Sent::Accepted]);
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
