//! A mailbox whose letters are stored: what is to be stored, and the letters that nobody may have before they are. Without a store there
//! is none of this.
//!
//! A letter is accepted in two steps: [`Change::Accepted`] asks for it to be stored, and [`Engine::stored`] makes it one that can be
//! taken. So whatever is taken is stored, and a letter that cannot be stored was never sent. An ack that is waited for has two steps as
//! well: [`Engine::ack_once_stored`], and [`Engine::acked`] or [`Engine::unacked`]. All else happens at once in the engine; its host tells
//! nobody of it before the changes that came with it are stored, and has [`Engine::untake`] for a taking that could not be.

use super::{
    Draft, Engine, Event, Hold, Ticket,
    dead::{Fate, fate},
    letter::{Letter, LetterId},
};
use crate::{Error, ProcessId, Terms};
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

/// Something that has changed in a mailbox, to be stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Change {
    /// A letter was accepted, once this is stored.
    Accepted(Letter),
    /// A letter came to the dead letters, or is there still.
    Buried(Letter),
    /// A letter was taken.
    Taken {
        /// Which letter.
        letter: LetterId,
        /// How often it was delivered, this time included.
        deliveries: u32,
        /// Who has taken it.
        by: ProcessId,
    },
    /// A letter that was taken was put back unread: it is as it was before.
    PutBack {
        /// Which letter.
        letter: LetterId,
        /// How often it was delivered.
        deliveries: u32,
    },
    /// A letter is there no more.
    Over(LetterId),
    /// The mailbox has closed itself.
    Closed {
        /// Who did not ack a letter.
        by: ProcessId,
    },
}

/// What a store has of a mailbox.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Kept {
    /// Its letters, in order, each with the process that has taken it last, if one has.
    pub letters: Vec<(Letter, Option<ProcessId>)>,
    /// The id of the next letter.
    pub next: u64,
    /// Who did not ack a letter, if it has closed itself.
    pub closed: Option<ProcessId>,
}

impl Kept {
    /// Makes a change: what it means to a store.
    pub fn apply(&mut self, change: &Change) {
        let at = |id: LetterId| self.letters.binary_search_by_key(&id, |(letter, _)| letter.id);
        match change {
            Change::Accepted(letter) | Change::Buried(letter) => {
                if let Err(at) = at(letter.id) {
                    self.letters.insert(at, (letter.clone(), None));
                }
                self.next = self.next.max(letter.id.0.saturating_add(1));
            }
            Change::Taken { letter, deliveries, by } => {
                if let Ok(at) = at(*letter) {
                    let (letter, taken) = &mut self.letters[at];
                    letter.set_deliveries(*deliveries);
                    *taken = Some(by.clone());
                }
            }
            Change::PutBack { letter, deliveries } => {
                if let Ok(at) = at(*letter) {
                    let (letter, taken) = &mut self.letters[at];
                    letter.set_deliveries(*deliveries);
                    taken.take_if(|_| *deliveries == 0);
                }
            }
            Change::Over(letter) => {
                if let Ok(at) = at(*letter) {
                    self.letters.remove(at);
                }
            }
            Change::Closed { by } => self.closed = Some(by.clone()),
        }
    }
}

/// What is to be stored, and the letters that wait for it.
#[derive(Default, Debug)]
pub(super) struct Storing {
    changes: Vec<Change>,
    letters: BTreeMap<LetterId, Waiting>,
    /// Letters that are held, and acked once that is stored, with those who do so: nothing else becomes of them meanwhile.
    acking: HashMap<LetterId, Arc<ProcessId>>,
}

/// A letter that waits to be stored.
#[derive(Debug)]
struct Waiting {
    letter: Letter,
    /// Whose it is. None: that has failed already.
    ticket: Option<Ticket>,
    /// The last one of its send.
    is_last: bool,
}

impl Storing {
    pub(super) fn note(&mut self, change: Change) {
        self.changes.push(change);
    }

    /// Has a letter stored before it is accepted.
    pub(super) fn store(&mut self, ticket: Ticket, is_last: bool, letter: Letter) {
        self.changes.push(Change::Accepted(letter.clone()));
        let ticket = Some(ticket);
        self.letters.insert(letter.id, Waiting { letter, ticket, is_last });
    }

    /// A letter was taken, with which its deliveries are counted.
    pub(super) fn taken(&mut self, letter: &Letter, by: &ProcessId) {
        let (letter, deliveries, by) = (letter.id, letter.deliveries(), by.clone());
        self.changes.push(Change::Taken { letter, deliveries, by });
    }
}

impl Engine {
    /// A mailbox whose letters are stored, as the store has it. Letters that were taken and not acked are given back; but it does not close
    /// itself for them, since it was the host that died, and those that nobody has taken would be lost.
    #[must_use]
    pub fn restored(terms: Terms, kept: Kept) -> Self {
        let mut engine = Self::new(terms);
        engine.storing = Some(Storing::default());
        engine.next = kept.next;
        engine.counts.accepted = kept.letters.len() as u64;
        for (letter, by) in kept.letters {
            engine.next = engine.next.max(letter.id.0.saturating_add(1));
            engine.counts.bytes += letter.size();
            engine.receipts.accepted(letter.id);
            match by {
                Some(by) => match fate(terms.on_crash, letter.deliveries()) {
                    Fate::Again | Fate::Closes => engine.enqueue(letter),
                    Fate::Dead | Fate::Dropped | Fate::Returned => engine.not_acked(letter, &by),
                },
                None => engine.enqueue(letter),
            }
        }
        if let Some(by) = kept.closed {
            engine.close(Error::Closed { by });
        }
        engine
    }

    /// What has changed since this was asked last, to be stored in this order.
    pub fn take_changes(&mut self) -> Vec<Change> {
        self.storing.as_mut().map_or_else(Vec::new, |storing| std::mem::take(&mut storing.changes))
    }

    /// Letters that were to be accepted are stored: they can be taken now.
    pub fn stored(&mut self, letters: &[LetterId]) {
        for id in letters {
            let Some(waiting) = self.take_storing(*id) else { continue };
            let Waiting { letter, ticket, is_last } = waiting;
            self.accept(letter, ticket.filter(|_| is_last));
        }
        self.settle();
    }

    /// Letters that were to be accepted cannot be stored: they were never sent.
    pub fn unstored(&mut self, letters: &[LetterId], why: &Error) {
        for id in letters {
            let Some(Waiting { letter, ticket, .. }) = self.take_storing(*id) else { continue };
            self.counts.bytes -= letter.size();
            if let Some(ticket) = ticket {
                self.fail(ticket, why);
            }
        }
        self.settle();
    }

    /// A send of which a letter cannot be stored fails: what is left of it is not sent.
    fn fail(&mut self, ticket: Ticket, why: &Error) {
        self.events.push_back(Event::Sent(ticket, Err(why.clone())));
        if let Some(at) = self.waiting.iter().position(|(of, ..)| *of == ticket)
            && let Some((.., draft)) = self.waiting.remove(at)
        {
            self.counts.bytes -= draft.rest();
        }
        let letters = self.storing.as_mut().map(|storing| storing.letters.values_mut());
        for waiting in letters.into_iter().flatten() {
            waiting.ticket.take_if(|of| *of == ticket);
        }
    }

    /// A receiver is done with letters, once that is stored: [`Event::Acked`] is to be told when it is, or is not.
    pub fn ack_once_stored(&mut self, holds: impl IntoIterator<Item = Hold>) -> Ticket {
        let (ticket, mut letters) = (self.ticket(), Vec::new());
        for hold in holds {
            let Some((seat, letter)) = self.take_held(hold) else { continue };
            if let (Some(seated), Some(storing)) = (self.receivers.seated(seat), &mut self.storing)
            {
                storing.acking.insert(letter.id, Arc::clone(&seated.process));
                storing.changes.push(Change::Over(letter.id));
                letters.push(letter.clone());
            }
            self.held.insert(letter.id, (seat, letter));
        }
        self.events.push_back(Event::Acked(ticket, Ok(letters)));
        ticket
    }

    /// It is stored that letters are acked: they are over.
    pub fn acked(&mut self, letters: &[Letter]) {
        for letter in letters {
            let Some(process) = self.stop_acking(letter.id) else { continue };
            let Some((seat, letter)) = self.take_held(letter.hold()) else { continue };
            self.release(seat);
            self.counts.acked += 1;
            self.counts.bytes -= letter.size();
            self.over(letter.id, Ok(process));
        }
        self.settle();
    }

    /// It cannot be stored that letters are acked: they are not, and wait to be taken again.
    pub fn unacked(&mut self, letters: &[Letter]) {
        for letter in letters {
            self.stop_acking(letter.id);
        }
        self.put_back(letters.iter().map(Letter::hold));
    }

    /// Whether it is being stored that the letter is acked.
    pub(super) fn is_acking(&self, letter: LetterId) -> bool {
        self.storing.as_ref().is_some_and(|storing| storing.acking.contains_key(&letter))
    }

    fn stop_acking(&mut self, letter: LetterId) -> Option<Arc<ProcessId>> {
        self.storing.as_mut()?.acking.remove(&letter)
    }

    /// It cannot be stored that a letter was taken: it was not.
    pub fn untake(&mut self, hold: Hold) {
        let Some((seat, mut letter)) = self.take_held(hold) else { return };
        self.release(seat);
        letter.unread += 1;
        self.counts.deliveries -= 1;
        self.receipts.ready(letter.id);
        self.enqueue(letter);
        self.settle();
    }

    /// Takes a letter that has died elsewhere. False, if it finds no place.
    pub fn bury(&mut self, draft: Draft) -> bool {
        if self.counts.bytes + draft.rest() > self.terms.ceiling || self.closed.is_some() {
            return false;
        }
        let mut draft = draft;
        self.counts.bytes += draft.rest();
        if let Some(letter) = draft.accept(LetterId(self.next)) {
            self.next += 1;
            self.note(|| Change::Buried(letter.clone()));
            self.accept(letter, None);
        }
        self.settle();
        true
    }

    /// Letters that are to be accepted once they are stored.
    pub(super) fn storing(&self) -> usize {
        self.storing.as_ref().map_or(0, |storing| storing.letters.len())
    }

    /// Has a change stored, if there is a store.
    pub(super) fn note(&mut self, change: impl FnOnce() -> Change) {
        if let Some(storing) = &mut self.storing {
            storing.changes.push(change());
        }
    }

    fn take_storing(&mut self, id: LetterId) -> Option<Waiting> {
        self.storing.as_mut()?.letters.remove(&id)
    }
}
