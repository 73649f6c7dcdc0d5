//! Letters that came together, and what this process says of them to their host.

use crate::{
    Error, Letter, ProcessId, Result,
    desk::Desk,
    host::Held,
    post::{Delivered, Lease},
    writing::Writing,
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
    unread: iter::Enumerate<vec::IntoIter<(Delivered, Writing)>>,
}

impl Bundle {
    pub(crate) fn new(
        senders: Vec<ProcessId>,
        letters: Vec<(Delivered, Writing)>,
        lease: End,
        desk: Desk,
    ) -> Self {
        let (count, acks) = (letters.len() as u32, Mutex::default());
        let hold = Arc::new(Hold { senders, lease, _desk: desk, count, acks });
        Self { hold, unread: letters.into_iter().enumerate() }
    }

    /// All were read.
    pub(crate) fn is_empty(&self) -> bool {
        self.unread.len() == 0
    }

    /// The next letter.
    pub(crate) fn next<T: DeserializeOwned + 'static>(&mut self) -> Option<Result<Letter<T>>> {
        let (number, (delivered, writing)) = self.unread.next()?;
        let Delivered { sender, deliveries, again } = delivered;
        let place = Place { hold: Arc::clone(&self.hold), number: number as u32, open: true };
        let read = |value| Letter { value, sender, deliveries, again, place };
        Some(writing.read().map(read))
    }
}

impl Drop for Bundle {
    fn drop(&mut self) {
        let unread: Vec<_> = self.unread.by_ref().map(|(number, _)| number as u32).collect();
        if !unread.is_empty() {
            self.hold.lease.give_back(unread, true);
        }
    }
}

/// What letters that came together have in common. When it is dropped, the host has those back that are not acked.
struct Hold {
    senders: Vec<ProcessId>,
    lease: End,
    /// The attachment lasts as long as its letters.
    _desk: Desk,
    count: u32,
    /// What is acked and not said yet: while there is some, a task is about to say it.
    acks: Mutex<Vec<u32>>,
}

impl Hold {
    /// Says an ack: together with those that come until a task of its own has its turn, if there may be more.
    fn ack(self: &Arc<Self>, number: u32) {
        let lease = match &self.lease {
            End::Near(held) => {
                held.finish(&[number]);
                return;
            }
            End::Far(lease) => lease,
        };
        if self.count == 1 {
            return lease.ack(vec![number]).detach();
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
        if let End::Far(lease) = &self.lease {
            lease.ack(acks).detach();
        }
    }
}

/// The lease on letters: of this process's own mailbox, or of another's.
pub(crate) enum End {
    Near(Held),
    Far(Remote<dyn Lease>),
}

impl End {
    async fn acked(&self, letters: Vec<u32>) -> Result<u32> {
        match self {
            Self::Near(held) => held.finished(&letters).await,
            Self::Far(lease) => lease.acked(letters).await,
        }
    }

    fn give_back(&self, letters: Vec<u32>, unread: bool) {
        match self {
            Self::Near(held) => held.return_back(&letters, unread),
            Self::Far(lease) => lease.give_back(letters, unread).detach(),
        }
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
        match self.hold.lease.acked(vec![self.number]).await? {
            0 => Err(Error::Detached),
            _ => Ok(()),
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.open && self.hold.count > 1 {
            self.hold.lease.give_back(vec![self.number], false);
        }
    }
}
