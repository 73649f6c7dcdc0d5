//! The links of a process: one for each process that it sends to or receives from by name, made when it is first used.

use crate::{
    Error, Kind, ProcessId, Result,
    door::{Door, End, Link, PLACES},
    inbox::Inbox,
    parcel::Parcel,
    post::Patience,
    writing::Writing,
};
use farcall_core::{
    error::{self, ErrorKind},
    stub::Remote,
    transport::BoxFuture,
};
use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::sync::{Notify, Semaphore};
use tokio::time::Instant;

/// How long to wait for the link of a process that is about to make it, before asking it once more.
const CROSSED: Duration = Duration::from_millis(20);
/// How long to look for a process for something that is to be done at once.
const AT_ONCE: Duration = Duration::from_millis(100);

/// Links that have ended and are remembered, until somebody asks for the process.
const GONE: usize = 64;

/// Finds the door of a process by its name, within a time.
pub type Dial = Box<
    dyn Fn(String, Option<Duration>) -> BoxFuture<'static, Result<Remote<dyn Door>>> + Send + Sync,
>;

/// A link, as one of its two processes sees it. It is one-way as long as one of both numbers is 0.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct LinkInfo {
    /// Who is at the other end.
    pub peer: ProcessId,
    /// Messages that were sent to it.
    pub sent: u64,
    /// Messages that came from it.
    pub received: u64,
}

/// The links of a process.
pub(crate) struct Links {
    me: ProcessId,
    dial: Dial,
    inbox: Arc<Inbox>,
    /// By the names of the others.
    table: Mutex<HashMap<String, Entry>>,
    /// Links that were made, ever.
    made: AtomicU64,
    /// The places of each sender, by its name, as long as it has a link or has left something in the inbox.
    places: Mutex<HashMap<String, Weak<Semaphore>>>,
    changed: Notify,
}

#[derive(Clone, Debug)]
enum Entry {
    /// This process is about to make it.
    Dialling,
    Linked(Arc<Linked>),
}

#[derive(Debug)]
struct Linked {
    peer: ProcessId,
    /// This process has made it, and not the peer.
    is_own: bool,
    far: Remote<dyn Link>,
    /// The how many-th link of this process it is.
    number: u64,
    sent: AtomicU64,
    received: Arc<AtomicU64>,
}

impl Linked {
    fn is_alive(&self) -> bool {
        Remote::why_closed(&self.far).is_none()
    }
}

impl Links {
    pub(crate) fn new(me: ProcessId, dial: Dial) -> Self {
        Self {
            me,
            dial,
            inbox: Arc::default(),
            table: Mutex::default(),
            made: AtomicU64::new(0),
            places: Mutex::default(),
            changed: Notify::new(),
        }
    }

    pub(crate) fn me(&self) -> &ProcessId {
        &self.me
    }

    pub(crate) fn inbox(&self) -> &Inbox {
        &self.inbox
    }

    /// The links that are alive, by the names of the others.
    pub(crate) fn all(&self) -> Vec<LinkInfo> {
        let mut all: Vec<_> = self.lock().values().filter_map(info).collect();
        all.sort_by(|one, other| one.peer.cmp(&other.peer));
        all
    }

    pub(crate) async fn send(
        &self,
        name: &str,
        kind: Kind,
        letter: Writing,
        patience: Patience,
    ) -> Result<()> {
        let begun = Instant::now();
        let linked = self.linked(name, patience).await?;
        let patience = patience.after(begun.elapsed());
        let limited = patience.limited(&linked.far);
        let far = limited.as_ref().unwrap_or(&linked.far);
        match far.send(kind, Parcel::one(letter), patience).await.map_err(Error::of_answer) {
            Err(Error::MailboxGone(_)) => Err(Error::ProcessGone { process: linked.peer.clone() }),
            sent => {
                linked.sent.fetch_add(u64::from(sent.is_ok()), Ordering::Relaxed);
                sent
            }
        }
    }

    /// Waits until the link to a process is there, and then until it has ended.
    pub(crate) async fn gone(&self, name: &str, patience: Patience) -> Error {
        if let Some(process) = self.take_dead(name) {
            return Error::ProcessGone { process };
        }
        match self.linked(name, patience).await {
            Ok(linked) => {
                Remote::closed(&linked.far).await;
                Error::ProcessGone { process: linked.peer.clone() }
            }
            Err(error) => error,
        }
    }

    /// Who was at the other end of a link that has ended, once.
    fn take_dead(&self, name: &str) -> Option<ProcessId> {
        let mut table = self.lock();
        let Some(Entry::Linked(linked)) = table.get(name) else { return None };
        let dead = (!linked.is_alive()).then(|| linked.peer.clone())?;
        let entry = table.remove(name);
        drop(table);
        drop(entry);
        Some(dead)
    }

    /// The link to the process of that name, which is made if there is none.
    async fn linked(&self, name: &str, patience: Patience) -> Result<Arc<Linked>> {
        let limit = Limit::new(name, patience);
        loop {
            let changed = self.changed.notified();
            match self.begin(name) {
                Some(Entry::Linked(linked)) => return Ok(linked),
                Some(Entry::Dialling) => limit.keep(changed).await?,
                None => {
                    let dialling = Dialling { links: self, name };
                    let made = self.make(name, &limit).await;
                    drop(dialling);
                    return made;
                }
            }
        }
    }

    /// What there is. None: this caller is to make the link.
    fn begin(&self, name: &str) -> Option<Entry> {
        let mut table = self.lock();
        match table.get(name) {
            Some(Entry::Linked(linked)) if !linked.is_alive() => {}
            Some(entry) => return Some(entry.clone()),
            None => {}
        }
        table.insert(name.to_owned(), Entry::Dialling);
        None
    }

    async fn make(&self, name: &str, limit: &Limit<'_>) -> Result<Arc<Linked>> {
        let door =
            (self.dial)(name.to_owned(), limit.left()).await.map_err(|error| match error {
                Error::Call(error) if error.kind() == ErrorKind::Unreachable => {
                    Error::NoSuchProcess { name: name.to_owned(), why: error }
                }
                other => other,
            })?;
        limit.keep(self.make_by(name, &door)).await?
    }

    /// Makes a link to the process behind a door.
    async fn make_by(&self, name: &str, door: &Remote<dyn Door>) -> Result<Arc<Linked>> {
        let peer = door.who().await?;
        loop {
            let changed = self.changed.notified();
            let (near, received) = self.near(peer.clone());
            if let Some(far) = door.link(self.me.clone(), near).await? {
                let (sent, is_own, number) = (AtomicU64::new(0), true, self.number());
                let linked = Linked { peer, is_own, far, number, sent, received };
                return Ok(self.insert(name, linked));
            }
            // The other one's link counts, and comes: unless it finds no way here.
            let _ = tokio::time::timeout(CROSSED, changed).await;
            if let Some(Entry::Linked(linked)) = self.lock().get(name) {
                return Ok(Arc::clone(linked));
            }
        }
    }

    /// This process's end of a link.
    fn near(&self, peer: ProcessId) -> (Remote<dyn Link>, Arc<AtomicU64>) {
        let (places, received) = (self.places_of(&peer.name), Arc::default());
        let near = End::new(peer, Arc::clone(&self.inbox), places, Arc::clone(&received));
        (Remote::new(near), received)
    }

    /// The places of a sender, which all its links share: or one that links again and again would have more each time.
    fn places_of(&self, name: &str) -> Arc<Semaphore> {
        let mut all = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(places) = all.get(name).and_then(Weak::upgrade) {
            return places;
        }
        all.retain(|_, places| places.strong_count() > 0);
        let places = Arc::new(Semaphore::new(PLACES));
        all.insert(name.to_owned(), Arc::downgrade(&places));
        places
    }

    fn number(&self) -> u64 {
        self.made.fetch_add(1, Ordering::Relaxed)
    }

    fn insert(&self, name: &str, linked: Linked) -> Arc<Linked> {
        let linked = Arc::new(linked);
        let mut table = self.lock();
        let before = table.insert(name.to_owned(), Entry::Linked(Arc::clone(&linked)));
        let forgotten = forget(&mut table);
        drop(table);
        self.changed.notify_waiters();
        drop((before, forgotten));
        linked
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Entry>> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Door for Links {
    async fn who(&self) -> Result<ProcessId, Error> {
        Ok(self.me.clone())
    }

    async fn link(
        &self,
        from: ProcessId,
        back: Remote<dyn Link>,
    ) -> Result<Option<Remote<dyn Link>>, Error> {
        let has_own = match self.lock().get(&from.name) {
            Some(Entry::Dialling) => true,
            // One that the peer has made and asks for again is one that it has given up.
            Some(Entry::Linked(own)) => own.is_own && own.peer == from && own.is_alive(),
            None => false,
        };
        if has_own && self.me.name < from.name {
            return Ok(None);
        }
        let (near, received) = self.near(from.clone());
        let (name, sent, number) = (from.name.clone(), AtomicU64::new(0), self.number());
        let linked = Linked { peer: from, is_own: false, far: back, number, sent, received };
        self.insert(&name, linked);
        Ok(Some(near))
    }
}

/// Takes out the oldest of those that have ended, where these are too many.
fn forget(table: &mut HashMap<String, Entry>) -> Vec<Entry> {
    let ended = table.iter().filter_map(|(name, entry)| match entry {
        Entry::Linked(linked) if !linked.is_alive() => Some((linked.number, name.clone())),
        _ => None,
    });
    let mut ended: Vec<_> = ended.collect();
    ended.sort_unstable();
    let oldest = ended.len().saturating_sub(GONE);
    ended.drain(..oldest).filter_map(|(_, name)| table.remove(&name)).collect()
}

fn info(entry: &Entry) -> Option<LinkInfo> {
    let Entry::Linked(linked) = entry else { return None };
    linked.is_alive().then(|| LinkInfo {
        peer: linked.peer.clone(),
        sent: linked.sent.load(Ordering::Relaxed),
        received: linked.received.load(Ordering::Relaxed),
    })
}

/// How long whoever uses a link waits until it is there.
struct Limit<'a> {
    name: &'a str,
    patience: Patience,
    begun: Instant,
}

impl<'a> Limit<'a> {
    fn new(name: &'a str, patience: Patience) -> Self {
        Self { name, patience, begun: Instant::now() }
    }

    /// The time that is left. None: there is no limit.
    fn left(&self) -> Option<Duration> {
        let time = match self.patience {
            Patience::None => AT_ONCE,
            Patience::For(time) => time,
            Patience::Endless => return None,
        };
        Some(time.saturating_sub(self.begun.elapsed()))
    }

    /// Waits for something, as long as there is time.
    async fn keep<T>(&self, done: impl Future<Output = T>) -> Result<T> {
        let Some(left) = self.left() else { return Ok(done.await) };
        tokio::time::timeout(left, done).await.map_err(|_| self.passed())
    }

    fn passed(&self) -> Error {
        if let Patience::For(_) = self.patience {
            return Error::TimedOut;
        }
        let why = error::Error::of(ErrorKind::Unreachable, "it does not answer at once");
        Error::NoSuchProcess { name: self.name.to_owned(), why }
    }
}

/// Whoever makes a link and gives up leaves the place to the next.
struct Dialling<'a> {
    links: &'a Links,
    name: &'a str,
}

impl Drop for Dialling<'_> {
    fn drop(&mut self) {
        let mut table = self.links.lock();
        if matches!(table.get(self.name), Some(Entry::Dialling)) {
            table.remove(self.name);
            self.links.changed.notify_waiters();
        }
    }
}

impl fmt::Debug for Links {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Links")
            .field("me", &self.me)
            .field("all", &self.all())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
#[path = "links/tests.rs"]
mod tests;
