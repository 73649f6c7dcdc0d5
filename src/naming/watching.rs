//! Those who watch a registry: each is told by a task of its own, and is as slow as it likes.

use super::{BEHIND, Change, WATCHES, Watch, Watcher};
use farcall_core::{
    error::{Error, ErrorKind},
    stub::Remote,
};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};
use tokio::sync::mpsc::{Receiver, Sender, channel, error::TrySendError};

/// All watches of a registry.
#[derive(Default)]
pub(super) struct Watches {
    all: Vec<Told>,
}

/// One who watches.
struct Told {
    prefix: String,
    changes: Sender<Change>,
    missed: Arc<AtomicBool>,
}

/// A watch as its owner holds it: the task that tells ends with it.
pub(super) struct Watching {
    telling: tokio::task::AbortHandle,
}

impl Watch for Watching {}

impl Drop for Watching {
    fn drop(&mut self) {
        self.telling.abort();
    }
}

impl Watches {
    /// Tells `watcher` of changes from now on.
    pub(super) fn add(
        &mut self,
        prefix: &str,
        watcher: Remote<dyn Watcher>,
    ) -> Result<Watching, Error> {
        self.all.retain(|told| !told.changes.is_closed());
        if self.all.len() >= WATCHES {
            let text = format!("{WATCHES} watches of this registry are held, which are the most");
            return Err(Error::of(ErrorKind::Overloaded, text));
        }
        let (changes, to_tell) = channel(BEHIND);
        let missed = Arc::new(AtomicBool::new(false));
        let telling = tokio::spawn(tell(watcher, to_tell, Arc::clone(&missed))).abort_handle();
        self.all.push(Told { prefix: prefix.to_owned(), changes, missed });
        Ok(Watching { telling })
    }

    /// A name has changed.
    pub(super) fn tell(&mut self, change: &Change) {
        let name = match change {
            Change::Bound(binding) => &binding.name,
            Change::Unbound(name) => name,
            Change::Missed => return,
        };
        self.all.retain(|told| {
            if !name.starts_with(&told.prefix) {
                return true;
            }
            match told.changes.try_send(change.clone()) {
                Ok(()) => true,
                Err(TrySendError::Full(_)) => {
                    told.missed.store(true, Ordering::Release);
                    true
                }
                Err(TrySendError::Closed(_)) => false,
            }
        });
    }
}

/// Tells one watcher, until a call fails.
async fn tell(
    watcher: Remote<dyn Watcher>,
    mut changes: Receiver<Change>,
    missed: Arc<AtomicBool>,
) {
    while let Some(change) = changes.recv().await {
        if watcher.changed(change).await.is_err() {
            return;
        }
        // What was left out came after all that still waits, so the word comes no later than the last of that.
        if changes.is_empty()
            && missed.swap(false, Ordering::Acquire)
            && watcher.changed(Change::Missed).await.is_err()
        {
            return;
        }
    }
}
