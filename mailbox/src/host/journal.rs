//! What is to be stored, in order, and the thread that has it stored: all that has come meanwhile with one commit, so that many senders
//! share the time that the disk takes.

use super::Happened;
use crate::{
    Error, Kind, Result,
    engine::{Change, Kept, LetterId},
};
use std::{
    mem, panic,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::watch;

/// How long to wait before what could not be stored is tried again.
const AGAIN: Duration = Duration::from_secs(1);

/// Which of the two mailboxes of a host.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Which {
    /// The mailbox itself.
    Letters,
    /// That of its dead letters.
    Dead,
}

/// Where a host keeps its letters, so that they outlive it.
pub trait Store: Send + 'static {
    /// Makes changes lasting: all of them, in this order, or none. When it returns, they have survived whatever the store protects from.
    /// A change of a letter that it does not have is none. It is called from one thread, which may block.
    ///
    /// # Errors
    /// Why not, in words that say what to do. None of the changes may have been made; it is asked again later, with changes that do not
    /// suppose that those were.
    fn commit(&mut self, changes: &[(Which, Change)], kind: Option<&Kind>) -> Result<(), String>;
}

/// What a store has of a host.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Contents {
    /// The type of its letters, if somebody has said it.
    pub kind: Option<Kind>,
    /// Its letters.
    pub letters: Kept,
    /// Its dead letters.
    pub dead: Kept,
}

/// What waits to be stored.
#[derive(Default)]
pub(super) struct Journal {
    queue: Mutex<Queue>,
    news: Condvar,
    /// How much is stored.
    progress: watch::Sender<Progress>,
}

#[derive(Default)]
struct Queue {
    batch: Batch,
    /// Entries that came, ever.
    came: u64,
    /// No more will come.
    ends: bool,
}

/// What is stored together.
#[derive(Default)]
struct Batch {
    changes: Vec<(Which, Change)>,
    kind: Option<Kind>,
    /// What has come of it, which nobody is told before it is stored.
    happened: Vec<(Which, Happened)>,
    /// The number of its last entry.
    last: u64,
}

/// A batch that is stored, or is not, and nobody has been told yet.
pub(super) struct Settled {
    pub(super) how: Stored,
    /// The letters that were to be accepted.
    pub(super) accepted: Vec<(Which, LetterId)>,
    pub(super) happened: Vec<(Which, Happened)>,
}

/// How much is stored.
#[derive(Clone, Default, Debug)]
struct Progress {
    entries: u64,
    /// Why what is done is not all stored, and waits in memory.
    behind: Option<Error>,
}

impl Journal {
    /// Adds an entry: changes that belong together, and what has come of them. That is given back if it depends on nothing that is not
    /// stored yet.
    pub(super) fn add(
        &self,
        changes: Vec<(Which, Change)>,
        happened: Vec<(Which, Happened)>,
    ) -> Vec<(Which, Happened)> {
        let mut queue = self.lock();
        let all_stored = queue.came == self.progress.borrow().entries;
        let is_nothing = happened.iter().all(|(_, happened)| happened.is_empty());
        if changes.is_empty() && (is_nothing || all_stored) {
            return happened;
        }
        queue.batch.changes.extend(changes);
        queue.batch.happened.extend(happened);
        self.came(queue);
        Vec::new()
    }

    pub(super) fn add_kind(&self, kind: &Kind) {
        let mut queue = self.lock();
        queue.batch.kind = Some(kind.clone());
        self.came(queue);
    }

    fn came(&self, mut queue: MutexGuard<'_, Queue>) {
        queue.came += 1;
        queue.batch.last = queue.came;
        drop(queue);
        self.news.notify_one();
    }

    /// Waits until all that came before is stored.
    ///
    /// # Errors
    /// `NotStored`, if it waits in memory until that is possible.
    pub(super) async fn stored(&self) -> Result<(), Error> {
        let came = self.lock().came;
        let mut progress = self.progress.subscribe();
        let stored = progress.wait_for(|progress| progress.entries >= came).await;
        match stored.map(|progress| progress.behind.clone()) {
            Ok(Some(why)) => Err(why),
            Ok(None) => Ok(()),
            Err(_) => Err(Error::Detached),
        }
    }

    /// Lets the thread end, once all is stored that can be.
    pub(super) fn end(&self) {
        self.lock().ends = true;
        self.news.notify_one();
    }

    /// Has everything stored that comes, until the end. `settle` is given each batch, to tell everybody of it.
    pub(super) fn run(&self, store: &mut dyn Store, settle: &mut dyn FnMut(Settled)) {
        let mut backlog = Backlog::default();
        while let Some(batch) = self.next(backlog.is_empty()) {
            let Batch { changes, kind, happened, last } = batch;
            let accepted = accepted(&changes);
            let how = backlog.store(store, changes, kind);
            self.progress.send_modify(|progress| {
                progress.entries = progress.entries.max(last);
                progress.behind = match &how {
                    Stored::None(why) if !backlog.is_empty() => Some(why.clone()),
                    _ => None,
                };
            });
            settle(Settled { how, accepted, happened });
        }
        if !backlog.is_empty() {
            tracing::error!(
                target: "farcall::mailbox",
                "the store fails to the end: letters that were acked lately will be delivered again"
            );
        }
    }

    /// What has come, once something has, or the backlog is to be tried again. None: all is done, or nothing can be.
    fn next(&self, all_done: bool) -> Option<Batch> {
        let is_idle = |queue: &mut Queue| queue.batch.last == 0 && !queue.ends;
        let queue = self.lock();
        let mut queue = if all_done {
            self.news.wait_while(queue, is_idle).unwrap_or_else(PoisonError::into_inner)
        } else {
            let waited = self.news.wait_timeout_while(queue, AGAIN, is_idle);
            waited.unwrap_or_else(PoisonError::into_inner).0
        };
        let batch = mem::take(&mut queue.batch);
        (batch.last > 0 || !queue.ends).then_some(batch)
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How storing a batch went.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Stored {
    All,
    /// All but the letters that were to be accepted.
    AllButAccepted(Error),
    None(Error),
}

/// What is done, and could not be stored.
#[derive(Default)]
struct Backlog {
    changes: Vec<(Which, Change)>,
    kind: Option<Kind>,
}

impl Backlog {
    fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.kind.is_none()
    }

    /// Stores what is left over and what has come. Where that fails, all of it without the new letters: what there is can be taken and
    /// acked while there is no room for more. Where that fails too, what cannot be undone is left over.
    fn store(
        &mut self,
        store: &mut dyn Store,
        changes: Vec<(Which, Change)>,
        kind: Option<Kind>,
    ) -> Stored {
        self.changes.extend(changes);
        self.kind = kind.or(self.kind.take());
        let Err(why) = self.commit(store) else { return Stored::All };
        for (_, change) in &mut self.changes {
            // It may be there all the same, if only the end of the commit failed.
            if let Change::Accepted(letter) = change {
                *change = Change::Over(letter.id);
            }
        }
        if self.commit(store).is_ok() {
            return Stored::AllButAccepted(why);
        }
        self.changes.retain(|(_, change)| !matches!(change, Change::Taken { .. }));
        Stored::None(why)
    }

    fn commit(&mut self, store: &mut dyn Store) -> Result<(), Error> {
        if self.is_empty() {
            return Ok(());
        }
        let commit = panic::AssertUnwindSafe(|| store.commit(&self.changes, self.kind.as_ref()));
        let done = panic::catch_unwind(commit);
        let why = match done {
            Ok(Ok(())) => {
                *self = Self::default();
                return Ok(());
            }
            Ok(Err(why)) => why,
            Err(_) => "the store has a bug: standard error says where".to_owned(),
        };
        Err(Error::NotStored { why })
    }
}

/// The letters that are to be accepted.
fn accepted(changes: &[(Which, Change)]) -> Vec<(Which, LetterId)> {
    let accepted = changes.iter().filter_map(|(which, change)| match change {
        Change::Accepted(letter) => Some((*which, letter.id)),
        _ => None,
    });
    accepted.collect()
}
