//! The sums of the rounds over a transport, and what was wrong.

use super::{
    deal::{ALL, Hurt},
    judge::Fates,
    pair::Knocks,
    records::{End, Records, Sent, Told},
};
use farcall::mailbox::{Counts, OnCrash};

/// Violations that are listed one by one; of more there is only the number.
const LISTED: usize = 20;
/// What is counted, and must have happened once when all that a round can be was there.
const SUMS: [&str; SUM] = [
    "letters were accepted",
    "were refused: full, nobody asked, or too late",
    "were given up while they were sent",
    "were about to be sent when their producer was killed",
    "were held when their consumer was killed",
    "were being acked when their consumer was killed",
    "were dropped by their consumer without an ack",
    "deliveries were not the first of their letter",
    "letters died, and are all among the dead letters",
    "were dropped by their mailbox",
    "were returned to their producer",
    "mailboxes have closed, and told everybody",
    "hosts were killed, and nobody hangs",
    "producers were killed",
    "consumers were killed",
    "rounds in which nobody was killed",
    "letters were accepted from a sink, which has no receipts",
    "deliveries came from streams",
    "streams were dropped, with what they had not given out",
    "producers were called by those who had their letters, and answered",
    "were dead by then, and what their letters enclose was whole",
    "third processes were told by name who has a mailbox for two",
    "were let in, in the place of a holder that was killed",
];
const SUM: usize = 23;

/// The sums, and what was wrong.
#[derive(Default, Debug)]
pub(super) struct Tally {
    rounds: usize,
    sums: [u64; SUM],
    /// Deliveries that nobody has noted.
    unseen: u64,
    violations: Vec<String>,
}

impl Tally {
    /// Something is wrong.
    pub(super) fn object(&mut self, what: String) {
        self.violations.push(what);
    }

    pub(super) fn is_clean(&self) -> bool {
        self.violations.is_empty()
    }

    /// Takes in a round: what was noted, what became of its processes, and what the mailbox counts.
    pub(super) fn read(&mut self, records: &Records, fates: &Fates, counts: Option<&Counts>) {
        let mut violations = records.wrong.clone();
        let mut unseen = 0;
        for (name, letter) in &records.letters {
            let found = fates.judge(name.producer as usize, letter);
            unseen += found.unseen as usize;
            violations.extend(found.violations.into_iter().map(|what| format!("{name}: {what}")));
        }
        let may_be = fates.may_be_unseen(records);
        if unseen > may_be {
            violations.push(format!("{unseen} deliveries were not noted, of {may_be} that might"));
        }
        violations.extend(fates.judge_order(records));
        violations.extend(fates.judge_shares(records));
        violations.extend(fates.judge_ends(records));
        if let Some(counts) = counts {
            violations.extend(fates.compare(counts, records));
        }
        let round = self.rounds;
        let said = |what| format!("round {round} ({}): {what}", fates.deal);
        self.violations.extend(violations.into_iter().map(said));
        self.unseen += unseen as u64;
        self.rounds += 1;
        self.add(records, fates);
    }

    /// Takes in what came of those who came to a mailbox for two.
    pub(super) fn knocked(&mut self, knocks: Knocks) {
        self.sums[21] += knocks.refused;
        self.sums[22] += knocks.freed;
    }

    fn add(&mut self, records: &Records, fates: &Fates) {
        let killed = |consumer: usize| fates.consumers[consumer].killed;
        let mut sums = [0; SUM];
        for (name, letter) in &records.letters {
            match letter.sent {
                Sent::Accepted => sums[0] += 1,
                Sent::Sunk => sums[16] += 1,
                Sent::Refused => sums[1] += 1,
                Sent::Unknown => sums[2] += 1,
                Sent::Tried if fates.producers[name.producer as usize].killed => sums[3] += 1,
                Sent::Tried | Sent::Never => {}
            }
            for take in &letter.takes {
                match take.end {
                    End::Held if killed(take.by) => sums[4] += 1,
                    End::Acks if killed(take.by) => sums[5] += 1,
                    End::Back => sums[6] += 1,
                    _ => {}
                }
                sums[7] += u64::from(take.delivery > 1);
                sums[17] += u64::from(take.streamed);
            }
            sums[19] += letter.calls.answered as u64;
            let is_dead = fates.producers.get(name.producer as usize).is_some_and(|of| of.killed);
            sums[20] += if is_dead { letter.calls.gone as u64 } else { 0 };
            sums[8] += letter.dead as u64;
            let drops = fates.deal.on_crash == OnCrash::Drop;
            sums[9] += u64::from(drops && matches!(letter.told, Some(Told::GivenUp(..))));
            let returns = fates.deal.on_crash == OnCrash::Return;
            sums[10] += u64::from(returns && matches!(letter.told, Some(Told::Returned(_))));
        }
        sums[11] = u64::from(fates.closed);
        sums[12] = u64::from(fates.host_died);
        sums[13] = fates.producers.iter().filter(|person| person.killed).count() as u64;
        sums[14] = fates.consumers.iter().filter(|person| person.killed).count() as u64;
        sums[15] = u64::from(fates.deal.hurt == Hurt::Nobody);
        sums[18] = records.dropped_streams;
        self.sums.iter_mut().zip(sums).for_each(|(sum, more)| *sum += more);
    }

    /// Looks at the whole: what never happened is not tested.
    pub(super) fn end(&mut self) {
        let rounds = self.rounds;
        if rounds < ALL || !self.is_clean() {
            return;
        }
        for (sum, what) in self.sums.into_iter().zip(SUMS) {
            if sum == 0 {
                self.object(format!("never in {rounds} rounds: {what}"));
            }
        }
    }

    /// Lines for people.
    pub(super) fn print(&self) {
        for (sum, what) in self.sums.into_iter().zip(SUMS) {
            println!("  {sum:7} {what}");
        }
        println!(
            "  {:7} deliveries that died with their consumer before it could note them",
            self.unseen
        );
        match self.violations.len() {
            0 => println!("  violations none"),
            count => println!("  violations {count}"),
        }
        self.violations.iter().take(LISTED).for_each(|what| println!("    {what}"));
    }
}

impl Fates {
    /// Who is told that the mailbox is closed or gone: nobody, as long as it is not.
    fn judge_ends(&self, records: &Records) -> Vec<String> {
        let mut violations = Vec::new();
        if records.gone > 0 && !self.host_died {
            violations.push(format!("{} were told that it is gone, and it is not", records.gone));
        }
        for (who, by) in &records.closed {
            let is_killed =
                |pid: u32| self.consumers.iter().any(|person| person.pid == pid && person.killed);
            if self.deal.on_crash != OnCrash::Close || !is_killed(*by) {
                violations.push(format!("{who} was told that {by} has closed it, who has not"));
            }
        }
        violations
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::programs::letters::{deal::Deal, judge::Person};
    use farcall::mailbox::Policy;

    /// A round in which the second of two consumers was killed.
    fn fates() -> Fates {
        // Bounded, the first receiver gets a letter, which is returned.
        let deal = Deal { on_crash: OnCrash::Return, ..Deal::of(3) };
        let producers = vec![Person { pid: 10, killed: false }];
        let people = [(20, false), (21, true)].map(|(pid, killed)| Person { pid, killed });
        let consumers = people.to_vec();
        Fates { deal, producers, consumers, late: 0, host_died: false, closed: false }
    }

    fn said_after(fates: &Fates, producer: &str, consumer: &str) -> Vec<String> {
        let (mut tally, mut records) = (Tally::default(), Records::default());
        records.read_producer(0, producer).expect("it means something");
        records.read_consumer(1, consumer).expect("it means something");
        tally.read(&records, fates, None);
        assert_eq!(tally.is_clean(), tally.violations.is_empty());
        tally.violations
    }

    #[track_caller]
    fn check(fates: &Fates, producer: &str, consumer: &str, want: &[&str]) {
        let want: Vec<_> =
            want.iter().map(|what| format!("round 0 ({}): {what}", fates.deal)).collect();
        assert_eq!(said_after(fates, producer, consumer), want);
    }

    #[test]
    fn what_is_as_promised_is_clean() {
        let producer = "tries 0.0.1\nsent 0.0.1\ntold 0.0.1 returned 21";
        check(&fates(), producer, "took 0.0.1 1 0 10", &[]);
    }

    #[test]
    fn a_letter_that_is_not_as_promised() {
        let want = ["0.0.1: it came, and nobody sent it"];
        check(&fates(), "", "took 0.0.1 1 0 10\nacks 0.0.1 1", &want);
    }

    #[test]
    fn what_somebody_says_is_wrong() {
        check(&fates(), "", "wrong receive: why", &["consumer 1: wrong receive: why"]);
    }

    #[test]
    fn more_letters_that_nobody_noted_than_there_were_hands() {
        let sent: Vec<_> = (1..=3)
            .map(|number| {
                format!("tries 0.0.{number}\nsent 0.0.{number}\ntold 0.0.{number} returned 21")
            })
            .collect();
        let want = ["3 deliveries were not noted, of 2 that might"];
        check(&fates(), &sent.join("\n"), "", &want);
        check(&fates(), &sent[..2].join("\n"), "", &[]);
        check(&fates(), &sent.join("\n"), "left 0", &[]);
    }

    #[test]
    fn letters_in_another_order() {
        let want = "lane 0 of consumer 1 had those of 0.0 in another order: [2, 1]";
        let producer = "tries 0.0.1\ngave-up 0.0.1\ntries 0.0.2\ngave-up 0.0.2";
        check(&fates(), producer, "took 0.0.2 1 0 10\ntook 0.0.1 1 0 10", &[want]);
    }

    #[test]
    fn letters_that_are_not_given_out_in_turn() {
        let mut deal = Deal { on_crash: OnCrash::Return, ..Deal::of(3) };
        deal.policy = Policy::RoundRobin;
        let consumers = [20, 21].map(|pid| Person { pid, killed: false }).to_vec();
        let fates = Fates { deal, consumers, ..fates() };
        let producer = "tries 0.0.1\ngave-up 0.0.1\ntries 0.0.2\ngave-up 0.0.2";
        let taken = "took 0.0.1 1 0 10\nacks 0.0.1 1\ntook 0.0.2 1 0 10\nacks 0.0.2 1";
        check(&fates, producer, taken, &["not in turn: [0, 2]"]);
    }

    #[test]
    fn who_is_told_of_an_end_that_is_none() {
        let gone = ["1 were told that it is gone, and it is not"];
        check(&fates(), "", "gone lane 0", &gone);
        check(&Fates { host_died: true, ..fates() }, "", "gone lane 0", &[]);
        let closed = ["consumer 1 was told that 21 has closed it, who has not"];
        check(&fates(), "", "closed 21 lane 0", &closed);
        let closes = Fates { deal: Deal { on_crash: OnCrash::Close, ..fates().deal }, ..fates() };
        check(&closes, "", "closed 21 lane 0", &[]);
        let alive = ["consumer 1 was told that 20 has closed it, who has not"];
        check(&closes, "", "closed 20 lane 0", &alive);
    }

    #[test]
    fn counts_that_the_journals_do_not_bear_out() {
        let mut tally = Tally::default();
        let mut counts = Counts::default();
        counts.acked = 1;
        tally.read(&Records::default(), &fates(), Some(&counts));
        assert_eq!(tally.violations.len(), 2, "{:?}", tally.violations);
    }

    #[test]
    fn what_never_happened() {
        let mut tally = Tally::default();
        (1..ALL).for_each(|_| tally.read(&Records::default(), &fates(), None));
        tally.end();
        assert!(tally.is_clean());
        tally.read(&Records::default(), &fates(), None);
        tally.end();
        // A consumer was killed each time.
        assert_eq!(tally.violations.len(), SUM - 1);
        assert_eq!(tally.violations[0], "never in 30 rounds: letters were accepted");
    }
}
