//! The engine against a model that knows only what a mailbox promises: random commands, and after each of them every promise.

use super::{
    Draft, Engine, Event, Hold, LetterId, SeatId, Ticket, Until,
    deeds::{CEILING, Deed, deed, terms},
};
use crate::{Capacity, Error, Key, OnCrash, Policy, ProcessId};
use bytes::Bytes;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet, HashMap};

fn process(number: u8) -> ProcessId {
    ProcessId { name: String::new(), pid: number.into(), instance: number.into() }
}

/// Where a letter is, as far as its events tell.
#[derive(Clone, PartialEq, Debug)]
enum Place {
    Ready,
    Held(SeatId),
    Acked(ProcessId),
    /// Dead, dropped or returned.
    Lost,
}

#[derive(Debug)]
struct Known {
    place: Place,
    /// What was sent, which no two letters have in common.
    bytes: Bytes,
    sender: SeatId,
    key: u64,
    deliveries: u32,
    /// Who took it last.
    taken_by: Option<ProcessId>,
}

/// A mailbox, and what its users know of it.
pub(super) struct Model {
    pub(super) engine: Engine,
    seats: Vec<(SeatId, ProcessId)>,
    /// Sends and receives whose event is not out.
    sends: BTreeMap<Ticket, (SeatId, u64, Bytes)>,
    receives: BTreeMap<Ticket, SeatId>,
    inquiries: BTreeMap<Ticket, (LetterId, Until)>,
    letters: BTreeMap<LetterId, Known>,
    holds: Vec<(Hold, SeatId)>,
    over: Vec<Hold>,
    /// What was withdrawn, and must never be seen again.
    withdrawn: BTreeSet<Bytes>,
    /// Of each sender, and each receiver where letters are assigned, the newest letter that came for the first time, since the receivers
    /// changed last.
    newest: HashMap<(SeatId, Option<SeatId>), LetterId>,
    /// Of each key, its receiver since the receivers changed last.
    stuck: HashMap<u64, SeatId>,
    receiving: BTreeSet<SeatId>,
    sent: u64,
    dead: u64,
}

impl Model {
    pub(super) fn new(engine: Engine) -> Self {
        Self {
            engine,
            seats: Vec::new(),
            sends: BTreeMap::new(),
            receives: BTreeMap::new(),
            inquiries: BTreeMap::new(),
            letters: BTreeMap::new(),
            holds: Vec::new(),
            over: Vec::new(),
            withdrawn: BTreeSet::new(),
            newest: HashMap::new(),
            stuck: HashMap::new(),
            receiving: BTreeSet::new(),
            sent: 0,
            dead: 0,
        }
    }

    pub(super) fn apply(&mut self, deed: &Deed) {
        match *deed {
            Deed::Attach(number) => self.attach(number),
            Deed::Detach(at) => self.detach(at),
            Deed::Send { seat, key, length } => self.send(seat, key, length),
            Deed::Receive(at) => {
                let Some((seat, _)) = pick(&self.seats, at) else { return };
                if self.receiving.insert(seat) {
                    self.receivers_change();
                }
                let ticket = self.engine.receive(seat);
                self.receives.insert(ticket, seat);
            }
            Deed::Withdraw(at) => self.withdraw(at),
            Deed::Ack(at) => {
                let Some((hold, _)) = take(&mut self.holds, at) else { return };
                assert!(self.engine.ack(hold), "a letter that is held can be acked");
                self.over.push(hold);
                let letter = self.letters.get_mut(&hold.letter).expect("it was accepted");
                letter.place = Place::Acked(letter.taken_by.clone().expect("it was taken"));
            }
            Deed::GiveBack(at) => {
                let Some((hold, _)) = take(&mut self.holds, at) else { return };
                self.gives_back(hold);
                assert!(self.engine.give_back(hold), "a letter that is held can be given back");
            }
            Deed::Inquire { letter, acked } => {
                let known: Vec<_> = self.letters.keys().copied().collect();
                let Some(letter) = pick(&known, letter) else { return };
                let until = if acked { Until::Acked } else { Until::Taken };
                let ticket = self.engine.inquire(letter, until);
                self.inquiries.insert(ticket, (letter, until));
            }
            Deed::Repeat(at) => {
                let Some(hold) = pick(&self.over, at) else { return };
                assert!(!self.engine.ack(hold), "acked twice");
                assert!(!self.engine.give_back(hold), "given back after its end");
            }
        }
    }

    fn attach(&mut self, number: u8) {
        let process = process(number);
        let others: BTreeSet<_> = self.seats.iter().map(|(_, process)| process.clone()).collect();
        let is_third = self.engine.terms().policy == Policy::Pair
            && others.len() >= 2
            && !others.contains(&process);
        match self.engine.attach(process.clone()) {
            Ok(seat) => {
                assert!(!is_third, "a third process has a pair's mailbox");
                self.seats.push((seat, process));
            }
            Err(Error::MailboxBusy { holders }) => {
                assert!(is_third);
                assert_eq!(holders.into_iter().collect::<BTreeSet<_>>(), others);
            }
            Err(Error::Closed { .. }) => assert!(self.engine.closed.is_some()),
            Err(error) => panic!("{error}"),
        }
    }

    fn detach(&mut self, at: usize) {
        let Some((seat, _)) = take(&mut self.seats, at) else { return };
        if self.receiving.remove(&seat) {
            self.receivers_change();
        }
        self.sends.retain(|_, (of, _, bytes)| {
            let gone = *of == seat;
            if gone {
                self.withdrawn.insert(bytes.clone());
            }
            !gone
        });
        self.receives.retain(|_, of| *of != seat);
        let (its, others) = self.holds.drain(..).partition(|(_, of)| *of == seat);
        self.holds = others;
        let its: Vec<_> = its;
        its.into_iter().for_each(|(hold, _)| self.gives_back(hold));
        self.engine.detach(seat);
    }

    fn send(&mut self, at: usize, key: u64, length: usize) {
        let Some((seat, sender)) = pick(&self.seats, at) else { return };
        self.sent += 1;
        let mut bytes = self.sent.to_le_bytes().to_vec();
        bytes.resize(8 + length, 0);
        let bytes = Bytes::from(bytes);
        let ticket = self.engine.send(seat, Draft { sender, key, bytes: bytes.clone() });
        self.sends.insert(ticket, (seat, key, bytes));
    }

    fn withdraw(&mut self, at: usize) {
        let open: Vec<_> = self.sends.keys().chain(self.receives.keys()).copied().collect();
        let Some(ticket) = pick(&open, at) else { return };
        assert!(self.engine.withdraw(ticket), "its event is not out, and it cannot be withdrawn");
        assert!(!self.engine.withdraw(ticket), "withdrawn twice");
        self.receives.remove(&ticket);
        if let Some((.., bytes)) = self.sends.remove(&ticket) {
            self.withdrawn.insert(bytes);
        }
    }

    /// What becomes of a letter that was not acked.
    fn gives_back(&mut self, hold: Hold) {
        self.over.push(hold);
        let letter = self.letters.get_mut(&hold.letter).expect("it was accepted");
        let again = match self.engine.terms().on_crash {
            OnCrash::Redeliver { max } => letter.deliveries < max,
            _ => false,
        };
        letter.place = if again { Place::Ready } else { Place::Lost };
    }

    /// Letters may be assigned anew: their order is the same only from now on.
    fn receivers_change(&mut self) {
        if matches!(self.engine.terms().policy, Policy::RoundRobin | Policy::Sticky(_)) {
            self.newest.clear();
        }
        self.stuck.clear();
    }

    /// Takes note of all events.
    pub(super) fn drain(&mut self) {
        // Who asked is told before the letter is given out.
        let mut told = Vec::new();
        while let Some(event) = self.engine.poll_event() {
            match event {
                Event::Sent(ticket, sent) => self.sent(ticket, sent),
                Event::Received(ticket, received) => self.received(ticket, received),
                Event::Told(ticket, answer) => told.push((ticket, answer)),
                Event::Died(letter) => {
                    self.dead += 1;
                    assert_eq!(self.letters[&letter.id].place, Place::Lost);
                }
            }
        }
        told.iter().for_each(|(ticket, answer)| self.told(*ticket, answer));
    }

    fn sent(&mut self, ticket: Ticket, sent: Result<LetterId, Error>) {
        let (sender, key, bytes) = self.sends.remove(&ticket).expect("done once, if not withdrawn");
        match sent {
            Ok(id) => {
                let of_sender = self.letters.iter().filter(|(_, known)| known.sender == sender);
                if let Some((_, before)) = of_sender.last() {
                    assert!(before.bytes < bytes, "accepted before what was sent before it");
                }
                let place = Place::Ready;
                let known = Known { place, bytes, sender, key, deliveries: 0, taken_by: None };
                assert!(self.letters.insert(id, known).is_none(), "accepted twice");
            }
            Err(Error::LimitExceeded { .. }) => {
                assert!(self.bytes() + bytes.len() as u64 > CEILING, "there was room");
            }
            Err(Error::NotStored { .. }) => drop(self.withdrawn.insert(bytes)),
            Err(error) => assert_eq!(Some(error), self.engine.closed),
        }
    }

    fn received(&mut self, ticket: Ticket, received: Result<super::Letter, Error>) {
        let seat = self.receives.remove(&ticket).expect("done once, if not withdrawn");
        let letter = match received {
            Ok(letter) => letter,
            Err(error) => return assert_eq!(Some(error), self.engine.closed),
        };
        let known = self.letters.get_mut(&letter.id).expect("accepted before it is taken");
        assert_eq!(known.place, Place::Ready, "taken by two");
        assert_eq!(letter.bytes, known.bytes);
        assert!(!self.withdrawn.contains(&letter.bytes), "withdrawn, and taken");
        known.deliveries += 1;
        assert_eq!(letter.deliveries, known.deliveries);
        known.place = Place::Held(seat);
        let of = self.seats.iter().find(|(other, _)| *other == seat);
        known.taken_by = of.map(|(_, process)| process.clone());
        let (sender, key) = (known.sender, known.key);
        self.holds.push((Hold { letter: letter.id, delivery: letter.deliveries }, seat));
        if letter.deliveries > 1 {
            return;
        }
        let policy = self.engine.terms().policy;
        let assigns = matches!(policy, Policy::RoundRobin | Policy::Sticky(_));
        let newest = self.newest.insert((sender, assigns.then_some(seat)), letter.id);
        assert!(newest < Some(letter.id), "{newest:?} came before {:?}", letter.id);
        let keeps = self.engine.terms().capacity != Capacity::Zero;
        if policy == Policy::Sticky(Key::Letter) && keeps {
            assert_eq!(*self.stuck.entry(key).or_insert(seat), seat, "a key has two receivers");
        }
    }

    fn told(&mut self, ticket: Ticket, told: &Result<ProcessId, Error>) {
        let (letter, until) = self.inquiries.remove(&ticket).expect("told once");
        let known = &self.letters[&letter];
        match (told, &known.place) {
            (Ok(by), Place::Acked(acked)) => assert_eq!(by, acked),
            (Ok(by), _) => {
                assert_eq!((until, Some(by)), (Until::Taken, known.taken_by.as_ref()));
            }
            (Err(_), place) => assert_eq!(*place, Place::Lost, "{told:?}"),
        }
    }

    /// Bytes of what waits, is ready or is held.
    fn bytes(&self) -> u64 {
        let open = |known: &&Known| matches!(known.place, Place::Ready | Place::Held(_));
        let letters = self.letters.values().filter(open).map(|known| known.bytes.len());
        let drafts = self.sends.values().map(|(.., bytes)| bytes.len());
        letters.chain(drafts).sum::<usize>() as u64
    }

    /// What must hold after each deed.
    pub(super) fn check(&self) {
        let (counts, terms) = (self.engine.counts(), self.engine.terms());
        let ended = counts.acked + counts.dead + counts.dropped + counts.returned;
        assert_eq!(
            counts.accepted,
            ended + counts.ready + counts.held,
            "lost or doubled: {counts:?}"
        );
        let of = |is: fn(&Place) -> bool| {
            self.letters.values().filter(|known| is(&known.place)).count() as u64
        };
        let (ready, held) =
            (of(|place| *place == Place::Ready), of(|place| matches!(place, Place::Held(_))));
        assert_eq!((counts.ready, counts.held), (ready, held));
        assert_eq!(counts.acked, of(|place| matches!(place, Place::Acked(_))));
        assert_eq!(counts.dead, self.dead);
        assert_eq!(counts.accepted, self.letters.len() as u64);
        assert_eq!(counts.waiting, self.sends.len() as u64);
        assert_eq!(counts.bytes, self.bytes());
        assert!(counts.bytes <= CEILING);
        if self.engine.closed.is_some() {
            assert!(
                self.sends.is_empty() && self.receives.is_empty(),
                "somebody waits for nothing"
            );
            return;
        }
        match terms.capacity {
            Capacity::Bounded(most) => {
                assert!(ready + held <= most, "{ready} + {held} letters of {most}");
                assert!(
                    self.sends.is_empty() || ready + held == most,
                    "waits though there is room"
                );
            }
            Capacity::Unbounded => assert!(self.sends.is_empty(), "waits though there is room"),
            Capacity::Zero => {
                let mut ready = self.letters.values().filter(|known| known.place == Place::Ready);
                assert!(ready.all(|known| known.deliveries > 0), "it has been kept");
                let waits = counts.ready > 0 || !self.sends.is_empty();
                assert!(!waits || self.receives.is_empty(), "both wait");
            }
        }
        if !matches!(terms.policy, Policy::RoundRobin | Policy::Sticky(_)) {
            assert!(counts.ready == 0 || self.receives.is_empty(), "asks though a letter is there");
        }
    }
}

fn pick<T: Clone>(from: &[T], at: usize) -> Option<T> {
    from.get(at.checked_rem(from.len())?).cloned()
}

fn take<T>(from: &mut Vec<T>, at: usize) -> Option<T> {
    let at = at.checked_rem(from.len())?;
    Some(from.remove(at))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn promises_are_kept(terms in terms(), deeds in prop::collection::vec(deed(), 1..120)) {
        let mut model = Model::new(Engine::new(terms));
        for deed in &deeds {
            model.apply(deed);
            model.drain();
            model.check();
        }
    }
}
