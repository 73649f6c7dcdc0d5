//! What the three call: tokens that are passed around, and tables, which pass them.

use super::super::journal::Journal;
use farcall::{Receiver, Remote};
use serde::{Deserialize, Serialize};
use std::{
    mem,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

/// Tokens that a table keeps at most: the oldest leaves for a new one.
const KEPT: usize = 16;
/// Items of a stream.
pub(super) const FLOW: u64 = 200;

/// What is passed around.
#[farcall::remote]
pub(crate) trait Token {
    /// Its number, and `add`.
    async fn number(&self, add: u64) -> farcall::Result<u64>;
}

/// What each of the three serves. The table is an object of its own: calls on it do not wait for another process at the same address.
#[farcall::remote]
pub(crate) trait Door {
    async fn table(&self) -> farcall::Result<Remote<dyn Table>>;
}

/// What passes tokens.
#[farcall::remote]
pub(crate) trait Table {
    async fn make(&self) -> farcall::Result<Remote<dyn Token>>;
    async fn echo(&self, token: Remote<dyn Token>) -> farcall::Result<Remote<dyn Token>>;
    /// What `echo` of that other one answers.
    async fn hand_on(&self, token: Remote<dyn Token>, to: u8)
    -> farcall::Result<Remote<dyn Token>>;
    async fn keep(&self, kept: Kept) -> farcall::Result<()>;
    /// The numbers below [`FLOW`].
    async fn flow(&self) -> farcall::Result<Receiver<u64>>;
    /// The `flow` of that other one.
    async fn flow_of(&self, other: u8) -> farcall::Result<Receiver<u64>>;
}

/// A token, its number, and through whose hands it has come, a bit for each.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Kept {
    pub(super) token: Remote<dyn Token>,
    pub(super) number: u64,
    pub(super) hands: u8,
}

/// What a process has.
pub(super) struct Place {
    pub(super) me: u8,
    pub(super) journal: Journal,
    made: AtomicU64,
    pub(super) alive: AtomicUsize,
    others: Mutex<[Option<Other>; super::PEERS]>,
    kept: Mutex<Vec<Kept>>,
}

/// Another process: the way to it, which outlives it, and its table, which does not.
#[derive(Clone)]
pub(super) struct Other {
    pub(super) door: Remote<dyn Door>,
    pub(super) table: Remote<dyn Table>,
}

/// A token's servant: notes its beginning and its end.
pub(super) struct Coin {
    pub(super) number: u64,
    place: Arc<Place>,
}

/// A door's servant.
pub(super) struct Entrance(pub(super) Remote<dyn Table>);

/// A table's servant.
pub(super) struct Counter(pub(super) Arc<Place>);

impl Place {
    pub(super) fn new(me: u8, journal: Journal) -> Self {
        Self {
            me,
            journal,
            made: AtomicU64::new(0),
            alive: AtomicUsize::new(0),
            others: Mutex::default(),
            kept: Mutex::default(),
        }
    }

    /// Makes a token.
    pub(super) fn coin(self: &Arc<Self>) -> Arc<Coin> {
        let number = self.made.fetch_add(1, Ordering::Relaxed);
        self.alive.fetch_add(1, Ordering::Relaxed);
        self.note(&format!("made {number}"));
        Arc::new(Coin { number, place: Arc::clone(self) })
    }

    /// The table of another process.
    pub(super) fn other(&self, number: u8) -> farcall::Result<Remote<dyn Table>> {
        self.met(number).map(|other| other.table)
    }

    /// Another process, which is met.
    pub(super) fn met(&self, number: u8) -> farcall::Result<Other> {
        let other = lock(&self.others).get(usize::from(number)).cloned().flatten();
        other.ok_or_else(|| farcall::Error::new("there is no such process"))
    }

    /// Another process is met.
    pub(super) fn meet(&self, number: u8, other: Other) {
        let before = lock(&self.others)[usize::from(number)].replace(other);
        drop(before);
    }

    /// Those that are met.
    pub(super) fn others(&self) -> Vec<Other> {
        lock(&self.others).iter().flatten().cloned().collect()
    }

    pub(super) fn keep(&self, kept: Kept) {
        let mut all = lock(&self.kept);
        let oldest = (all.len() == KEPT).then(|| all.remove(0));
        all.push(kept);
        drop(all);
        drop(oldest);
    }

    /// One of those that are kept.
    pub(super) fn kept(&self, which: usize) -> Option<Kept> {
        let all = lock(&self.kept);
        all.get(which % all.len().max(1)).cloned()
    }

    pub(super) fn clear(&self) {
        let all = mem::take(&mut *lock(&self.kept));
        drop(all);
    }

    /// Without its journal a process is worth nothing.
    pub(super) fn note(&self, line: &str) {
        if let Err(error) = self.journal.note(format_args!("{line}")) {
            eprintln!("the journal cannot be written: {error}");
            std::process::exit(1);
        }
    }
}

impl Drop for Coin {
    fn drop(&mut self) {
        self.place.note(&format!("dropped {}", self.number));
        self.place.alive.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Token for Coin {
    async fn number(&self, add: u64) -> farcall::Result<u64> {
        Ok(self.number.wrapping_add(add))
    }
}

impl Door for Entrance {
    async fn table(&self) -> farcall::Result<Remote<dyn Table>> {
        Ok(self.0.clone())
    }
}

impl Table for Counter {
    async fn make(&self) -> farcall::Result<Remote<dyn Token>> {
        Ok(Remote::from_arc(self.0.coin()))
    }

    async fn echo(&self, token: Remote<dyn Token>) -> farcall::Result<Remote<dyn Token>> {
        Ok(token)
    }

    async fn hand_on(
        &self,
        token: Remote<dyn Token>,
        to: u8,
    ) -> farcall::Result<Remote<dyn Token>> {
        self.0.other(to)?.echo(token).await
    }

    async fn keep(&self, mut kept: Kept) -> farcall::Result<()> {
        kept.hands |= 1 << self.0.me;
        self.0.keep(kept);
        Ok(())
    }

    async fn flow(&self) -> farcall::Result<Receiver<u64>> {
        let (sender, receiver) = farcall::channel(8);
        tokio::spawn(async move {
            for number in 0..FLOW {
                sender.send(number).await?;
            }
            sender.finish();
            Ok::<_, farcall::Error>(())
        });
        Ok(receiver)
    }

    async fn flow_of(&self, other: u8) -> farcall::Result<Receiver<u64>> {
        self.0.other(other)?.flow().await
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
