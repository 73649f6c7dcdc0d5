//! An attachment to a hosted mailbox: the servant of [`Seat`], and what the host's own process uses without a connection.

use super::{Outcome, Shared, held::Taken};
use crate::{
    Capacity, Counts, Error, ProcessId,
    engine::{Draft, Letter, LetterId, Manner, SeatId, Until},
    parcel::{PARCEL_LETTERS, Parcel},
    post::{Delivery, Patience, Seat},
    writing::Writing,
};
use bytes::Bytes;
use farcall_core::copy;
use std::sync::Arc;
use tokio::task::AbortHandle;

/// An attachment. What is begun here is in its place in the order before it is awaited.
pub(crate) struct Chair {
    pub(super) shared: Arc<Shared>,
    pub(super) seat: SeatId,
    pub(super) process: Arc<ProcessId>,
    /// Waits for the end of the process, if that is another one.
    pub(super) ending: Option<AbortHandle>,
}

impl Chair {
    /// Sends a letter.
    pub(crate) fn post(
        &self,
        key: u64,
        letter: Writing,
        patience: Patience,
    ) -> impl Future<Output = Result<LetterId, Error>> + Send + use<> {
        self.post_draft(Some(Draft::one(Arc::clone(&self.process), key, letter)), patience)
    }

    /// Sends the letters of a parcel.
    pub(crate) fn post_all(
        &self,
        key: u64,
        parcel: Parcel,
        patience: Patience,
    ) -> impl Future<Output = Result<LetterId, Error>> + Send + use<> {
        self.post_draft(Draft::many(Arc::clone(&self.process), key, parcel), patience)
    }

    /// None: its letters do not fit together.
    fn post_draft(
        &self,
        draft: Option<Draft>,
        patience: Patience,
    ) -> impl Future<Output = Result<LetterId, Error>> + Send + use<> {
        let sent = draft.ok_or(Error::Uneven).and_then(|draft| {
            self.shared.check_lasts(&draft)?;
            Ok(self.post_checked(draft, patience))
        });
        async move { sent?.await }
    }

    fn post_checked(
        &self,
        draft: Draft,
        patience: Patience,
    ) -> impl Future<Output = Result<LetterId, Error>> + Send + use<> {
        let mut refusal = Error::Full;
        let begun = self.shared.begin(|engine| {
            if engine.terms().capacity == Capacity::Zero {
                refusal = Error::NoReceiver;
            }
            engine.send(self.seat, draft)
        });
        async move {
            match begun.outcome(patience, refusal).await? {
                Outcome::Sent(sent) => sent,
                _ => Err(Error::Detached),
            }
        }
    }

    /// Takes letters, at most so many.
    pub(crate) fn take(
        &self,
        most: u32,
        manner: Manner,
        patience: Patience,
    ) -> impl Future<Output = Result<Taken, Error>> + Send + use<> {
        // More would not travel together.
        let most = (most as usize).min(PARCEL_LETTERS);
        let begun = self.shared.begin(|engine| engine.receive(self.seat, most, manner));
        async move {
            match begun.outcome(patience, Error::Empty).await? {
                Outcome::Received(taken) => taken,
                _ => Err(Error::Detached),
            }
        }
    }

    /// Takes letters, at most so many, which are acked.
    pub(crate) fn take_acked(
        &self,
        most: u32,
    ) -> impl Future<Output = Result<Vec<Letter>, Error>> + Send + use<> {
        // What is to be stored is acked when that is stored that it was taken.
        let is_stored = self.shared.keeping.is_some();
        let manner = if is_stored { Manner::Held } else { Manner::Acked };
        let taken = self.take(most, manner, Patience::Endless);
        async move {
            let taken = taken.await?;
            if is_stored { taken.acked().await } else { Ok(taken.into_letters()) }
        }
    }

    /// Who has taken, or acked, a letter.
    pub(crate) fn ask(
        &self,
        letter: LetterId,
        until: Until,
    ) -> impl Future<Output = Result<ProcessId, Error>> + Send + use<> {
        let begun = self.shared.begin(|engine| engine.inquire(letter, until));
        async move {
            match begun.outcome(Patience::Endless, Error::Forgotten).await? {
                Outcome::Told(told) => told,
                _ => Err(Error::Detached),
            }
        }
    }

    /// What the mailbox holds.
    pub(crate) fn count(&self) -> Counts {
        self.shared.lock().engine.counts()
    }
}

impl Seat for Chair {
    async fn send(&self, key: u64, letter: &[u8], patience: Patience) -> Result<LetterId, Error> {
        self.post(key, Bytes::from(copy::to_vec(letter)).into(), patience).await
    }

    async fn send_all(
        &self,
        key: u64,
        mut letters: Parcel,
        patience: Patience,
    ) -> Result<LetterId, Error> {
        letters.copy_out();
        self.post_all(key, letters, patience).await
    }

    async fn recv(&self, most: u32, patience: Patience) -> Result<Delivery, Error> {
        Ok(self.take(most, Manner::Held, patience).await?.delivery())
    }

    async fn recv_acked(&self, most: u32) -> Result<Parcel, Error> {
        let letters = self.take_acked(most).await?;
        Ok(Parcel::of(letters.into_iter().map(|letter| letter.writing).collect()))
    }

    async fn receipt(&self, letter: LetterId, until: Until) -> Result<ProcessId, Error> {
        self.ask(letter, until).await
    }

    async fn counts(&self) -> Result<Counts, Error> {
        Ok(self.count())
    }
}

impl Drop for Chair {
    fn drop(&mut self) {
        if let Some(ending) = &self.ending {
            ending.abort();
        }
        self.shared.detach(self.seat);
    }
}
