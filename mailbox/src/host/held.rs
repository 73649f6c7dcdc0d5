//! Letters in the hands of a receiver.

use super::Shared;
use crate::{
    Error, ProcessId,
    engine::{Hold, Letter},
    post::{Delivered, Delivery, Lease},
    writing::Writing,
};
use farcall_core::stub::Remote;
use std::sync::{Arc, Mutex, PoisonError};

/// Letters that a receiver gets. Dropped before they are delivered, they are put back, but for those that are acked.
pub(crate) struct Taken {
    letters: Vec<Letter>,
    shared: Arc<Shared>,
}

impl Taken {
    pub(super) fn new(shared: &Arc<Shared>, letters: Vec<Letter>) -> Self {
        Self { letters, shared: Arc::clone(shared) }
    }

    /// The letters and the lease on them, for another process.
    pub(super) fn delivery(self) -> Delivery {
        let (senders, letters, held) = self.into_parts();
        Delivery::of(senders, letters, Remote::new(held))
    }

    /// The letters, which were acked as they were taken.
    pub(super) fn into_letters(mut self) -> Vec<Letter> {
        std::mem::take(&mut self.letters)
    }

    /// The letters, which are acked with this.
    pub(super) async fn acked(mut self) -> Result<Vec<Letter>, Error> {
        let letters = std::mem::take(&mut self.letters);
        self.shared.acked(letters.iter().map(Letter::hold).collect()).await?;
        Ok(letters)
    }

    /// Reads the one letter, and acks it. One that cannot be read is given back.
    pub(crate) async fn read_and_acked<T>(
        mut self,
        read: impl FnOnce(Writing) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let letter = self.letters.pop().ok_or(Error::Empty)?;
        let hold = letter.hold();
        let read = read(letter.writing);
        match read {
            Ok(_) => _ = self.shared.acked(vec![hold]).await?,
            Err(_) => _ = self.shared.change(|engine| engine.give_back([hold])),
        }
        read
    }

    /// Who sent the letters, each process once, the letters, and the lease on them.
    pub(crate) fn into_parts(mut self) -> (Vec<ProcessId>, Vec<(Delivered, Writing)>, Held) {
        let letters = std::mem::take(&mut self.letters);
        let holds = letters.iter().map(|letter| Some(letter.hold())).collect();
        let held = Held { shared: Arc::clone(&self.shared), holds: Mutex::new(holds) };
        let mut senders: Vec<Arc<ProcessId>> = Vec::new();
        let letters = letters.into_iter().map(|letter| {
            let known = senders.iter().rposition(|sender| Arc::ptr_eq(sender, &letter.sender));
            let sender = known.unwrap_or(senders.len()) as u32;
            let (deliveries, again) = (letter.deliveries(), letter.handed_out > 1);
            if known.is_none() {
                senders.push(letter.sender);
            }
            (Delivered { sender, deliveries, again }, letter.writing)
        });
        let letters = letters.collect();
        let senders = senders.into_iter().map(Arc::unwrap_or_clone).collect();
        (senders, letters, held)
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        if !self.letters.is_empty() {
            self.shared.detach_the_dead();
            let holds = self.letters.iter().map(Letter::hold);
            self.shared.change(|engine| engine.put_back(holds));
        }
    }
}

/// The servant of a lease.
pub(crate) struct Held {
    shared: Arc<Shared>,
    /// Those that are neither acked nor given back.
    holds: Mutex<Vec<Option<Hold>>>,
}

impl Held {
    /// Takes out those of these letters that are still held.
    fn take(&self, letters: &[u32]) -> Vec<Hold> {
        let mut holds = self.holds.lock().unwrap_or_else(PoisonError::into_inner);
        letters.iter().filter_map(|at| holds.get_mut(*at as usize)?.take()).collect()
    }

    /// How many of these letters are acked by this.
    pub(crate) fn finish(&self, letters: &[u32]) -> u32 {
        let holds = self.take(letters);
        self.shared.change(|engine| engine.ack(holds)) as u32
    }

    /// The same, and waits until that is stored, if it is to be. Those of which it cannot be stored are put back.
    pub(crate) async fn finished(&self, letters: &[u32]) -> Result<u32, Error> {
        let holds = self.take(letters);
        Ok(self.shared.acked(holds).await? as u32)
    }

    /// Gives these letters back.
    pub(crate) fn return_back(&self, letters: &[u32], unread: bool) {
        let holds = self.take(letters);
        self.shared.change(|engine| match unread {
            true => engine.put_back(holds),
            false => engine.give_back(holds),
        });
    }
}

impl Lease for Held {
    async fn ack(&self, letters: Vec<u32>) -> Result<(), Error> {
        self.finish(&letters);
        Ok(())
    }

    async fn acked(&self, letters: Vec<u32>) -> Result<u32, Error> {
        self.finished(&letters).await
    }

    async fn give_back(&self, letters: Vec<u32>, unread: bool) -> Result<(), Error> {
        self.return_back(&letters, unread);
        Ok(())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let holds = self.holds.get_mut().unwrap_or_else(PoisonError::into_inner);
        let holds: Vec<_> = holds.drain(..).flatten().collect();
        if !holds.is_empty() {
            // Or a letter might go to a receive of the very process that has just died.
            self.shared.detach_the_dead();
            self.shared.change(|engine| engine.give_back(holds));
        }
    }
}
