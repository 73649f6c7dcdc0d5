//! What processes are to each other, as interfaces: one door each, and a link for each two.

use crate::{
    Error, Kind, ProcessId,
    inbox::{Came, Inbox},
    parcel::Parcel,
    post::Patience,
};
use farcall_core::stub::Remote;
use farcall_macros::remote;
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};
use tokio::sync::{Semaphore, TryAcquireError};

/// Messages of one sender that wait to be taken, at most.
pub const PLACES: usize = 64;

/// A process that has claimed a name.
#[remote(name = "farcall.Door", crate = "farcall_core")]
pub trait Door {
    /// Which process it is.
    async fn who(&self) -> Result<ProcessId, Error>;

    /// Links two processes: `back` leads to the one that asks, what comes back to this one. None: this one has asked the same of that
    /// one, or is about to, and of two links that of the lesser name counts.
    async fn link(
        &self,
        from: ProcessId,
        back: Remote<dyn Link>,
    ) -> Result<Option<Remote<dyn Link>>, Error>;
}

/// One end of a link.
#[remote(name = "farcall.Link", crate = "farcall_core")]
pub trait Link {
    /// Sends a message, and returns when it has a place. Fails with `Full`, `TimedOut`.
    #[remote(timeout = none)]
    async fn send(&self, kind: Kind, message: Parcel, patience: Patience) -> Result<(), Error>;
}

/// The servant of an end: what comes goes into the process's inbox.
#[derive(Debug)]
pub(crate) struct End {
    sender: ProcessId,
    inbox: Arc<Inbox>,
    places: Arc<Semaphore>,
    received: Arc<AtomicU64>,
}

impl End {
    /// The places are those of all links of the sender.
    pub(crate) fn new(
        sender: ProcessId,
        inbox: Arc<Inbox>,
        places: Arc<Semaphore>,
        received: Arc<AtomicU64>,
    ) -> Self {
        Self { sender, inbox, places, received }
    }
}

impl Link for End {
    async fn send(&self, kind: Kind, message: Parcel, patience: Patience) -> Result<(), Error> {
        let mut letters = message.open().ok_or(Error::Uneven)?;
        let (Some(message), true) = (letters.next(), letters.is_empty()) else {
            return Err(Error::Uneven);
        };
        let place = Arc::clone(&self.places).acquire_owned();
        let place = match patience {
            Patience::Endless => place.await.map_err(|_| Error::Detached)?,
            Patience::For(time) => {
                let place = tokio::time::timeout(time, place).await;
                place.map_err(|_| Error::TimedOut)?.map_err(|_| Error::Detached)?
            }
            Patience::None => match Arc::clone(&self.places).try_acquire_owned() {
                Ok(place) => place,
                Err(TryAcquireError::NoPermits) => return Err(Error::Full),
                Err(TryAcquireError::Closed) => return Err(Error::Detached),
            },
        };
        self.received.fetch_add(1, Ordering::Relaxed);
        let sender = self.sender.clone();
        self.inbox.put(Came { sender, kind, message, _place: place });
        Ok(())
    }
}
