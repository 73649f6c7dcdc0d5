//! Who has the mailbox, which of them receive, and those that are asking for a letter just now.

use super::Ticket;
use crate::ProcessId;
use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

/// Receives that may wait for a letter.
pub const ASKING: usize = 65_536;

/// One attachment of a process.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct SeatId(pub(super) u64);

/// A receive that waits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asking {
    pub(super) ticket: Ticket,
    pub(super) seat: SeatId,
    /// Letters, at most.
    pub(super) most: usize,
    pub(super) manner: Manner,
}

/// How a receiver takes letters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Manner {
    /// It holds each until it acks it or gives it back.
    Held,
    /// Each is acked as it is taken.
    Acked,
}

/// An attachment.
#[derive(Debug)]
pub(super) struct Seated {
    pub(super) process: Arc<ProcessId>,
    /// It has asked for a letter before.
    pub(super) receives: bool,
    /// Letters that it has taken and not acked.
    pub(super) held: usize,
}

/// All attachments.
#[derive(Default, Debug)]
pub(super) struct Receivers {
    seats: BTreeMap<SeatId, Seated>,
    asking: VecDeque<Asking>,
    next: u64,
}

impl Receivers {
    pub(super) fn insert(&mut self, process: Arc<ProcessId>) -> SeatId {
        let seat = SeatId(self.next);
        self.next += 1;
        self.seats.insert(seat, Seated { process, receives: false, held: 0 });
        seat
    }

    pub(super) fn remove(&mut self, seat: SeatId) -> Option<Seated> {
        self.asking.retain(|asks| asks.seat != seat);
        self.seats.remove(&seat)
    }

    pub(super) fn len(&self) -> usize {
        self.seats.len()
    }

    /// How many receives wait for a letter.
    pub(super) fn asks(&self) -> usize {
        self.asking.len()
    }

    pub(super) fn seated(&self, seat: SeatId) -> Option<&Seated> {
        self.seats.get(&seat)
    }

    pub(super) fn seated_mut(&mut self, seat: SeatId) -> Option<&mut Seated> {
        self.seats.get_mut(&seat)
    }

    /// The processes, each once.
    pub(super) fn processes(&self) -> Vec<ProcessId> {
        let mut all: Vec<ProcessId> = Vec::new();
        for seated in self.seats.values() {
            if !all.iter().any(|other| other.is(&seated.process)) {
                all.push((*seated.process).clone());
            }
        }
        all
    }

    /// Those that have asked for a letter before.
    pub(super) fn receiving(&self) -> Vec<SeatId> {
        let receiving = self.seats.iter().filter(|(_, seated)| seated.receives);
        receiving.map(|(seat, _)| *seat).collect()
    }

    /// Adds one that asks for a letter. Whether it is the first time.
    pub(super) fn ask(&mut self, asking: Asking) -> bool {
        let seat = asking.seat;
        self.asking.push_back(asking);
        let seated = self.seats.get_mut(&seat);
        seated.is_some_and(|seated| !std::mem::replace(&mut seated.receives, true))
    }

    /// Takes back what [`ask`](Self::ask) added. False, if it asks no more.
    pub(super) fn stop_asking(&mut self, ticket: Ticket) -> bool {
        let at = self.asking.iter().position(|asks| asks.ticket == ticket);
        at.and_then(|at| self.asking.remove(at)).is_some()
    }

    /// Those that are asking, in the order of asking, with the letters that each holds.
    pub(super) fn asking(&self) -> impl Iterator<Item = (Asking, usize)> {
        let held = |seat| self.seated(seat).map_or(0, |seated| seated.held);
        self.asking.iter().map(move |asks| (*asks, held(asks.seat)))
    }

    /// Takes out all that are asking.
    pub(super) fn take_asking(&mut self) -> VecDeque<Asking> {
        std::mem::take(&mut self.asking)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Capacity, Error, Terms,
        engine::{Engine, Event},
    };

    #[test]
    fn receives_that_wait_are_bounded() {
        let mut engine = Engine::new(Terms::of(Capacity::Bounded(1)));
        let process = ProcessId { name: String::new(), pid: 1, instance: 1 };
        let seat = engine.attach(process.into()).expect("it is open");
        let tickets: Vec<_> = (0..ASKING).map(|_| engine.receive(seat, 1, Manner::Held)).collect();
        assert_eq!(engine.poll_event(), None);
        let over = engine.receive(seat, 1, Manner::Held);
        let what = "receives that wait".to_owned();
        let refused = Err(Error::LimitExceeded { what, limit: 65_536 });
        assert_eq!(engine.poll_event(), Some(Event::Received(over, refused)));
        assert!(engine.withdraw(tickets[7]));
        engine.receive(seat, 1, Manner::Held);
        assert_eq!((engine.poll_event(), engine.counts().asking), (None, 65_536));
    }
}
