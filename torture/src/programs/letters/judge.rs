//! Which promises about a letter were broken, by what all processes have noted of it.

use super::{
    deal::Deal,
    records::{End, Letter, Sent, Take},
};
use farcall::mailbox::OnCrash;

/// What became of those who took part in a round.
#[derive(Debug)]
pub(super) struct Fates {
    pub(super) deal: Deal,
    pub(super) producers: Vec<Person>,
    pub(super) consumers: Vec<Person>,
    /// Consumers that have come while letters were sent.
    pub(super) late: usize,
    /// The host was killed.
    pub(super) host_died: bool,
    /// The mailbox has closed itself.
    pub(super) closed: bool,
}

/// One of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Person {
    pub(super) pid: u32,
    pub(super) killed: bool,
}

/// What was found of a letter.
#[derive(Default, PartialEq, Eq, Debug)]
pub(super) struct Found {
    pub(super) violations: Vec<String>,
    /// Deliveries that must have been and that nobody has noted: whoever took the letter was killed before it could.
    pub(super) unseen: u32,
}

impl Fates {
    /// Looks at one letter, by the producer with that number.
    pub(super) fn judge(&self, producer: usize, letter: &Letter) -> Found {
        let mut letter = Case {
            fates: self,
            producer,
            letter,
            takes: letter.takes.clone(),
            found: Found::default(),
        };
        letter.takes.sort_by_key(|take| take.delivery);
        letter.check_sent();
        letter.check_deliveries();
        letter.check_calls();
        if !self.host_died {
            letter.check_end();
            letter.check_told();
        }
        letter.found
    }

    fn is_killed(&self, consumer: usize) -> bool {
        self.consumers.get(consumer).is_some_and(|person| person.killed)
    }

    /// Whether a letter may be taken again, or die, after a consumer had it.
    pub(super) fn is_not_acked(&self, take: &Take) -> bool {
        match take.end {
            End::Back => true,
            End::Held | End::Acks => self.is_killed(take.by),
            End::Acked => false,
        }
    }

    /// Whether a process may have had a letter and lost it without a note.
    pub(super) fn may_have_lost_one(&self, pid: u32) -> bool {
        let of = self.consumers.iter().find(|person| person.pid == pid);
        // One that lives may have given up a receive.
        of.is_some_and(|person| person.killed || self.deal.may_give_back())
    }
}

/// What is judged.
pub(super) struct Case<'a> {
    pub(super) fates: &'a Fates,
    pub(super) producer: usize,
    pub(super) letter: &'a Letter,
    /// In the order of the deliveries.
    pub(super) takes: Vec<Take>,
    found: Found,
}

impl Case<'_> {
    pub(super) fn object(&mut self, what: impl Into<String>) {
        self.found.violations.push(what.into());
    }

    pub(super) fn came(&self) -> bool {
        !self.takes.is_empty() || self.letter.dead > 0
    }

    /// Whether the last one who had it was done with it.
    pub(super) fn is_done(&self) -> bool {
        self.takes.last().is_some_and(|take| matches!(take.end, End::Acks | End::Acked))
    }

    /// It comes if it was sent, and from whom it was sent.
    fn check_sent(&mut self) {
        let Some(sender) = self.fates.producers.get(self.producer) else {
            return self.object("its producer is nobody");
        };
        match self.letter.sent {
            Sent::Never if self.came() => self.object("it came, and nobody sent it"),
            Sent::Refused if self.came() => self.object("it came, and was refused"),
            Sent::Tried if !sender.killed => {
                self.object("its producer lives, and was not told whether it was accepted");
            }
            _ => {}
        }
        if let Some(take) = self.takes.iter().find(|take| take.sender != sender.pid) {
            let other = take.sender;
            self.object(format!("it says that process {other} sent it"));
        }
    }

    /// It comes once, or again for a reason.
    fn check_deliveries(&mut self) {
        let (most, dead) = (self.fates.deal.most(), self.letter.dead > 0);
        for pair in self.takes.clone().windows(2) {
            if pair[0].delivery == pair[1].delivery {
                let delivery = pair[0].delivery;
                self.object(format!("two have it for the {delivery}. time"));
            }
        }
        for (at, take) in self.takes.clone().iter().enumerate() {
            let Take { delivery, by, end, .. } = *take;
            if delivery > most || delivery == 0 {
                self.object(format!("it came for the {delivery}. time of {most}"));
            }
            let is_last = at + 1 == self.takes.len();
            if (!is_last || dead) && !self.fates.is_not_acked(take) {
                self.object(format!("it came again or died, and consumer {by} had it: {end:?}"));
            }
        }
        let last = self.takes.last().map_or(0, |take| take.delivery);
        let deliveries = if dead { most } else { last };
        self.found.unseen += deliveries.saturating_sub(self.takes.len() as u32);
    }

    /// It has come to an end.
    fn check_end(&mut self) {
        let Fates { deal, closed, .. } = self.fates;
        for take in self.takes.clone() {
            if take.end == End::Held && !self.fates.is_killed(take.by) {
                self.object(format!("consumer {} lives, and is not done with it", take.by));
            }
        }
        match (deal.on_crash, self.letter.dead) {
            (_, 0) | (OnCrash::Redeliver { .. }, 1) => {}
            (OnCrash::Redeliver { .. }, times) => self.object(format!("it died {times} times")),
            _ => self.object("it is among the dead letters, where nothing dies"),
        }
        let accepted = matches!(self.letter.sent, Sent::Accepted | Sent::Sunk) || self.came();
        if !accepted || self.is_done() || self.letter.dead > 0 {
            return;
        }
        match deal.on_crash {
            OnCrash::Redeliver { .. } => self.object("it was accepted, and is lost"),
            OnCrash::Drop | OnCrash::Return => {
                // It was dropped or returned because somebody did not ack it.
                self.found.unseen += u32::from(self.takes.is_empty());
            }
            OnCrash::Close if self.takes.is_empty() => {
                if !closed {
                    self.object("it was accepted, and is lost");
                }
            }
            OnCrash::Close => {
                if !closed {
                    self.object("it was not acked, and the mailbox did not close");
                }
            }
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::programs::letters::{deal::Hurt, records::Records};
    use farcall::mailbox::{Capacity, Policy};

    pub(in super::super) const REDELIVER: OnCrash = OnCrash::Redeliver { max: 3 };

    /// Of two producers, processes 10 and 11, and two consumers, 20 and 21, the second was killed.
    pub(in super::super) fn fates(on_crash: OnCrash) -> Fates {
        let (capacity, policy) = (Capacity::Bounded(7), Policy::FirstReceiver);
        let deal = Deal { capacity, policy, on_crash, hurt: Hurt::Both, slow: false };
        let two =
            |first| [(first, false), (first + 1, true)].map(|(pid, killed)| Person { pid, killed });
        Fates {
            deal,
            producers: two(10).to_vec(),
            consumers: two(20).to_vec(),
            late: 0,
            host_died: false,
            closed: false,
        }
    }

    /// What is found of the first producer's letter by what it, the consumers and those who look at the dead letters note.
    pub(in super::super) fn found(
        fates: &Fates,
        producer: &str,
        consumers: [&str; 2],
        dead: usize,
    ) -> Found {
        found_of(0, fates, producer, consumers, dead)
    }

    pub(in super::super) fn found_of(
        number: usize,
        fates: &Fates,
        producer: &str,
        consumers: [&str; 2],
        dead: usize,
    ) -> Found {
        let mut records = Records::default();
        let lines = |journal: &str| {
            let lines = journal.split(", ").filter(|line| !line.is_empty());
            let named = lines.map(|line| match line.split_once(' ') {
                Some(("closed", by)) => format!("closed {by} 0.0.1"),
                Some((what, more)) => format!("{what} 0.0.1 {more}"),
                None => format!("{line} 0.0.1"),
            });
            named.collect::<Vec<_>>().join("\n")
        };
        records.read_producer(number, &lines(producer)).expect("it means something");
        for (number, journal) in consumers.into_iter().enumerate() {
            records.read_consumer(number, &lines(journal)).expect("it means something");
        }
        let name = "0.0.1".parse().expect("a letter");
        (0..dead).for_each(|_| records.read_dead(name));
        records.letters.get(&name).map_or(Found::default(), |letter| fates.judge(number, letter))
    }

    #[track_caller]
    fn check(fates: &Fates, producer: &str, consumers: [&str; 2], dead: usize, want: &[&str]) {
        assert_eq!(found(fates, producer, consumers, dead).violations, want);
    }

    #[test]
    fn what_is_as_promised_is_clean() {
        let again = fates(REDELIVER);
        for (producer, consumers, dead, unseen) in [
            ("tries, sent, told acked 20", ["took 1 0 10, acks 1, acked 1", ""], 0, 0),
            ("tries, sent, told acked 20", ["took 1 0 10, acks 1", ""], 0, 0),
            ("tries, sent, told acked 20", ["took 2 0 10, acks 2", "took 1 0 10"], 0, 0),
            ("tries, sent, told acked 20", ["took 2 0 10, acks 2", "took 1 1 10, acks 1"], 0, 0),
            ("tries, sent, told acked 21", ["", "took 1 0 10, acks 1, acked 1"], 0, 0),
            ("tries, sent, told acked 20", ["took 1 0 10, back 1, took 3 0 10, acks 3", ""], 0, 1),
            ("tries, sent, told given-up 21 3", ["took 1 0 10, back 1", "took 2 0 10"], 1, 1),
            ("tries, refused full", ["", ""], 0, 0),
            ("tries, gave-up", ["", ""], 0, 0),
            ("tries, gave-up", ["took 1 0 10, acks 1", ""], 0, 0),
        ] {
            let found = found(&again, producer, consumers, dead);
            assert_eq!(
                found,
                Found { violations: Vec::new(), unseen },
                "{producer}: {consumers:?}"
            );
        }
        let (returns, drops) = (fates(OnCrash::Return), fates(OnCrash::Drop));
        check(&returns, "tries, sent, told returned 21", ["", "took 1 0 10"], 0, &[]);
        check(&returns, "tries, sent, told returned 20", ["took 1 0 10, back 1", ""], 0, &[]);
        check(&drops, "tries, sent, told given-up 21 1", ["", "took 1 0 10"], 0, &[]);
        let lost = found(&drops, "tries, sent, told given-up 21 1", ["", ""], 0);
        assert_eq!(lost, Found { violations: Vec::new(), unseen: 1 });
        let closed = Fates { closed: true, ..fates(OnCrash::Close) };
        check(&closed, "tries, sent, told returned 21", ["", "took 1 0 10"], 0, &[]);
        check(&closed, "tries, sent, told closed 21", ["", ""], 0, &[]);
        check(&closed, "tries, closed 21", ["", ""], 0, &[]);
        let gone = Fates { host_died: true, ..fates(REDELIVER) };
        check(&gone, "tries, sent, told gone", ["", ""], 0, &[]);
        check(&gone, "tries, gone", ["took 1 0 10", ""], 0, &[]);
        // A producer that was killed.
        let of_dead = found_of(1, &again, "tries", ["", ""], 0);
        assert_eq!(of_dead, Found::default());
    }

    #[test]
    fn a_letter_that_is_lost() {
        let lost = ["it was accepted, and is lost"];
        let again = fates(REDELIVER);
        let never = "its producer was never told what became of it";
        check(&again, "tries, sent", ["", ""], 0, &[lost[0], never]);
        let found = found_of(1, &again, "tries, sent", ["", ""], 0);
        assert_eq!(found.violations, lost);
        let found = found_of(1, &again, "tries, gave-up", ["", "took 1 0 11"], 0);
        assert_eq!(found.violations, lost);
        let found = found_of(1, &again, "tries", ["took 1 0 11, back 1", ""], 0);
        assert_eq!(found.violations, lost);
        let found = found_of(1, &fates(OnCrash::Close), "tries, sent", ["", ""], 0);
        assert_eq!(found.violations, lost);
    }

    #[test]
    fn a_letter_that_should_not_come() {
        let again = fates(REDELIVER);
        let come = ["took 1 0 10, acks 1", ""];
        check(&again, "", come, 0, &["it came, and nobody sent it"]);
        check(&again, "tries, refused late", come, 0, &["it came, and was refused"]);
        let dead = ["it came, and was refused"];
        check(&again, "tries, refused late", ["", ""], 1, &dead);
        let other = found_of(2, &again, "tries, gave-up", ["", ""], 0);
        assert_eq!(other.violations, ["its producer is nobody"]);
    }

    #[test]
    fn a_letter_of_somebody_else() {
        let want = ["it says that process 11 sent it"];
        check(&fates(REDELIVER), "tries, gave-up", ["took 1 0 11, acks 1", ""], 0, &want);
    }

    #[test]
    fn a_sender_that_is_not_told() {
        let again = fates(REDELIVER);
        let want = ["its producer lives, and was not told whether it was accepted"];
        check(&again, "tries", ["", ""], 0, &want);
        let want = ["its producer was never told what became of it"];
        check(&again, "tries, sent", ["took 1 0 10, acks 1", ""], 0, &want);
    }

    #[test]
    fn a_letter_that_comes_twice() {
        let again = fates(REDELIVER);
        let acked = "it came again or died, and consumer 0 had it: Acked";
        let acks = "it came again or died, and consumer 0 had it: Acks";
        let held = "it came again or died, and consumer 0 had it: Held";
        let (first, second) = ("took 1 0 10, acks 1, acked 1", "took 2 0 10, acks 2");
        check(&again, "tries, gave-up", [first, second], 0, &[acked]);
        check(&again, "tries, gave-up", ["took 1 0 10, acks 1", second], 0, &[acks]);
        let lives = "consumer 0 lives, and is not done with it";
        check(&again, "tries, gave-up", ["took 1 0 10", second], 0, &[held, lives]);
        let twice = "two have it for the 1. time";
        let dead = "took 1 0 10, acks 1";
        check(&again, "tries, gave-up", ["took 1 0 10, back 1", dead], 0, &[twice]);
        // The dead one's ack was heard.
        let heard = "it came again or died, and consumer 1 had it: Acked";
        let both = ["took 2 0 10, acks 2", "took 1 0 10, acks 1, acked 1"];
        check(&again, "tries, gave-up", both, 0, &[heard]);
    }

    #[test]
    fn a_letter_that_comes_too_often() {
        let fourth = ["took 4 0 10, acks 4", ""];
        check(&fates(REDELIVER), "tries, gave-up", fourth, 0, &["it came for the 4. time of 3"]);
        for on_crash in [OnCrash::Drop, OnCrash::Return, OnCrash::Close] {
            let second = ["took 2 0 10, acks 2", ""];
            check(&fates(on_crash), "tries, gave-up", second, 0, &["it came for the 2. time of 1"]);
        }
        let none = ["took 0 0 10, acks 0", ""];
        check(&fates(REDELIVER), "tries, gave-up", none, 0, &["it came for the 0. time of 3"]);
    }

    #[test]
    fn a_letter_that_dies_for_no_reason() {
        let again = fates(REDELIVER);
        let want = ["it came again or died, and consumer 0 had it: Acked"];
        let acked = ["took 1 0 10, acks 1, acked 1", ""];
        check(&again, "tries, gave-up", acked, 1, &want);
        check(&again, "tries, gave-up", ["", ""], 2, &["it died 2 times"]);
        let want = ["it is among the dead letters, where nothing dies"];
        check(&fates(OnCrash::Drop), "tries, gave-up", ["", ""], 1, &want);
        // Deliveries before its death that nobody has noted.
        assert_eq!(found(&again, "tries, gave-up", ["", ""], 1).unseen, 3);
    }

    #[test]
    fn a_letter_that_is_not_done_with() {
        let want = ["consumer 0 lives, and is not done with it"];
        for on_crash in [OnCrash::Drop, OnCrash::Return] {
            check(&fates(on_crash), "tries, gave-up", ["took 1 0 10", ""], 0, &want);
        }
        let want = ["it was not acked, and the mailbox did not close"];
        check(&fates(OnCrash::Close), "tries, gave-up", ["", "took 1 0 10"], 0, &want);
    }
}
