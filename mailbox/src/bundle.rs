//! Letters that came together, and what this process says of them to their host.

use crate::{
    Error, Letter, ProcessId, Result,
    access::decode,
    post::{Delivered, Delivery, Lease, Seat},
};
use farcall_core::{runtime, stub::Remote};
use serde::de::DeserializeOwned;
use std::{
    iter,
    sync::{Arc, Mutex, PoisonError},
    vec,
};

/// Letters that came together and that nobody has read yet. Dropped, they are put back.
pub(crate) struct Bundle {
    hold: Arc<Hold>,
    unread: iter::Enumerate<vec::IntoIter<Delivered>>,
}

impl Bundle {
    pub(crate) fn new(delivery: Delivery, seat: Remote<dyn Seat>) -> Self {
        let Delivery { senders, letters, lease } = delivery;
        let (count, acks) = (letters.len() as u32, Mutex::default());
        let hold = Arc::new(Hold { senders, lease, _seat: seat, count, acks });
        Self { hold, unread: letters.into_iter().enumerate() }
    }

    /// The next letter.
    pub(crate) fn next<T: DeserializeOwned + 'static>(&mut self) -> Option<Result<Letter<T>>> {
        let (number, Delivered { sender, deliveries, bytes }) = self.unread.next()?;
        let place = Place { hold: Arc::clone(&self.hold), number: number as u32, open: true };
        if self.hold.senders.get(sender as usize).is_none() {
            return Some(Err(Error::Uneven));
        }
        let read = |value| Letter { value, sender, deliveries, place };
        Some(decode(&bytes).map(read))
    }

    /// Acks all of them, and gives them out as they are.
    pub(crate) async fn acked(mut self) -> Result<impl Iterator<Item = Delivered>> {
        let all = (0..self.hold.count).collect();
        let acked = self.hold.lease.acked(all).await?;
        let letters = std::mem::take(&mut self.unread).map(|(_, letter)| letter);
        // Whose attachment has ended meanwhile has lost them to others.
        (acked == self.hold.count).then_some(letters).ok_or(Error::Detached)
    }
}

impl Drop for Bundle {
    fn drop(&mut self) {
        let unread: Vec<_> = self.unread.by_ref().map(|(number, _)| number as u32).collect();
        if !unread.is_empty() {
            self.hold.lease.give_back(unread, true).detach();
        }
    }
}

/// What letters that came together have in common. When it is dropped, the host has those back that are not acked.
struct Hold {
    senders: Vec<ProcessId>,
    lease: Remote<dyn Lease>,
    /// The attachment lasts as long as its letters.
    _seat: Remote<dyn Seat>,
    count: u32,
    /// What is acked and not said yet: while there is some, a task is about to say it.
    acks: Mutex<Vec<u32>>,
}

impl Hold {
    /// Says an ack: together with those that come until a task of its own has its turn, if there may be more.
    fn ack(self: &Arc<Self>, number: u32) {
        if self.count == 1 {
            return self.lease.ack(vec![number]).detach();
        }
        let mut acks = self.acks.lock().unwrap_or_else(PoisonError::into_inner);
        acks.push(number);
        if acks.len() > 1 {
            return;
        }
        drop(acks);
        let hold = Arc::clone(self);
        if runtime::spawn(async move { hold.say() }).is_err() {
            self.say();
        }
    }

    fn say(&self) {
        let acks = std::mem::take(&mut *self.acks.lock().unwrap_or_else(PoisonError::into_inner));
        self.lease.ack(acks).detach();
    }
}

/// One of the letters that came together, in the hands of this process. Dropped without an ack, it is given back.
pub(crate) struct Place {
    hold: Arc<Hold>,
    number: u32,
    open: bool,
}

impl Place {
    pub(crate) fn sender(&self, sender: u32) -> &ProcessId {
        &self.hold.senders[sender as usize]
    }

    pub(crate) fn ack(mut self) {
        self.open = false;
        self.hold.ack(self.number);
    }

    /// Acks it, and waits until the host has heard it.
    pub(crate) async fn acked(mut self) -> Result<()> {
        self.open = false;
        self.hold.lease.acked(vec![self.number]).await.map(drop)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.open && self.hold.count > 1 {
            self.hold.lease.give_back(vec![self.number], false).detach();
        }
    }
}
