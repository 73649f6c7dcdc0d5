//! What is to be stored, in order, and the thread that has it stored: all that has come meanwhile with one commit, so that many senders
//! share the time that the disk takes.

use super::Happened;
use crate::{
    Error, Kind, Result,
    engine::{Change, Event, Kept, Letter, LetterId},
};
use std::{
    collections::HashMap,
    mem, panic,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::oneshot;

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
}

#[derive(Default)]
struct Queue {
    batch: Batch,
    /// Entries that came, ever.
    came: u64,
    /// Those of them that are done with.
    done: u64,
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
    /// Those who wait for it and for all before it.
    waiters: Vec<oneshot::Sender<Result<(), Error>>>,
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

impl Journal {
    /// Adds an entry: changes that belong together, and what has come of them. That is given back if it depends on nothing that is not
    /// stored yet.
    pub(super) fn add(
        &self,
        changes: Vec<(Which, Change)>,
        happened: Vec<(Which, Happened)>,
    ) -> Vec<(Which, Happened)> {
        let mut queue = self.lock();
        let all_stored = queue.came == queue.done;
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
        self.add_waiter().await.unwrap_or(Err(Error::Detached))
    }

    fn add_waiter(&self) -> oneshot::Receiver<Result<(), Error>> {
        let (told, stored) = oneshot::channel();
        let mut queue = self.lock();
        queue.batch.waiters.push(told);
        self.came(queue);
        stored
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
            let Batch { changes, kind, happened, waiters, last } = batch;
            let accepted = accepted(&changes);
            let how = backlog.store(store, changes, kind, &acking(&happened));
            self.done(last);
            let stored = match &how {
                Stored::None(why) if !backlog.is_empty() => Err(why.clone()),
                _ => Ok(()),
            };
            for waiter in waiters {
                let _ = waiter.send(stored.clone());
            }
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

    /// All up to this entry is stored, or is not.
    fn done(&self, last: u64) {
        let mut queue = self.lock();
        queue.done = queue.done.max(last);
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
        acking: &HashMap<(Which, LetterId), Letter>,
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
        for (which, change) in &mut self.changes {
            // Nobody is told that it is acked, so it must not be over, not even if only the end of the commit failed.
            if let Change::Over(letter) = change
                && let Some(letter) = acking.get(&(*which, *letter))
            {
                *change = Change::Buried(letter.clone());
            }
        }
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

/// The letters that are acked once that is stored.
fn acking(happened: &[(Which, Happened)]) -> HashMap<(Which, LetterId), Letter> {
    let mut all = HashMap::new();
    for (which, happened) in happened {
        for (_, event) in happened {
            if let Event::Acked(_, Ok(letters)) = event {
                all.extend(letters.iter().map(|letter| ((*which, letter.id), letter.clone())));
            }
        }
    }
    all
}
