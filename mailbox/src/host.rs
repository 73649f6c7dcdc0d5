//! A mailbox hosted by this process: the engine behind a lock, joined to the callers that wait. What happens to them is collected under
//! the lock and done after it.

mod journal;
mod keeping;
mod looking;
mod opening;
#[cfg(test)]
mod tests;

use crate::{
    About, Counts, Error, Kind, Peeked, ProcessId, Terms,
    engine::{Draft, Engine, Event, Hold, LetterId, SeatId, Ticket, Until},
    post::{Attached, Delivery, Lease, Member, Patience, Post, Seat},
};
use bytes::Bytes;
use farcall_core::stub::Remote;
use keeping::Keeping;
use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};
use tokio::{sync::oneshot, task::AbortHandle};

pub use journal::{Contents, Store, Which};

/// A hosted mailbox: a servant of [`Post`].
#[derive(Clone)]
pub struct Host {
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    /// None yet: the first process that attaches says it, to the dead letters as well.
    kind: Arc<OnceLock<Kind>>,
    /// Where its letters are stored, if they are.
    keeping: Option<Keeping>,
    /// The mailbox for its dead letters, and the host's own attachment to that.
    dead: Option<(Arc<Self>, SeatId)>,
}

struct State {
    engine: Engine,
    waiting: HashMap<Ticket, oneshot::Sender<Outcome>>,
    /// Who has each seat.
    members: HashMap<SeatId, Arc<Sitting>>,
}

/// What a caller has waited for.
enum Outcome {
    Sent(Result<LetterId, Error>),
    Received(Result<(Bytes, ProcessId, Held), Error>),
    Told(Result<ProcessId, Error>),
}

/// Who has a seat.
struct Sitting {
    seat: SeatId,
    member: Remote<dyn Member>,
}

impl Host {
    /// The mailbox of the letters that nobody has acked.
    #[must_use]
    pub fn dead(&self) -> Option<Self> {
        let (shared, _) = self.shared.dead.as_ref()?;
        Some(Self { shared: Arc::clone(shared) })
    }

    /// What it holds.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.shared.lock().engine.counts()
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host").field("kind", &self.shared.kind).finish_non_exhaustive()
    }
}

impl Post for Host {
    async fn attach(&self, who: Attached) -> Result<(Remote<dyn Seat>, Terms), Error> {
        let Attached { process, kind, terms, member } = who;
        let shared = &self.shared;
        let found = *shared.lock().engine.terms();
        if let Some(wanted) = terms.filter(|wanted| *wanted != found) {
            let (found, wanted) = (Box::new(found), Box::new(wanted));
            return Err(Error::OtherParameters { found, wanted });
        }
        shared.check_kind(&kind)?;
        let seat = shared.attach(process.clone(), &member)?;
        let ending = detach_when_closed(shared, seat, member);
        let chair = Chair { shared: Arc::clone(shared), seat, process, ending };
        Ok((Remote::new(chair), found))
    }

    async fn about(&self) -> Result<About, Error> {
        Ok(self.shared.about())
    }

    async fn peek(&self, from: LetterId, most: u32) -> Result<Vec<Peeked>, Error> {
        Ok(self.shared.peek(from, most))
    }
}

impl Shared {
    fn new(terms: Terms, kind: Arc<OnceLock<Kind>>, dead: Option<(Arc<Self>, SeatId)>) -> Self {
        let (engine, waiting, members) =
            (Engine::new(terms), HashMap::default(), HashMap::default());
        let state = Mutex::new(State { engine, waiting, members });
        Self { state, kind, keeping: None, dead }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn attach(
        self: &Arc<Self>,
        process: ProcessId,
        member: &Remote<dyn Member>,
    ) -> Result<SeatId, Error> {
        self.detach_the_dead();
        let mut state = self.lock();
        let seat = state.engine.attach(process)?;
        state.members.insert(seat, Arc::new(Sitting { seat, member: member.clone() }));
        Ok(seat)
    }

    /// Those whose connection has ended hold nothing any more, though their objects may not be dropped yet.
    fn detach_the_dead(self: &Arc<Self>) {
        let members: Vec<_> = self.lock().members.values().cloned().collect();
        let dead = members.iter().filter(|sitting| Remote::why_closed(&sitting.member).is_some());
        dead.for_each(|sitting| self.detach(sitting.seat));
    }

    fn detach(self: &Arc<Self>, seat: SeatId) {
        let sitting = self.lock().members.remove(&seat);
        if sitting.is_some() {
            self.change(|engine| engine.detach(seat));
        }
    }

    /// Changes the engine, and does what comes of it.
    fn change<R>(self: &Arc<Self>, change: impl FnOnce(&mut Engine) -> R) -> R {
        let mut state = self.lock();
        let changed = change(&mut state.engine);
        let happened = self.take_events(&mut state);
        drop(state);
        self.happen(happened);
        changed
    }

    /// Begins something that may have to wait.
    fn begin(self: &Arc<Self>, begin: impl FnOnce(&mut Engine) -> Ticket) -> Waiting {
        let (sender, outcome) = oneshot::channel();
        let mut state = self.lock();
        let ticket = begin(&mut state.engine);
        state.waiting.insert(ticket, sender);
        let happened = self.take_events(&mut state);
        drop(state);
        self.happen(happened);
        Waiting { shared: Arc::clone(self), ticket, outcome }
    }

    fn happen(self: &Arc<Self>, happened: Happened) {
        for (waiter, event) in happened {
            let outcome = match event {
                Event::Sent(_, sent) => Outcome::Sent(sent),
                Event::Told(_, told) => Outcome::Told(told),
                Event::Received(_, received) => Outcome::Received(received.map(|letter| {
                    let hold = Hold { letter: letter.id, delivery: letter.deliveries };
                    let (shared, done) = (Arc::clone(self), AtomicBool::new(false));
                    (letter.bytes, letter.sender, Held { shared, hold, done })
                })),
                Event::Died(letter) => {
                    self.bury(Draft {
                        sender: letter.sender,
                        key: letter.key,
                        bytes: letter.bytes,
                    });
                    continue;
                }
            };
            if let Some(waiter) = waiter {
                // If nobody waits any more, a letter in it is given back as it is dropped.
                let _ = waiter.send(outcome);
            }
        }
    }

    /// Sends a letter to the dead letters. Where these are full it is dropped, which is counted and said.
    fn bury(self: &Arc<Self>, draft: Draft) {
        let Some((dead, seat)) = &self.dead else { return };
        let accepted = dead.change(|engine| {
            let before = engine.counts().accepted;
            engine.send(*seat, draft);
            engine.counts().accepted > before
        });
        if !accepted {
            self.change(Engine::drop_dead);
            tracing::warn!(
                target: "farcall::mailbox", letters = ?self.kind,
                "a letter that nobody acks was dropped: the dead letters have as many bytes as they may; receive and ack them"
            );
        }
    }
}

/// Who waited, if anybody did, and for what.
type Happened = Vec<(Option<oneshot::Sender<Outcome>>, Event)>;

impl State {
    fn take_events(&mut self) -> Happened {
        let mut happened = Vec::new();
        while let Some(event) = self.engine.poll_event() {
            let waiter = match &event {
                Event::Sent(ticket, _) | Event::Received(ticket, _) | Event::Told(ticket, _) => {
                    self.waiting.remove(ticket)
                }
                Event::Died(_) => None,
            };
            happened.push((waiter, event));
        }
        happened
    }
}

/// Detaches a process when its connection has ended, whether or not a call of its own still runs.
fn detach_when_closed(
    shared: &Arc<Shared>,
    seat: SeatId,
    member: Remote<dyn Member>,
) -> AbortHandle {
    let shared = Arc::downgrade(shared);
    let closed = async move {
        Remote::closed(&member).await;
        if let Some(shared) = shared.upgrade() {
            shared.detach(seat);
        }
    };
    tokio::spawn(closed).abort_handle()
}

/// The servant of an attachment.
struct Chair {
    shared: Arc<Shared>,
    seat: SeatId,
    process: ProcessId,
    ending: AbortHandle,
}

impl Seat for Chair {
    async fn send(&self, key: u64, letter: &[u8], patience: Patience) -> Result<LetterId, Error> {
        let (sender, bytes) = (self.process.clone(), Bytes::copy_from_slice(letter));
        let draft = Draft { sender, key, bytes };
        let mut refusal = Error::Full;
        let waiting = self.shared.begin(|engine| {
            if engine.terms().capacity == crate::Capacity::Zero {
                refusal = Error::NoReceiver;
            }
            engine.send(self.seat, draft)
        });
        match waiting.outcome(patience, refusal).await? {
            Outcome::Sent(sent) => sent,
            _ => Err(Error::Detached),
        }
    }

    async fn recv(&self, patience: Patience) -> Result<Delivery, Error> {
        let waiting = self.shared.begin(|engine| engine.receive(self.seat));
        match waiting.outcome(patience, Error::Empty).await? {
            Outcome::Received(received) => {
                let (bytes, sender, held) = received?;
                let deliveries = held.hold.delivery;
                Ok(Delivery { sender, deliveries, bytes, lease: Remote::new(held) })
            }
            _ => Err(Error::Detached),
        }
    }

    async fn receipt(&self, letter: LetterId, until: Until) -> Result<ProcessId, Error> {
        let waiting = self.shared.begin(|engine| engine.inquire(letter, until));
        match waiting.outcome(Patience::Endless, Error::Forgotten).await? {
            Outcome::Told(told) => told,
            _ => Err(Error::Detached),
        }
    }

    async fn counts(&self) -> Result<Counts, Error> {
        Ok(self.shared.lock().engine.counts())
    }
}

impl Drop for Chair {
    fn drop(&mut self) {
        self.ending.abort();
        self.shared.detach(self.seat);
    }
}

/// A letter in the hands of a receiver.
struct Held {
    shared: Arc<Shared>,
    hold: Hold,
    done: AtomicBool,
}

impl Held {
    fn finish(&self) -> bool {
        !self.done.swap(true, Ordering::Relaxed)
            && self.shared.change(|engine| engine.ack(self.hold))
    }
}

impl Lease for Held {
    async fn ack(&self) -> Result<(), Error> {
        self.finish();
        Ok(())
    }

    async fn acked(&self) -> Result<bool, Error> {
        let acked = self.finish();
        self.shared.stored().await?;
        Ok(acked)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if !*self.done.get_mut() {
            // Or the letter might go to a receive of the very process that has just died.
            self.shared.detach_the_dead();
            self.shared.change(|engine| engine.give_back(self.hold));
        }
    }
}

/// Something that is waited for. Dropped before it is there, it is withdrawn.
struct Waiting {
    shared: Arc<Shared>,
    ticket: Ticket,
    outcome: oneshot::Receiver<Outcome>,
}

impl Waiting {
    /// What has come of it, or `refusal` if it is not there at once and is not waited for.
    async fn outcome(mut self, patience: Patience, refusal: Error) -> Result<Outcome, Error> {
        let error = match patience {
            Patience::Endless => None,
            Patience::None => (!self.is_there()).then_some(refusal),
            Patience::For(time) => tokio::select! {
                biased;
                outcome = &mut self.outcome => return outcome.map_err(|_| Error::Detached),
                () = tokio::time::sleep(time) => Some(Error::TimedOut),
            },
        };
        match error {
            Some(error) if self.withdraw() => Err(error),
            _ => (&mut self.outcome).await.map_err(|_| Error::Detached),
        }
    }

    fn is_there(&self) -> bool {
        !self.outcome.is_empty()
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
