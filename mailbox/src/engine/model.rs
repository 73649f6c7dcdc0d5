//! The engine against a model that knows only what a mailbox promises: random commands, and after each of them every promise.

use super::{
    Draft, Engine, Event, Hold, LetterId, Manner, SeatId, Ticket, Until,
    deeds::{CEILING, Deed, gone, pick, process, take},
    known::{Known, Place, Sending},
};
use crate::{Capacity, Error, Key, OnCrash, Policy, ProcessId, parcel::Parcel, writing::Writing};
use bytes::Bytes;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    sync::Arc,
};

/// A mailbox, and what its users know of it.
pub(super) struct Model {
    pub(super) engine: Engine,
    seats: Vec<(SeatId, Arc<ProcessId>)>,
    /// Sends and receives whose event is not out, in order; of sends, what is not accepted.
    sends: BTreeMap<Ticket, Sending>,
    receives: BTreeMap<Ticket, (SeatId, usize, Manner)>,
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
            Deed::Send { seat, key, ref lengths } => self.send(seat, key, lengths),
            Deed::Receive { seat, most, acked } => {
                let Some((seat, _)) = pick(&self.seats, seat) else { return };
                if self.receiving.insert(seat) {
                    self.receivers_change();
                }
                let manner = if acked { Manner::Acked } else { Manner::Held };
                let ticket = self.engine.receive(seat, most, manner);
                self.receives.insert(ticket, (seat, most, manner));
            }
            Deed::Withdraw(at) => self.withdraw(at),
            Deed::Ack(at) => {
                let Some((hold, _)) = take(&mut self.holds, at) else { return };
                assert_eq!(self.engine.ack([hold]), 1, "a letter that is held can be acked");
                self.over.push(hold);
                let letter = self.letters.get_mut(&hold.letter).expect("it was accepted");
                letter.place = Place::Acked(letter.taken_by.clone().expect("it was taken"));
            }
            Deed::GiveBack(at) => {
                let Some((hold, _)) = take(&mut self.holds, at) else { return };
                self.gives_back(hold);
                assert_eq!(
                    self.engine.give_back([hold]),
                    1,
                    "a letter that is held can be given back"
                );
            }
            Deed::PutBack(at) => {
                let Some((hold, _)) = take(&mut self.holds, at) else { return };
                self.over.push(hold);
                let letter = self.letters.get_mut(&hold.letter).expect("it was accepted");
                let closed = matches!(self.engine.closed, Some(Error::Closed { .. }));
                letter.place = if closed { Place::Lost } else { Place::Ready };
                letter.unread += 1;
                assert_eq!(
                    self.engine.put_back([hold]),
                    1,
                    "a letter that is held can be put back"
                );
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
                assert_eq!(self.engine.ack([hold]), 0, "acked twice");
                assert_eq!(self.engine.give_back([hold]), 0, "given back after its end");
                assert_eq!(self.engine.put_back([hold]), 0, "put back after its end");
            }
            Deed::Suspend => self.engine.suspend(gone()),
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
                let holders: BTreeSet<_> = holders.into_iter().map(Arc::new).collect();
                assert_eq!(holders, others);
            }
            Err(error) => assert_eq!(Some(error), self.engine.closed),
        }
    }

    fn detach(&mut self, at: usize) {
        let Some((seat, _)) = take(&mut self.seats, at) else { return };
        if self.receiving.remove(&seat) {
            self.receivers_change();
        }
        for sending in self.sends.values().filter(|sending| sending.seat == seat) {
            self.withdrawn.extend(sending.letters.iter().cloned());
        }
        self.sends.retain(|_, sending| sending.seat != seat);
        self.receives.retain(|_, (of, ..)| *of != seat);
        let (its, others) = self.holds.drain(..).partition(|(_, of)| *of == seat);
        self.holds = others;
        let its: Vec<_> = its;
        its.into_iter().for_each(|(hold, _)| self.gives_back(hold));
        self.engine.detach(seat);
    }

    fn send(&mut self, at: usize, key: u64, lengths: &[usize]) {
        let Some((seat, sender)) = pick(&self.seats, at) else { return };
        let letters = lengths.iter().map(|length| {
            self.sent += 1;
            let mut letter = self.sent.to_be_bytes().to_vec();
            letter.resize(8 + length, 0);
            Bytes::from(letter)
        });
        let letters: VecDeque<_> = letters.collect();
        let parcel = Parcel::of(letters.iter().cloned().map(Writing::from).collect());
        let draft = Draft::many(sender, key, parcel).expect("it is whole");
        let ticket = self.engine.send(seat, draft);
        self.sends.insert(ticket, Sending { seat, key, letters, accepted: None });
    }

    fn withdraw(&mut self, at: usize) {
        let open: Vec<_> = self.sends.keys().chain(self.receives.keys()).copied().collect();
        let Some(ticket) = pick(&open, at) else { return };
        assert!(self.engine.withdraw(ticket), "its event is not out, and it cannot be withdrawn");
        assert!(!self.engine.withdraw(ticket), "withdrawn twice");
        self.receives.remove(&ticket);
        if let Some(sending) = self.sends.remove(&ticket) {
            self.withdrawn.extend(sending.letters);
        }
    }

    /// What becomes of a letter that was not acked.
    fn gives_back(&mut self, hold: Hold) {
        self.over.push(hold);
        let letter = self.letters.get_mut(&hold.letter).expect("it was accepted");
        let again = match self.engine.terms().on_crash {
            OnCrash::Redeliver { max } => letter.deliveries - letter.unread < max,
            OnCrash::Close => self.engine.closed == Some(gone()),
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
        let next = self.letters.len() as u64;
        let accepted = (next..self.engine.counts().accepted).map(LetterId).collect();
        self.drain_accepted(accepted);
    }

    /// The same, where it is known which letters were accepted.
    pub(super) fn drain_accepted(&mut self, accepted: Vec<LetterId>) {
        // Who asked is told before the letter is given out.
        let mut told = Vec::new();
        let events: Vec<_> = std::iter::from_fn(|| self.engine.poll_event()).collect();
        for event in &events {
            if let Event::Sent(ticket, Err(error)) = event {
                self.refused(*ticket, error);
            }
        }
        self.accept(accepted);
        for event in events {
            match event {
                Event::Sent(ticket, Ok(last)) => {
                    let sending = self.sends.remove(&ticket).expect("done once, if not withdrawn");
                    assert_eq!(sending.accepted, Some(last));
                    assert!(sending.letters.is_empty(), "done before all are accepted");
                }
                Event::Sent(_, Err(_)) => {}
                Event::Acked(..) => panic!("no ack of the model's waits to be stored"),
                Event::Received(ticket, received) => self.received(ticket, received),
                Event::Told(ticket, answer) => told.push((ticket, answer)),
                Event::Died(letter) => {
                    self.dead += 1;
                    assert_eq!(self.letters[&letter.id].place, Place::Lost);
                }
            }
        }
        if let Some(Error::Closed { .. }) = self.engine.closed {
            let letters = self.letters.values_mut();
            let ready = letters.filter(|known| known.place == Place::Ready);
            ready.for_each(|known| known.place = Place::Lost);
        }
        told.iter().for_each(|(ticket, answer)| self.told(*ticket, answer));
    }

    fn refused(&mut self, ticket: Ticket, why: &Error) {
        let sending = self.sends.remove(&ticket).expect("done once, if not withdrawn");
        match why {
            Error::LimitExceeded { .. } => {
                assert!(self.bytes() + sending.bytes() > CEILING, "there was room");
            }
            Error::NotStored { .. } => {}
            error => assert_eq!(Some(error), self.engine.closed.as_ref()),
        }
        self.withdrawn.extend(sending.letters);
    }

    /// Sends are accepted in the order of sending, letter by letter.
    fn accept(&mut self, accepted: Vec<LetterId>) {
        for id in accepted {
            let mut sends = self.sends.values_mut();
            let sending = sends.find(|sending| !sending.letters.is_empty());
            let sending = sending.expect("something else than what was sent is accepted");
            let bytes = sending.letters.pop_front().expect("it is not empty");
            sending.accepted = Some(id);
            let (sender, key, place) = (sending.seat, sending.key, Place::Ready);
            let known =
                Known { place, bytes, sender, key, deliveries: 0, unread: 0, taken_by: None };
            self.letters.insert(id, known);
        }
    }

    fn received(&mut self, ticket: Ticket, received: Result<Vec<super::Letter>, Error>) {
        let asked = self.receives.remove(&ticket);
        let (seat, most, manner) = asked.expect("done once, if not withdrawn");
        let letters = match received {
            Ok(letters) => letters,
            Err(error) => return assert_eq!(Some(error), self.engine.closed),
        };
        let terms = self.engine.terms();
        let shares = matches!(terms.policy, Policy::FirstReceiver | Policy::LeastLoaded)
            || terms.capacity == Capacity::Zero;
        let most = if shares { 1 } else { most };
        assert!((1..=most).contains(&letters.len()), "{} of {most}", letters.len());
        letters.into_iter().for_each(|letter| self.delivered(seat, manner, letter));
    }

    fn delivered(&mut self, seat: SeatId, manner: Manner, letter: super::Letter) {
        let known = self.letters.get_mut(&letter.id).expect("accepted before it is taken");
        assert_eq!(known.place, Place::Ready, "taken by two");
        assert_eq!(letter.writing.bytes, known.bytes);
        assert!(!self.withdrawn.contains(&letter.writing.bytes), "withdrawn, and taken");
        known.deliveries += 1;
        assert_eq!((letter.handed_out, letter.unread), (known.deliveries, known.unread));
        let hold = Hold { letter: letter.id, delivery: letter.handed_out };
        let of = self.seats.iter().find(|(other, _)| *other == seat);
        known.taken_by = of.map(|(_, process)| Arc::clone(process));
        let (sender, key) = (known.sender, known.key);
        if manner == Manner::Held {
            known.place = Place::Held(seat);
            self.holds.push((hold, seat));
        } else {
            known.place = Place::Acked(known.taken_by.clone().expect("it is attached"));
            self.over.push(hold);
        }
        if letter.handed_out > 1 {
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
            (Ok(by), Place::Acked(acked)) => assert_eq!(*by, **acked),
            (Ok(by), _) => {
                assert_eq!((until, Some(by)), (Until::Taken, known.taken_by.as_deref()));
            }
            (Err(error), _) if *error == gone() => assert_eq!(self.engine.closed, Some(gone())),
            (Err(_), place) => assert_eq!(*place, Place::Lost, "{told:?}"),
        }
    }

    /// Bytes of what waits, is ready or is held.
    fn bytes(&self) -> u64 {
        let open = |known: &&Known| matches!(known.place, Place::Ready | Place::Held(_));
        let letters = self.letters.values().filter(open).map(|known| known.bytes.len() as u64);
        let drafts = self.sends.values().map(Sending::bytes);
        letters.chain(drafts).sum()
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
        for (letter, until) in self.inquiries.values() {
            let may_wait = match self.letters[letter].place {
                Place::Ready => true,
                Place::Held(_) => *until == Until::Acked,
                Place::Acked(_) | Place::Lost => false,
            };
            assert!(may_wait, "somebody waits to be told what is known of {letter:?}");
        }
        if self.engine.closed.is_some() {
            assert!(self.inquiries.is_empty() || self.engine.closed != Some(gone()));
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
