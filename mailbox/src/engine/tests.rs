//! The engine against a model that knows only what a mailbox promises: random commands, and after each of them every promise.

use super::{Draft, Engine, Event, Hold, LetterId, SEATS, SeatId, Ticket, Until, WAITING};
use crate::{Capacity, Error, Key, OnCrash, Policy, ProcessId, Terms};
use bytes::Bytes;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Bytes of letters in the mailboxes of the model.
const CEILING: u64 = 400;

/// What is done to a mailbox. Numbers choose among what there is.
#[derive(Clone, Debug)]
enum Deed {
    Attach(u8),
    Detach(usize),
    Send {
        seat: usize,
        key: u64,
        length: usize,
    },
    Receive(usize),
    Withdraw(usize),
    Ack(usize),
    GiveBack(usize),
    Inquire {
        letter: usize,
        acked: bool,
    },
    /// A letter that is not held any more is acked and given back once more.
    Repeat(usize),
}

fn deed() -> impl Strategy<Value = Deed> {
    let some = any::<usize>;
    prop_oneof![
        2 => (0..4_u8).prop_map(Deed::Attach),
        1 => some().prop_map(Deed::Detach),
        8 => (some(), 0..3_u64, 1..40_usize)
            .prop_map(|(seat, key, length)| Deed::Send { seat, key, length }),
        7 => some().prop_map(Deed::Receive),
        3 => some().prop_map(Deed::Withdraw),
        5 => some().prop_map(Deed::Ack),
        2 => some().prop_map(Deed::GiveBack),
        2 => (some(), any::<bool>()).prop_map(|(letter, acked)| Deed::Inquire { letter, acked }),
        1 => some().prop_map(Deed::Repeat),
    ]
}

fn terms() -> impl Strategy<Value = Terms> {
    let capacity = prop_oneof![
        Just(Capacity::Zero),
        (1..5_u64).prop_map(Capacity::Bounded),
        Just(Capacity::Unbounded),
    ];
    let policy = prop_oneof![
        Just(Policy::Pair),
        Just(Policy::FirstReceiver),
        Just(Policy::RoundRobin),
        Just(Policy::LeastLoaded),
        Just(Policy::Sticky(Key::Sender)),
        Just(Policy::Sticky(Key::Letter)),
    ];
    let on_crash = prop_oneof![
        4 => (1..4_u32).prop_map(|max| OnCrash::Redeliver { max }),
        1 => Just(OnCrash::Drop),
        1 => Just(OnCrash::Return),
        1 => Just(OnCrash::Close),
    ];
    (capacity, policy, on_crash).prop_map(|(capacity, policy, on_crash)| Terms {
        capacity,
        ceiling: CEILING,
        policy,
        on_crash,
    })
}

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
struct Model {
    engine: Engine,
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
    fn new(terms: Terms) -> Self {
        Self {
            engine: Engine::new(terms),
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

    fn apply(&mut self, deed: &Deed) {
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
    fn drain(&mut self) {
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
    fn check(&self) {
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
        let mut model = Model::new(terms);
        for deed in &deeds {
            model.apply(deed);
            model.drain();
            model.check();
        }
    }
}

fn seated(terms: Terms, processes: u8) -> (Engine, Vec<SeatId>) {
    let mut engine = Engine::new(terms);
    let seats = (0..processes).map(|number| engine.attach(process(number)).expect("room"));
    let seats = seats.collect();
    (engine, seats)
}

fn draft(length: usize) -> Draft {
    Draft { sender: process(0), key: 0, bytes: vec![0; length].into() }
}

fn events(engine: &mut Engine) -> Vec<Event> {
    std::iter::from_fn(|| engine.poll_event()).collect()
}

#[test]
fn attachments_are_bounded() {
    let mut engine = Engine::new(Terms::of(Capacity::Unbounded));
    let seats: Vec<_> = (0..SEATS).map(|_| engine.attach(process(0)).expect("room")).collect();
    let refused = engine.attach(process(1));
    assert!(matches!(refused, Err(Error::LimitExceeded { limit: 4096, .. })), "{refused:?}");
    engine.detach(seats[7]);
    engine.attach(process(1)).expect("one has gone");
}

#[test]
fn waiting_sends_are_bounded() {
    let (mut engine, seats) = seated(Terms::of(Capacity::Zero), 1);
    for _ in 0..WAITING {
        engine.send(seats[0], draft(1));
    }
    assert_eq!(events(&mut engine), []);
    let ticket = engine.send(seats[0], draft(1));
    let refused = events(&mut engine);
    let [Event::Sent(of, Err(Error::LimitExceeded { limit: 65_536, .. }))] = &refused[..] else {
        panic!("{refused:?}")
    };
    assert_eq!(*of, ticket);
}

#[test]
fn bytes_are_bounded() {
    let terms = Terms { ceiling: 10, ..Terms::of(Capacity::Unbounded) };
    let (mut engine, seats) = seated(terms, 1);
    engine.send(seats[0], draft(10));
    assert!(matches!(events(&mut engine)[..], [Event::Sent(_, Ok(_))]));
    engine.send(seats[0], draft(1));
    let refused = events(&mut engine);
    assert!(
        matches!(refused[..], [Event::Sent(_, Err(Error::LimitExceeded { limit: 10, .. }))]),
        "{refused:?}"
    );
}

#[test]
fn the_least_loaded_is_served() {
    let terms = Terms { policy: Policy::LeastLoaded, ..Terms::of(Capacity::Unbounded) };
    let (mut engine, seats) = seated(terms, 3);
    let mut takers = Vec::new();
    // The second holds two, the third one, when all three ask.
    for at in [1, 1, 2, 1, 2, 0] {
        engine.receive(seats[at]);
        if takers.len() < 3 {
            engine.send(seats[0], draft(1));
            takers.push(at);
            assert_eq!(events(&mut engine).len(), 2);
        }
    }
    for least in [0, 2, 1] {
        let before: Vec<_> = engine.receivers.asking().map(|(_, seat, _)| seat).collect();
        engine.send(seats[0], draft(1));
        let after: Vec<_> = engine.receivers.asking().map(|(_, seat, _)| seat).collect();
        let served: Vec<_> = before.into_iter().filter(|seat| !after.contains(seat)).collect();
        assert_eq!(served, [seats[least]]);
    }
}

#[test]
fn the_first_to_ask_is_served_first() {
    let (mut engine, seats) = seated(Terms::of(Capacity::Unbounded), 3);
    let asked: Vec<_> = [2, 0, 1, 0].iter().map(|at| engine.receive(seats[*at])).collect();
    let mut served = Vec::new();
    for _ in &asked {
        engine.send(seats[0], draft(1));
        served.extend(events(&mut engine).into_iter().filter_map(|event| match event {
            Event::Received(ticket, Ok(_)) => Some(ticket),
            _ => None,
        }));
    }
    assert_eq!(served, asked);
}

#[test]
fn receivers_are_selected_in_turn() {
    let terms = Terms { policy: Policy::RoundRobin, ..Terms::of(Capacity::Unbounded) };
    let (mut engine, seats) = seated(terms, 4);
    for round in 0..100 {
        // In another order each time: who asks first does not matter.
        for at in 0..4 {
            engine.receive(seats[(at * 3 + round) % 4]);
        }
        for _ in 0..4 {
            engine.send(seats[0], draft(1));
        }
    }
    let loads: Vec<_> =
        seats.iter().map(|seat| engine.receivers.seated(*seat).map(|of| of.held)).collect();
    assert_eq!(loads, [Some(100); 4]);
}
