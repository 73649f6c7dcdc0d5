//! What a caller waits for at a hosted mailbox, and the one decision that ends it.

use super::{Outcome, Shared};
use crate::{Error, Patience, engine::Ticket};
use farcall_core::runtime;
use std::{sync::Arc, time::Duration};
use tokio::sync::oneshot;

/// Something that was begun.
pub(super) enum Begun {
    /// Its outcome was there at once.
    Done(Option<Outcome>),
    /// It is waited for.
    Waits(Waiting),
}

impl Begun {
    /// What has come of it, or `refusal` if it is not there at once and is not waited for.
    pub(super) async fn outcome(
        self,
        patience: Patience,
        refusal: Error,
    ) -> Result<Outcome, Error> {
        match self {
            Self::Done(outcome) => outcome.ok_or(Error::Detached),
            Self::Waits(waiting) => waiting.outcome(patience, refusal).await,
        }
    }
}

/// Something that is waited for. Dropped before it is there, it is withdrawn.
pub(super) struct Waiting {
    pub(super) shared: Arc<Shared>,
    pub(super) ticket: Ticket,
    pub(super) outcome: oneshot::Receiver<Outcome>,
}

impl Waiting {
    async fn outcome(mut self, patience: Patience, refusal: Error) -> Result<Outcome, Error> {
        let error = match patience {
            Patience::Endless => None,
            Patience::None => self.outcome.is_empty().then_some(refusal),
            // Boxed: a timer is large, and few wait by one.
            Patience::For(time) => match Box::pin(self.within(time)).await? {
                Some(outcome) => return Ok(outcome),
                None => Some(Error::TimedOut),
            },
        };
        match error {
            Some(error) if self.withdraw() => Err(error),
            _ => (&mut self.outcome).await.map_err(|_| Error::Detached),
        }
    }

    /// The outcome, if it is there in time.
    async fn within(&mut self, time: Duration) -> Result<Option<Outcome>, Error> {
        tokio::select! {
            biased;
            outcome = &mut self.outcome => outcome.map(Some).map_err(|_| Error::Detached),
            () = runtime::sleep(time)? => Ok(None),
        }
    }

    /// The one decision: true, if it is withdrawn; false, if its outcome is there or will be.
    fn withdraw(&self) -> bool {
        let mut state = self.shared.lock();
        let withdrawn = state.engine.withdraw(self.ticket);
        let waiter = withdrawn.then(|| state.waiting.remove(&self.ticket));
        drop(state);
        drop(waiter);
        withdrawn
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.engine.withdraw(self.ticket);
        let waiter = state.waiting.remove(&self.ticket);
        drop(state);
        drop(waiter);
    }
}
