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
#[cfg(test)]
mod known;
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
pub use passage::PORTION_BYTES;
pub use receipts::{INQUIRIES, REMEMBERED, Until};
pub use receivers::{ASKING, Manner, SeatId};
pub use storing::{Change, Kept};

use crate::{Counts, Error, Policy, ProcessId, Terms};
use letter::Spread;
use policy::Selection;
use queue::Queue;
use receipts::Receipts;
use receivers::{Asking, Receivers};
use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};
use storing::Storing;

/// Sends that may wait for room.
pub const WAITING: usize = 65_536;
/// Attachments of a mailbox.
pub const SEATS: usize = 4096;
/// Letters of a mailbox, whatever its capacity and however short they are: each takes some 200 bytes more than it has.
pub const LETTERS: usize = 1 << 22;

/// Somebody who waits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Ticket(u64);

/// A letter in the hands of a receiver: which one, and for the how many-th time, those included that came back unread.
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
    /// The send with this ticket is done: its last letter is this one, those before it have the numbers before.
    Sent(Ticket, Result<LetterId, Error>),
    /// The receive with this ticket is done. Letters that were not acked as they were taken are held until they are acked or given back.
    Received(Ticket, Result<Vec<Letter>, Error>),
    /// Letters are acked once it is stored: what [`Engine::acked`] or [`Engine::unacked`] is to be told then.
    Acked(Ticket, Result<Vec<Letter>, Error>),
    /// Who asked for a receipt is told.
    Told(Ticket, Result<ProcessId, Error>),
    /// A letter goes to the dead letters.
    Died(Letter),
}

impl Event {
    /// Who waits for it, if somebody does.
    #[must_use]
    pub fn ticket(&self) -> Option<Ticket> {
        match self {
            Self::Sent(ticket, _)
            | Self::Received(ticket, _)
            | Self::Acked(ticket, _)
            | Self::Told(ticket, _) => Some(*ticket),
            Self::Died(_) => None,
        }
    }
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
    held: HashMap<LetterId, (SeatId, Letter), Spread>,
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
            held: HashMap::default(),
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
    pub fn attach(&mut self, process: Arc<ProcessId>) -> Result<SeatId, Error> {
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
        let held = self.held.iter().filter(|(id, (of, _))| *of == seat && !self.is_acking(**id));
        let mut held: Vec<_> = held.map(|(id, _)| *id).collect();
        held.sort_unstable();
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

    /// Sends letters, one directly after the other: [`Event::Sent`] says when all are accepted. Either all are refused at once, or none.
    pub fn send(&mut self, seat: SeatId, draft: Draft) -> Ticket {
        let ticket = self.ticket();
        match self.check_send(seat, &draft) {
            Ok(()) => {
                self.counts.bytes += draft.rest();
                self.waiting.push_back((ticket, seat, draft));
                self.settle();
            }
            Err(error) => self.events.push_back(Event::Sent(ticket, Err(error))),
        }
        ticket
    }

    /// Asks for letters, at most so many: [`Event::Received`] says when at least one is there. One alone comes where more would be kept from
    /// others: see [`Engine::portion`].
    pub fn receive(&mut self, seat: SeatId, most: usize, manner: Manner) -> Ticket {
        let ticket = self.ticket();
        if let Err(error) = self.check_receive(seat) {
            self.events.push_back(Event::Received(ticket, Err(error)));
            return ticket;
        }
        if self.receivers.ask(Asking { ticket, seat, most, manner }) {
            self.assign_anew();
        }
        self.settle();
        ticket
    }

    /// Asks what becomes of a letter: [`Event::Told`] says it.
    pub fn inquire(&mut self, letter: LetterId, until: Until) -> Ticket {
        let ticket = self.ticket();
        let mut answer = self.receipts.ask(ticket, letter, until);
        if answer.is_none()
            && let Some(why) = self.why_suspended()
        {
            answer = Some(Err(why.clone()));
            self.receipts.stop_asking(ticket);
        }
        if let Some(answer) = answer {
            self.events.push_back(Event::Told(ticket, answer));
        }
        ticket
    }

    /// Waits no longer. True if the ticket was still open: its letters were surely not sent, but for those accepted before, or none
    /// received. False if its event is out.
    pub fn withdraw(&mut self, ticket: Ticket) -> bool {
        self.receipts.stop_asking(ticket);
        if let Some(at) = self.waiting.iter().position(|(of, ..)| *of == ticket) {
            if let Some((.., draft)) = self.waiting.remove(at) {
                self.counts.bytes -= draft.rest();
            }
            return true;
        }
        self.receivers.stop_asking(ticket)
    }

    /// A receiver is done with letters. How many of them it held.
    pub fn ack(&mut self, holds: impl IntoIterator<Item = Hold>) -> usize {
        let mut acked = 0;
        for hold in holds {
            let Some((seat, letter)) = self.take_held(hold) else { continue };
            acked += 1;
            self.counts.acked += 1;
            self.counts.bytes -= letter.size();
            self.note(|| Change::Over(letter.id));
            if let Some(process) = self.release(seat) {
                self.over(letter.id, Ok(process));
            }
        }
        self.settle();
        acked
    }

    /// A receiver gives letters back. How many of them it held.
    pub fn give_back(&mut self, holds: impl IntoIterator<Item = Hold>) -> usize {
        let mut given = 0;
        for hold in holds {
            let Some((seat, letter)) = self.take_held(hold) else { continue };
            given += 1;
            if let Some(process) = self.release(seat) {
                self.not_acked(letter, &process);
            }
        }
        self.settle();
        given
    }

    /// A receiver gives back letters that it has not looked at: they have not been delivered. How many of them it held.
    pub fn put_back(&mut self, holds: impl IntoIterator<Item = Hold>) -> usize {
        let mut put = 0;
        for hold in holds {
            let Some((seat, mut letter)) = self.take_held(hold) else { continue };
            put += 1;
            self.release(seat);
            letter.unread += 1;
            self.counts.deliveries -= 1;
            self.receipts.ready(letter.id);
            self.note(|| Change::PutBack { letter: letter.id, deliveries: letter.deliveries() });
            self.enqueue(letter);
        }
        self.settle();
        put
    }

    /// A letter that died found no place among the dead letters.
    pub fn drop_dead(&mut self) {
        self.counts.dead -= 1;
        self.counts.dropped += 1;
    }

    /// Takes no more letters and gives none: all that wait fail, and letters that nobody holds are dropped. Whoever holds one can ack it
    /// still.
    pub fn close(&mut self, why: Error) {
        self.stop(&why);
        for letter in self.queue.take_all() {
            self.dropped(&letter, why.clone());
        }
    }

    /// Takes no more letters and gives none, since its host ends: all that wait fail, those too that wait to hear of a letter. Letters
    /// stay where they are, also those that come back, and whoever holds one can ack it still.
    pub fn suspend(&mut self, why: Error) {
        if self.closed.is_some() {
            return;
        }
        self.stop(&why);
        for ticket in self.receipts.take_asking() {
            self.events.push_back(Event::Told(ticket, Err(why.clone())));
        }
    }

    /// Why it is suspended, if it is, and has not closed itself.
    fn why_suspended(&self) -> Option<&Error> {
        self.closed.as_ref().filter(|why| !matches!(why, Error::Closed { .. }))
    }

    fn stop(&mut self, why: &Error) {
        if self.closed.is_some() {
            return;
        }
        self.closed = Some(why.clone());
        self.counts.bytes -= self.waiting_bytes();
        for (ticket, ..) in self.waiting.drain(..) {
            self.events.push_back(Event::Sent(ticket, Err(why.clone())));
        }
        for asking in self.receivers.take_asking() {
            self.events.push_back(Event::Received(asking.ticket, Err(why.clone())));
        }
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
        if self.counts.bytes + draft.rest() > self.terms.ceiling {
            let what = "bytes of letters".to_owned();
            return Err(Error::LimitExceeded { what, limit: self.terms.ceiling });
        }
        if self.queue.len() + self.held.len() + self.storing() >= LETTERS {
            let what = "letters of the mailbox".to_owned();
            return Err(Error::LimitExceeded { what, limit: LETTERS as u64 });
        }
        if self.waiting.len() >= WAITING {
            let what = "sends that wait".to_owned();
            return Err(Error::LimitExceeded { what, limit: WAITING as u64 });
        }
        Ok(())
    }

    fn waiting_bytes(&self) -> u64 {
        self.waiting.iter().map(|(.., draft)| draft.rest()).sum()
    }

    fn ticket(&mut self) -> Ticket {
        self.tickets += 1;
        Ticket(self.tickets)
    }
}
