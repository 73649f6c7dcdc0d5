//! Those who wait for room in a queue, or for its receiver to go: several tasks may, and each may give up.

use std::{mem, task::Waker};

/// Who waits. Each has a ticket.
#[derive(Default, Debug)]
pub(super) struct Waiting {
    issued: u64,
    wakers: Vec<(u64, Waker)>,
}

/// A place among those who wait; none yet, at first.
#[derive(Default, Debug)]
pub(super) struct Ticket(Option<u64>);

impl Waiting {
    /// Keeps the waker under this ticket. The one before it, which is given out, is to be dropped under no lock.
    pub(super) fn insert(&mut self, ticket: &mut Ticket, waker: &Waker) -> Option<Waker> {
        if let Some((_, kept)) = self.wakers.iter_mut().find(|(of, _)| Some(*of) == ticket.0) {
            return (!kept.will_wake(waker)).then(|| mem::replace(kept, waker.clone()));
        }
        self.issued += 1;
        ticket.0 = Some(self.issued);
        self.wakers.push((self.issued, waker.clone()));
        None
    }

    /// Gives a place up. The waker is to be dropped under no lock.
    pub(super) fn remove(&mut self, ticket: &Ticket) -> Option<Waker> {
        let at = self.wakers.iter().position(|(of, _)| Some(*of) == ticket.0)?;
        Some(self.wakers.swap_remove(at).1)
    }

    /// All of them, to be woken under no lock.
    pub(super) fn take(&mut self) -> impl Iterator<Item = Waker> + use<> {
        mem::take(&mut self.wakers).into_iter().map(|(_, waker)| waker)
    }
}
