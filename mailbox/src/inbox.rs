//! What has come for a process and is not taken yet: from all others, in the order in which it came.

use crate::{Error, Kind, ProcessId, writing::Writing};
use std::{
    collections::VecDeque,
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
};
use tokio::sync::{Notify, OwnedSemaphorePermit};

/// A message that has come.
pub(crate) struct Came {
    pub(crate) sender: ProcessId,
    pub(crate) kind: Kind,
    pub(crate) message: Writing,
    /// Its place on its link, which is free when the message is taken.
    pub(crate) _place: OwnedSemaphorePermit,
}

/// What has come for a process and is not taken yet. Bounded by the places of the links.
#[derive(Default)]
pub(crate) struct Inbox {
    came: Mutex<VecDeque<Came>>,
    news: Notify,
}

impl Inbox {
    pub(crate) fn put(&self, came: Came) {
        self.lock().push_back(came);
        self.news.notify_waiters();
    }

    /// Takes the oldest message, or the oldest from the process of that name.
    ///
    /// # Errors
    /// `OtherLetters` if it is of another type: it stays where it is.
    pub(crate) fn take(&self, from: Option<&str>, kind: &Kind) -> Result<Option<Came>, Error> {
        let mut came = self.lock();
        let is_from = |came: &Came| from.is_none_or(|name| came.sender.name == name);
        let Some(at) = came.iter().position(is_from) else { return Ok(None) };
        match came.get(at) {
            Some(other) if other.kind != *kind => {
                Err(Error::OtherLetters { found: other.kind.clone(), wanted: kind.clone() })
            }
            _ => Ok(came.remove(at)),
        }
    }

    /// The same, and waits for it.
    ///
    /// # Cancel safety
    /// Cancel safe: a message is taken only when it is given out.
    pub(crate) async fn next(&self, from: Option<&str>, kind: &Kind) -> Result<Came, Error> {
        loop {
            let news = self.news.notified();
            if let Some(came) = self.take(from, kind)? {
                return Ok(came);
            }
            news.await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Came>> {
        self.came.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Inbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inbox").field("came", &self.lock().len()).finish()
    }
}
