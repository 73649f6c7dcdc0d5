//! A mailbox as a state machine: no clock, lock, thread or task. Commands change it, and [`Engine::poll_event`] says what came of them.
//!
//! A send or receive that must wait gets a [`Ticket`]. [`Engine::withdraw`] is the one point at which waiting ends without success: it
//! says whether the ticket was still open, so a send is either withdrawn or taken, never both.
//!
//! ```text
//! draft -> waiting -> ready -> held -> over (acked, dead, dropped, returned)
//!             |         ^________|
//!         withdrawn     given back
//! ```

mod dead;
#[cfg(test)]
mod deeds;
mod letter;
mod looking;
#[cfg(test)]
mod mirror;
#[cfg(test)]
mod model;
mod passage;
mod policy;
mod queue;
mod receipts;
mod receivers;
mod storing;
#[cfg(test)]
mod tests;

pub use dead::terms_of_dead;
pub use letter::{Draft, Letter, LetterId};
pub use receipts::{INQUIRIES, REMEMBERED, Until};
pub use receivers::{ASKING, SeatId};
pub use storing::{Change, Kept};

use crate::{Counts, Error, Policy, ProcessId, Terms};
use policy::Selection;
use queue::Queue;
use receipts::Receipts;
use receivers::Receivers;
use std::collections::{BTreeMap, VecDeque};
use storing::Storing;

/// Sends that may wait for room.
pub const WAITING: usize = 65_536;
/// Attachments of a mailbox.
pub const SEATS: usize = 4096;

/// Somebody who waits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Ticket(u64);

/// A letter in the hands of a receiver: which one, and for the how many-th time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Hold {
    /// Which letter.
    pub letter: LetterId,
    /// Which of its deliveries.
    pub delivery: u32,
}

/// Something that has come of a command.
#[derive(PartialEq, Eq, Debug)]
pub enum Event {
    /// The send with this ticket is done.
    Sent(Ticket, Result<LetterId, Error>),
    /// The receive with this ticket is done: the letter is held until it is acked or given back.
    Received(Ticket, Result<Letter, Error>),
    /// Who asked for a receipt is told.
    Told(Ticket, Result<ProcessId, Error>),
    /// A letter goes to the dead letters.
    Died(Letter),
}

/// A mailbox.
#[derive(Debug)]
pub struct Engine {
    terms: Terms,
    selection: Selection,
    receivers: Receivers,
    /// Sends that are not accepted yet, in order.
    waiting: VecDeque<(Ticket, SeatId, Draft)>,
    queue: Queue,
    held: BTreeMap<LetterId, (SeatId, Letter)>,
    receipts: Receipts,
    closed: Option<Error>,
    counts: Counts,
    tickets: u64,
    /// The id of the next letter.
    next: u64,
    /// None: nothing is stored.
    storing: Option<Storing>,
    events: VecDeque<Event>,
}

impl Engine {
    /// A mailbox without letters.
    #[must_use]
    pub fn new(terms: Terms) -> Self {
        Self {
            terms,
            selection: Selection::new(terms.policy),
            receivers: Receivers::default(),
            waiting: VecDeque::new(),
            queue: Queue::default(),
            held: BTreeMap::new(),
            receipts: Receipts::default(),
            closed: None,
            counts: Counts::default(),
            tickets: 0,
            next: 0,
            storing: None,
            events: VecDeque::new(),
        }
    }

    /// Its parameters.
    #[must_use]
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// What it holds.
    #[must_use]
    pub fn counts(&self) -> Counts {
        Counts {
            ready: self.queue.len() as u64,
            held: self.held.len() as u64,
            waiting: self.waiting.len() as u64,
            asking: self.receivers.asks() as u64,
            ..self.counts
        }
    }

    /// What has come of the commands, one after the other.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// A process attaches itself.
    ///
    /// # Errors
    /// `MailboxBusy` if the mailbox is for two others; `LimitExceeded` beyond [`SEATS`]; `Closed`.
    pub fn attach(&mut self, process: ProcessId) -> Result<SeatId, Error> {
        self.check_open()?;
        let holders = self.receivers.processes();
        if self.terms.policy == Policy::Pair
            && holders.len() >= 2
            && !holders.iter().any(|holder| holder.is(&process))
        {
            return Err(Error::MailboxBusy { holders });
        }
        if self.receivers.len() >= SEATS {
            let what = "attachments of the mailbox".to_owned();
            return Err(Error::LimitExceeded { what, limit: SEATS as u64 });
        }
        Ok(self.receivers.insert(process))
    }

    /// An attachment ends: what it was about to send was never sent, and what it held is given back.
    pub fn detach(&mut self, seat: SeatId) {
        let Some(seated) = self.receivers.remove(seat) else { return };
        let before: u64 = self.waiting_bytes();
        self.waiting.retain(|(_, of, _)| *of != seat);
        self.counts.bytes -= before - self.waiting_bytes();
        let held = self.held.iter().filter(|(_, (of, _))| *of == seat);
        let held: Vec<_> = held.map(|(id, _)| *id).collect();
        for id in held {
            if let Some((_, letter)) = self.held.remove(&id) {
                self.not_acked(letter, &seated.process);
            }
        }
        if seated.receives {
            self.assign_anew();
        }
        self.settle();
    }

    /// Sends a letter: [`Event::Sent`] says when it is accepted.
    pub fn send(&mut self, seat: SeatId, draft: Draft) -> Ticket {
        let ticket = self.ticket();
        match self.check_send(seat, &draft) {
            Ok(()) => {
                self.counts.bytes += draft.len();
                self.waiting.push_back((ticket, seat, draft));
                self.settle();
            }
            Err(error) => self.events.push_back(Event::Sent(ticket, Err(error))),
        }
        ticket
    }

    /// Asks for a letter: [`Event::Received`] says when one is there.
    pub fn receive(&mut self, seat: SeatId) -> Ticket {
        let ticket = self.ticket();
        if let Err(error) = self.check_receive(seat) {
            self.events.push_back(Event::Received(ticket, Err(error)));
            return ticket;
        }
        if self.receivers.ask(ticket, seat) {
            self.assign_anew();
        }
        self.settle();
        ticket
    }

    /// Asks what becomes of a letter: [`Event::Told`] says it.
    pub fn inquire(&mut self, letter: LetterId, until: Until) -> Ticket {
        let ticket = self.ticket();
        if let Some(answer) = self.receipts.ask(ticket, letter, until) {
            self.events.push_back(Event::Told(ticket, answer));
        }
        ticket
    }

    /// Waits no longer. True if the ticket was still open: its letter was surely not sent, or none received. False if its event is out.
    pub fn withdraw(&mut self, ticket: Ticket) -> bool {
        self.receipts.stop_asking(ticket);
        if let Some(at) = self.waiting.iter().position(|(of, ..)| *of == ticket) {
            if let Some((.., draft)) = self.waiting.remove(at) {
                self.counts.bytes -= draft.len();
            }
            return true;
        }
        self.receivers.stop_asking(ticket)
    }

    /// A receiver is done with a letter. False, if it is not held any more.
    pub fn ack(&mut self, hold: Hold) -> bool {
        let Some((seat, letter)) = self.take_held(hold) else { return false };
        self.counts.acked += 1;
        self.counts.bytes -= letter.bytes.len() as u64;
        self.note(|| Change::Over(letter.id));
        if let Some(process) = self.release(seat) {
            self.over(letter.id, Ok(process));
        }
        self.settle();
        true
    }

    /// A receiver gives a letter back. False, if it is not held any more.
    pub fn give_back(&mut self, hold: Hold) -> bool {
        let Some((seat, letter)) = self.take_held(hold) else { return false };
        if let Some(process) = self.release(seat) {
            self.not_acked(letter, &process);
        }
        self.settle();
        true
    }

    /// A letter that died found no place among the dead letters.
    pub fn drop_dead(&mut self) {
        self.counts.dead -= 1;
        self.counts.dropped += 1;
    }

    /// Takes no more letters and gives none: all that wait fail.
    pub fn close(&mut self, why: Error) {
        self.counts.bytes -= self.waiting_bytes();
        for (ticket, ..) in self.waiting.drain(..) {
            self.events.push_back(Event::Sent(ticket, Err(why.clone())));
        }
        for (ticket, _) in self.receivers.take_asking() {
            self.events.push_back(Event::Received(ticket, Err(why.clone())));
        }
        self.closed = Some(why);
    }
}

/// What is refused.
impl Engine {
    fn check_open(&self) -> Result<(), Error> {
        self.closed.clone().map_or(Ok(()), Err)
    }

    fn check_seat(&self, seat: SeatId) -> Result<(), Error> {
        self.check_open()?;
        self.receivers.seated(seat).map(drop).ok_or(Error::Detached)
    }

    fn check_receive(&self, seat: SeatId) -> Result<(), Error> {
        self.check_seat(seat)?;
        if self.receivers.asks() >= ASKING {
            let what = "receives that wait".to_owned();
            return Err(Error::LimitExceeded { what, limit: ASKING as u64 });
        }
        Ok(())
    }

    fn check_send(&self, seat: SeatId, draft: &Draft) -> Result<(), Error> {
        self.check_seat(seat)?;
        if self.counts.bytes + draft.len() > self.terms.ceiling {
            let what = "bytes of letters".to_owned();
            return Err(Error::LimitExceeded { what, limit: self.terms.ceiling });
        }
        if self.waiting.len() >= WAITING {
            let what = "sends that wait".to_owned();
            return Err(Error::LimitExceeded { what, limit: WAITING as u64 });
        }
        Ok(())
    }

    fn waiting_bytes(&self) -> u64 {
        self.waiting.iter().map(|(.., draft)| draft.len()).sum()
    }

    fn ticket(&mut self) -> Ticket {
        self.tickets += 1;
        Ticket(self.tickets)
    }
}
