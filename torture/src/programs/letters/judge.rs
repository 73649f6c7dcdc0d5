//! Which promises about a letter were broken, by what all processes have noted of it.

use super::{
    deal::Deal,
    records::{End, Letter, Sent, Take, Told},
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
    fn is_not_acked(&self, take: &Take) -> bool {
        match take.end {
            End::Back => true,
            End::Held | End::Acks => self.is_killed(take.by),
            End::Acked => false,
        }
    }

    /// Whether a process may have had a letter and lost it without a note.
    fn may_have_lost_one(&self, pid: u32) -> bool {
        let of = self.consumers.iter().find(|person| person.pid == pid);
        // One that lives may have given up a receive.
        of.is_some_and(|person| person.killed || self.deal.may_give_back())
    }
}

struct Case<'a> {
    fates: &'a Fates,
    producer: usize,
    letter: &'a Letter,
    /// In the order of the deliveries.
    takes: Vec<Take>,
    found: Found,
}

impl Case<'_> {
    fn object(&mut self, what: impl Into<String>) {
        self.found.violations.push(what.into());
    }

    fn came(&self) -> bool {
        !self.takes.is_empty() || self.letter.dead > 0
    }

    /// Whether the last one who had it was done with it.
    fn is_done(&self) -> bool {
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
        let accepted = self.letter.sent == Sent::Accepted || self.came();
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

    /// Its producer is told what became of it.
    fn check_told(&mut self) {
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
