//! How a letter goes on: from a sender that waits, through the queue, to a receiver, and to its end.

use super::{
    Change, Engine, Event, Hold, SeatId,
    dead::{Fate, fate},
    letter::{Letter, LetterId},
    receipts,
};
use crate::{Capacity, Error, ProcessId};

impl Engine {
    /// Accepts and delivers what can be.
    pub(super) fn settle(&mut self) {
        while self.closed.is_none() && (self.accept_one() || self.deliver_one()) {}
    }

    fn accept_one(&mut self) -> bool {
        if !self.has_room() {
            return false;
        }
        let Some((ticket, _, draft)) = self.waiting.pop_front() else { return false };
        let id = self.next_id();
        let Some(letter) = self.store(ticket, draft.accepted(id)) else { return true };
        self.counts.accepted += 1;
        self.receipts.accepted(id);
        self.enqueue(letter);
        self.events.push_back(Event::Sent(ticket, Ok(id)));
        true
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

    pub(super) fn enqueue(&mut self, letter: Letter) {
        let to = match (self.selection.assigns(), self.is_for_those_who_ask()) {
            (false, _) => None,
            (true, true) => {
                let mut asking: Vec<_> = self.receivers.asking().map(|(_, seat, _)| seat).collect();
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
        let served = asking.filter(|(_, seat, _)| self.queue.next(*seat).is_some());
        let Some((ticket, seat)) = self.selection.choose(served) else { return false };
        let Some(mut letter) = self.queue.take(seat) else { return false };
        self.receivers.stop_asking(ticket);
        letter.deliveries += 1;
        self.counts.deliveries += 1;
        if let Some(seated) = self.receivers.seated_mut(seat) {
            seated.held += 1;
            let told = self.receipts.taken(letter.id, &seated.process);
            if let Some(storing) = &mut self.storing {
                storing.taken(&letter, &seated.process);
            }
            self.tell(told);
        }
        self.held.insert(letter.id, (seat, letter.clone()));
        self.events.push_back(Event::Received(ticket, Ok(letter)));
        true
    }

    pub(super) fn not_acked(&mut self, letter: Letter, by: &ProcessId) {
        let (process, length) = (by.clone(), letter.bytes.len() as u64);
        let deliveries = letter.deliveries;
        let fate = fate(self.terms.on_crash, deliveries);
        if fate == Fate::Again {
            self.enqueue(letter);
            return;
        }
        self.counts.bytes -= length;
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

    pub(super) fn over(&mut self, letter: LetterId, how: Result<ProcessId, Error>) {
        let told = self.receipts.over(letter, how);
        self.tell(told);
    }

    fn tell(&mut self, told: Vec<receipts::Told>) {
        let events = told.into_iter().map(|(ticket, answer)| Event::Told(ticket, answer));
        self.events.extend(events);
    }

    pub(super) fn take_held(&mut self, hold: Hold) -> Option<(SeatId, Letter)> {
        let (_, letter) = self.held.get(&hold.letter)?;
        (letter.deliveries == hold.delivery).then(|| self.held.remove(&hold.letter))?
    }

    /// The seat holds one letter less: whose it is.
    pub(super) fn release(&mut self, seat: SeatId) -> Option<ProcessId> {
        let seated = self.receivers.seated_mut(seat)?;
        seated.held -= 1;
        Some(seated.process.clone())
    }
}
