//! How a letter goes on: from a sender that waits, through the queue, to a receiver, and to its end.

use super::{
    Change, Engine, Event, Hold, SeatId, Ticket,
    dead::{Fate, fate},
    letter::{Letter, LetterId},
    receipts,
    receivers::{Asking, Manner},
};
use crate::{Capacity, Error, Policy, ProcessId};
use std::sync::Arc;

/// A receiver gets no further letter at once when it has got so many bytes.
pub const PORTION_BYTES: usize = 64 << 10;

impl Engine {
    /// Accepts and delivers what can be.
    pub(super) fn settle(&mut self) {
        while self.closed.is_none() && (self.accept_one() || self.deliver_one()) {}
    }

    fn accept_one(&mut self) -> bool {
        if !self.has_room() {
            return false;
        }
        let id = LetterId(self.next);
        let Some((ticket, _, draft)) = self.waiting.front_mut() else { return false };
        let (ticket, letter) = (*ticket, draft.accept(id));
        let is_last = draft.is_accepted();
        if is_last {
            self.waiting.pop_front();
        }
        let Some(letter) = letter else { return true };
        self.next += 1;
        match &mut self.storing {
            None => self.accept(letter, is_last.then_some(ticket)),
            Some(storing) => storing.store(ticket, is_last, letter),
        }
        true
    }

    /// A letter is accepted, and with it its send, if it is the last one.
    #[inline]
    pub(super) fn accept(&mut self, letter: Letter, done: Option<Ticket>) {
        self.counts.accepted += 1;
        self.receipts.accepted(letter.id);
        let id = letter.id;
        self.enqueue(letter);
        if let Some(ticket) = done {
            self.events.push_back(Event::Sent(ticket, Ok(id)));
        }
    }

    /// Whether the next send is accepted.
    fn has_room(&self) -> bool {
        match self.terms.capacity {
            Capacity::Zero => self.queue.len() == 0 && self.receivers.asking().next().is_some(),
            Capacity::Bounded(most) => {
                ((self.queue.len() + self.held.len() + self.storing()) as u64) < most
            }
            Capacity::Unbounded => true,
        }
    }

    /// Letters are assigned to receivers that are asking, and not to those that may ask some time: a letter that was given back would keep
    /// all others out until then.
    fn is_for_those_who_ask(&self) -> bool {
        self.terms.capacity == Capacity::Zero
    }

    /// A letter waits to be taken. In a mailbox that has closed itself nobody will: it is dropped.
    #[inline]
    pub(super) fn enqueue(&mut self, letter: Letter) {
        if let Some(why @ Error::Closed { .. }) = &self.closed {
            let why = why.clone();
            return self.dropped(&letter, why);
        }
        let to = match (self.selection.assigns(), self.is_for_those_who_ask()) {
            (false, _) => None,
            (true, true) => {
                let mut asking: Vec<_> =
                    self.receivers.asking().map(|(asks, _)| asks.seat).collect();
                asking.sort_unstable();
                self.selection.assign(&letter, &asking)
            }
            (true, false) => self.selection.assign(&letter, &self.receivers.receiving()),
        };
        self.queue.insert(to, letter);
    }

    pub(super) fn assign_anew(&mut self) {
        if self.selection.assigns() {
            for letter in self.queue.take_all() {
                self.enqueue(letter);
            }
        }
    }

    fn deliver_one(&mut self) -> bool {
        if self.queue.len() == 0 {
            return false;
        }
        if self.is_for_those_who_ask() {
            self.assign_anew();
        }
        let asking = self.receivers.asking();
        let served = asking.filter(|(asks, _)| self.queue.next(asks.seat).is_some());
        let Some(Asking { ticket, seat, most, manner }) = self.selection.choose(served) else {
            return false;
        };
        self.receivers.stop_asking(ticket);
        let letters = self.hand_out(seat, most.min(self.portion()), manner);
        self.events.push_back(Event::Received(ticket, Ok(letters)));
        true
    }

    /// How many letters a receiver gets at once: one, where the next letter is for whoever asks next, and never so many that a sender
    /// waits for all of them at once.
    #[must_use]
    pub fn portion(&self) -> usize {
        let shared = matches!(self.terms.policy, Policy::FirstReceiver | Policy::LeastLoaded);
        match self.terms.capacity {
            _ if shared => 1,
            Capacity::Zero => 1,
            Capacity::Bounded(most) => usize::try_from(most / 2).unwrap_or(usize::MAX).max(1),
            Capacity::Unbounded => usize::MAX,
        }
    }

    /// The next letters for a receiver: at least one if there is one, and none after one that encloses something.
    fn hand_out(&mut self, seat: SeatId, most: usize, manner: Manner) -> Vec<Letter> {
        let (mut letters, mut bytes) = (Vec::with_capacity(most.min(self.queue.len())), 0);
        while letters.is_empty() || (letters.len() < most && bytes < PORTION_BYTES) {
            let Some(mut letter) = self.queue.take(seat) else { break };
            bytes += letter.writing.bytes.len();
            let is_last = !letter.writing.enclosed.is_empty();
            letter.handed_out += 1;
            self.counts.deliveries += 1;
            match (manner, self.receivers.seated_mut(seat)) {
                (_, None) => {}
                (Manner::Acked, Some(seated)) => {
                    self.counts.acked += 1;
                    if let Some(storing) = &mut self.storing {
                        storing.note(Change::Over(letter.id));
                    }
                    self.counts.bytes -= letter.size();
                    let process = Arc::clone(&seated.process);
                    self.over(letter.id, Ok(process));
                }
                (Manner::Held, Some(seated)) => {
                    seated.held += 1;
                    let told = self.receipts.taken(letter.id, &seated.process);
                    if let Some(storing) = &mut self.storing {
                        storing.taken(&letter, &seated.process);
                    }
                    self.tell(told);
                    self.held.insert(letter.id, (seat, letter.clone()));
                }
            }
            letters.push(letter);
            if is_last {
                break;
            }
        }
        letters
    }

    pub(super) fn not_acked(&mut self, letter: Letter, by: &ProcessId) {
        let length = letter.size();
        let deliveries = letter.deliveries();
        let fate = match fate(self.terms.on_crash, deliveries) {
            // It is the host that ends, and those that nobody has taken would be lost.
            Fate::Closes if self.why_suspended().is_some() => Fate::Again,
            fate => fate,
        };
        if fate == Fate::Again {
            self.enqueue(letter);
            return;
        }
        self.counts.bytes -= length;
        let process = by.clone();
        self.note(|| Change::Over(letter.id));
        match fate {
            Fate::Again => {}
            Fate::Dead => {
                self.counts.dead += 1;
                self.over(letter.id, Err(Error::GivenUp { process, deliveries }));
                self.events.push_back(Event::Died(letter));
            }
            Fate::Dropped => {
                self.counts.dropped += 1;
                self.over(letter.id, Err(Error::GivenUp { process, deliveries }));
            }
            Fate::Returned => {
                self.counts.returned += 1;
                self.over(letter.id, Err(Error::ReceiverDied { process }));
            }
            Fate::Closes => {
                self.counts.dropped += 1;
                self.over(letter.id, Err(Error::ReceiverDied { process: process.clone() }));
                self.note(|| Change::Closed { by: process.clone() });
                self.close(Error::Closed { by: process });
            }
        }
    }

    pub(super) fn dropped(&mut self, letter: &Letter, why: Error) {
        self.counts.bytes -= letter.size();
        self.counts.dropped += 1;
        self.note(|| Change::Over(letter.id));
        self.over(letter.id, Err(why));
    }

    pub(super) fn over(&mut self, letter: LetterId, how: Result<Arc<ProcessId>, Error>) {
        let told = self.receipts.over(letter, how);
        self.tell(told);
    }

    fn tell(&mut self, told: Vec<receipts::Told>) {
        for (ticket, answer) in told {
            self.events.push_back(Event::Told(ticket, answer));
        }
    }

    pub(super) fn take_held(&mut self, hold: Hold) -> Option<(SeatId, Letter)> {
        let (_, letter) = self.held.get(&hold.letter)?;
        let is_held = letter.handed_out == hold.delivery && !self.is_acking(hold.letter);
        is_held.then(|| self.held.remove(&hold.letter))?
    }

    /// The seat holds one letter less: whose it is.
    pub(super) fn release(&mut self, seat: SeatId) -> Option<Arc<ProcessId>> {
        let seated = self.receivers.seated_mut(seat)?;
        seated.held -= 1;
        Some(Arc::clone(&seated.process))
    }
}
