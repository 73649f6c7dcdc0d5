//! Whether the producer of a letter was told what became of it.

use super::{
    judge::{Case, Fates},
    records::{Sent, Told},
};
use farcall::mailbox::OnCrash;

impl Case<'_> {
    /// Its producer is told what became of it.
    pub(super) fn check_told(&mut self) {
        let Fates { deal, producers, consumers, closed, .. } = self.fates;
        let lives = producers.get(self.producer).is_some_and(|person| !person.killed);
        let last = self.takes.last().copied();
        let Some(told) = self.letter.told else {
            if lives && self.letter.sent == Sent::Accepted {
                self.object("its producer was never told what became of it");
            }
            return;
        };
        // Whether that process had it last and did not ack it.
        let was_lost_by = |pid: u32| match last {
            Some(take) if consumers.get(take.by).is_some_and(|person| person.pid == pid) => {
                self.fates.is_not_acked(&take)
            }
            // A later delivery, which nobody has noted.
            Some(take) => self.fates.is_not_acked(&take) && self.fates.may_have_lost_one(pid),
            None => self.fates.may_have_lost_one(pid),
        };
        let so = match (told, deal.on_crash) {
            (Told::Acked(pid), _) => {
                let acked = last.filter(|_| self.is_done() && self.letter.dead == 0);
                acked.and_then(|take| consumers.get(take.by)).is_some_and(|by| by.pid == pid)
            }
            (Told::Returned(pid), OnCrash::Return | OnCrash::Close) => was_lost_by(pid),
            (Told::GivenUp(pid, 1), OnCrash::Drop) => was_lost_by(pid),
            (Told::GivenUp(pid, deliveries), OnCrash::Redeliver { max }) => {
                deliveries == max && self.letter.dead == 1 && was_lost_by(pid)
            }
            (Told::Closed(_), OnCrash::Close) => *closed && !self.came(),
            _ => false,
        };
        if !so {
            let ends: Vec<_> = self.takes.iter().map(|take| (take.by, take.end)).collect();
            let dead = self.letter.dead;
            self.object(format!("its producer was told {told:?}: {ends:?}, dead: {dead}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::programs::letters::judge::tests::{REDELIVER, fates, found};

    #[test]
    fn a_sender_that_is_told_something_else() {
        let (again, returns) = (fates(REDELIVER), fates(OnCrash::Return));
        let (drops, closes) = (fates(OnCrash::Drop), fates(OnCrash::Close));
        let (acked, back) = (["took 1 0 10, acks 1", ""], ["took 1 0 10, back 1", ""]);
        let dead = ["", "took 3 0 10"];
        for (fates, told, consumers, died) in [
            // Another one has acked it, or nobody.
            (&again, "acked 21", acked, 0),
            (&returns, "acked 20", back, 0),
            (&again, "acked 21", dead, 1),
            // It was acked.
            (&returns, "returned 20", acked, 0),
            (&drops, "given-up 20 1", acked, 0),
            // By somebody who has never been there.
            (&returns, "returned 22", ["", ""], 0),
            (&drops, "given-up 22 1", back, 0),
            // It comes to another end.
            (&again, "returned 20", acked, 0),
            (&drops, "returned 20", back, 0),
            (&returns, "given-up 20 1", back, 0),
            (&drops, "given-up 20 2", back, 0),
            (&again, "given-up 21 2", dead, 1),
            (&again, "given-up 20 3", acked, 0),
            (&closes, "closed 21", acked, 0),
            (&again, "gone", acked, 0),
        ] {
            let producer = format!("tries, sent, told {told}");
            let violations = found(fates, &producer, consumers, died).violations;
            let is_of_told = |what: &String| what.starts_with("its producer was told ");
            assert!(
                violations.len() == 1 && violations.iter().all(is_of_told),
                "{told}: {violations:?}"
            );
        }
        // It is not closed.
        let open = found(&closes, "tries, sent, told closed 21", ["", ""], 0).violations;
        assert_eq!(open.len(), 2, "lost, and told otherwise: {open:?}");
        let closed = Fates { closed: true, ..closes };
        let came = found(&closed, "tries, sent, told closed 21", ["", "took 1 0 10"], 0).violations;
        assert_eq!(came, ["its producer was told Closed(21): [(1, Held)], dead: 0"]);
    }
}
