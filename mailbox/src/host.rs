//! A mailbox hosted by this process: the engine behind a lock, joined to the callers that wait. What happens to them is collected under
//! the lock and done after it.

mod chair;
mod held;
mod journal;
mod keeping;
mod looking;
mod opening;
#[cfg(test)]
mod tests;
mod waiting;

use crate::{
    About, Counts, Error, Kind, Peeked, ProcessId, Terms,
    engine::{Draft, Engine, Event, Letter, LetterId, SeatId, Ticket},
    post::{Attached, Member, Post, Seat},
};
pub(crate) use chair::Chair;
use farcall_core::{runtime, stub::Remote};
pub(crate) use held::Held;
use held::Taken;
use keeping::Keeping;
use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
};
use tokio::{sync::oneshot, task::AbortHandle};
use waiting::{Begun, Waiting};

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
    Received(Result<Taken, Error>),
    Acked(Result<usize, Error>),
    Told(Result<ProcessId, Error>),
}

/// Who has a seat.
struct Sitting {
    seat: SeatId,
    /// None: this process.
    member: Option<Remote<dyn Member>>,
}

impl Sitting {
    fn is_dead(&self) -> bool {
        self.member.as_ref().is_some_and(|member| Remote::why_closed(member).is_some())
    }
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

    /// Its parameters.
    #[must_use]
    pub fn terms(&self) -> Terms {
        *self.shared.lock().engine.terms()
    }

    /// Attaches this process, near: what it does goes through no connection.
    pub(crate) fn sit(&self, kind: &Kind) -> Result<Chair, Error> {
        self.shared.check_kind(kind)?;
        let process = Arc::new(ProcessId::own());
        let seat = self.shared.attach(Arc::clone(&process), None)?;
        Ok(Chair { shared: Arc::clone(&self.shared), seat, process, ending: None })
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
        let (shared, found) = (&self.shared, self.terms());
        if let Some(wanted) = terms.filter(|wanted| *wanted != found) {
            let (found, wanted) = (Box::new(found), Box::new(wanted));
            return Err(Error::OtherParameters { found, wanted });
        }
        shared.check_kind(&kind)?;
        let process = Arc::new(process);
        let seat = shared.attach(Arc::clone(&process), Some(&member))?;
        let ending = Some(detach_when_closed(shared, seat, member));
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
        process: Arc<ProcessId>,
        member: Option<&Remote<dyn Member>>,
    ) -> Result<SeatId, Error> {
        self.detach_the_dead();
        let mut state = self.lock();
        let seat = state.engine.attach(process)?;
        state.members.insert(seat, Arc::new(Sitting { seat, member: member.cloned() }));
        Ok(seat)
    }

    /// Those whose connection has ended hold nothing any more, though their objects may not be dropped yet.
    fn detach_the_dead(self: &Arc<Self>) {
        let members: Vec<_> = self.lock().members.values().cloned().collect();
        let dead = members.iter().filter(|sitting| sitting.is_dead());
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
    fn begin(self: &Arc<Self>, begin: impl FnOnce(&mut Engine) -> Ticket) -> Begun {
        let mut state = self.lock();
        let ticket = begin(&mut state.engine);
        let (begun, happened) = match &self.keeping {
            None => {
                let mut happened = state.take_events();
                let own = happened.iter().position(|(_, event)| event.ticket() == Some(ticket));
                let own = own.map(|at| happened.remove(at).1);
                (own.ok_or_else(|| self.wait(&mut state, ticket)), happened)
            }
            // It may have to be stored before it is known.
            Some(keeping) => {
                let waiting = self.wait(&mut state, ticket);
                (Err(waiting), self.keep(keeping, &mut state))
            }
        };
        drop(state);
        let begun = match begun {
            Ok(event) => Begun::Done(self.outcome(event)),
            Err(waiting) => Begun::Waits(waiting),
        };
        self.happen(happened);
        begun
    }

    fn wait(self: &Arc<Self>, state: &mut State, ticket: Ticket) -> Waiting {
        let (sender, outcome) = oneshot::channel();
        state.waiting.insert(ticket, sender);
        Waiting { shared: Arc::clone(self), ticket, outcome }
    }

    fn happen(self: &Arc<Self>, happened: Happened) {
        for (waiter, event) in happened {
            let outcome = self.outcome(event);
            if let (Some(waiter), Some(outcome)) = (waiter, outcome) {
                // If nobody waits any more, letters in it are put back as they are dropped.
                let _ = waiter.send(outcome);
                runtime::stir();
            }
        }
    }

    /// What an event is to who waits for it, if somebody does.
    fn outcome(self: &Arc<Self>, event: Event) -> Option<Outcome> {
        match event {
            Event::Sent(_, sent) => Some(Outcome::Sent(sent)),
            Event::Told(_, told) => Some(Outcome::Told(told)),
            Event::Acked(_, acked) => {
                if let Ok(letters) = &acked {
                    self.change(|engine| engine.acked(letters));
                }
                Some(Outcome::Acked(acked.map(|letters| letters.len())))
            }
            Event::Received(_, received) => {
                Some(Outcome::Received(received.map(|letters| Taken::new(self, letters))))
            }
            Event::Died(Letter { sender, key, writing, .. }) => {
                self.bury(Draft::one(sender, key, writing));
                None
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
            let waiter = event.ticket().and_then(|ticket| self.waiting.remove(&ticket));
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
