//! Drives a connection: joins the pure protocol to wires, waiters, servants and the clock.
//!
//! There is no channel and no task between a stub and the wire. A caller appends its frame itself, under the connection's one short
//! lock. Whoever waits also receives, for everybody, if it gets the lease ([`lease`]); the background task ([`background`]) does
//! it when nobody waits, and is the only one that starts servants. Outside of the lock and the lease: flushing, decoding, wakers,
//! servants, destructors.

mod background;
mod body;
mod borrowed;
mod calling;
mod counters;
mod dial;
mod enclosed;
mod ending;
mod lane;
mod lease;
mod line;
mod linger;
mod nested;
mod notice;
mod order;
mod outbox;
mod pipelined;
mod promised;
mod receive;
mod reply;
mod rest;
mod room;
mod spin;
mod spinning;
mod start;
mod state;
mod turn;
mod wait;
mod waiter;
mod watch;

pub(crate) use background::{serve_wire, spawn_client};
pub(crate) use body::{Body, Held, Opened};
pub(crate) use borrowed::Borrowed;
pub(crate) use dial::Dial;
pub(crate) use enclosed::{Enclosed, Enclosing, Encoded};
pub(crate) use line::Line;
pub(crate) use order::{Apart, Carried, Deadline, Order, Target};
pub(crate) use promised::{Promised, hop_failed};
pub(crate) use reply::Answer;
pub(crate) use spinning::Spinning;
pub(crate) use start::{Handler, Job, launch_late};
pub(crate) use waiter::Reply;

use crate::{
    address::Spin as SpinMode,
    clock,
    codec::Budget,
    conn::Connection,
    described::Differences,
    error::{Error, ErrorKind, Executed},
    host,
    id::{CallId, ObjectId},
    limits::Limits,
    skeleton::Local,
    transport::Peer,
};
use notice::Notice;
use spin::Spin;
use state::{FlushBy, State};
use std::{
    fmt, io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    runtime::{Handle, RuntimeFlavor},
    sync::{Notify, watch::Sender},
};
use waiter::Wakes;

/// One connection, through all its wires.
pub(crate) struct Link {
    state: Mutex<State>,
    /// The same as in `state`.
    notice: Notice,
    /// How long callers look for their answer before they sleep.
    calling: Spin,
    /// How long the background task looks for frames before it sleeps.
    serving: Spin,
    /// Where the background task and the servants run.
    runtime: Handle,
    /// Places for spinners beside the one that does the work.
    places: usize,
    /// A lost wire is replaced by a new one.
    redials: bool,
    bound: Sender<Bound>,
    /// Tells that a wire is gone, or that the connection is over for good.
    over: Notify,
    limits: Arc<Limits>,
}

/// Whether a client's connection has found its service.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Bound {
    Not,
    Yes,
    Failed(Error),
}

impl Bound {
    /// A connection that is over before it has found its service has failed.
    fn fail(&mut self, why: &Error) {
        if *self == Self::Not {
            *self = Self::Failed(why.clone());
        }
    }
}

impl Link {
    /// A connection without a wire. `root` is what the peer will find as export 0.
    pub(crate) fn new(
        limits: Arc<Limits>,
        spin: SpinMode,
        runtime: Handle,
        root: Option<Local>,
        redials: bool,
    ) -> Arc<Self> {
        let hello = host::hello(&limits);
        let conn = Connection::new(clock::now(), Arc::clone(&limits), hello, None, true);
        let workers = match runtime.runtime_flavor() {
            RuntimeFlavor::MultiThread => runtime.metrics().num_workers().saturating_sub(1),
            _ => 8,
        };
        let notice = Notice::default();
        Arc::new_cyclic(|link| Self {
            state: Mutex::new(State::new(
                link.clone(),
                conn,
                Arc::clone(&limits),
                root,
                notice.clone(),
            )),
            notice,
            limits,
            calling: Spin::new(spin),
            serving: Spin::new(spin),
            places: workers.max(1),
            runtime,
            redials,
            bound: Sender::new(Bound::Not),
            over: Notify::new(),
        })
    }

    /// No handle is left. Calls in flight go on; then the connection ends.
    pub(crate) fn unused(&self) {
        let mut state = self.lock();
        state.unused = true;
        let waker = state.end_if_unused();
        drop(state);
        wake(waker);
    }

    /// Counts one more reference to an object of this process and gives its number.
    pub(crate) fn lend(&self, object: &Local) -> Result<ObjectId, Error> {
        let mut state = self.lock();
        state.check_lending(1)?;
        state.handles.counters.introduce("lookup");
        let (id, broken) = state.lend(object.clone());
        drop(state);
        drop(broken);
        Ok(id)
    }

    /// Takes an object of this process away from the peer, if it is lent.
    pub(crate) fn break_object(&self, key: usize, why: &Error) {
        let mut state = self.lock();
        let broken = state.conn.break_object(key, why);
        state.handles.counters.take_back(key);
        let waker = state.notify();
        drop(state);
        drop(broken);
        wake(waker);
    }

    /// Takes no more calls from the peer.
    pub(crate) fn goodbye(&self) {
        let mut state = self.lock();
        state.conn.goodbye();
        let waker = state.notify();
        drop(state);
        wake(waker);
    }

    /// Ends the connection at once.
    pub(crate) fn close(&self, why: Error) {
        let mut state = self.lock();
        if let Some(line) = &state.line {
            line.end(why.clone());
        }
        state.closed.get_or_insert(why);
        let waker = state.notify();
        drop(state);
        wake(waker);
    }

    /// Who is at the other end of the present wire.
    pub(crate) fn peer(&self) -> Option<Arc<Peer>> {
        self.lock().line.as_ref().map(|line| Arc::clone(&line.peer))
    }

    /// The deadline of a call that names none.
    pub(crate) fn default_deadline(&self) -> Duration {
        self.limits.deadline
    }

    /// Whether the caller of this call has given it up.
    pub(crate) fn is_cancelled(&self, epoch: u32, call: CallId) -> bool {
        let state = self.lock();
        state.epoch != epoch || state.conn.is_cancelled(call)
    }

    /// What decoding a frame of `length` bytes may cost.
    pub(crate) fn budget(&self, length: usize) -> Budget {
        self.limits.budget(length)
    }

    /// The largest frame that this side takes.
    pub(crate) fn frame_limit(&self) -> usize {
        self.limits.frame
    }

    /// Where servants run.
    pub(crate) fn runtime(&self) -> &Handle {
        &self.runtime
    }

    /// Why the connection is over, once it is.
    pub(crate) fn closed(&self) -> Option<Error> {
        self.lock().closed.clone()
    }

    /// Waits until the connection is over for good, and says why.
    pub(crate) async fn over(&self) -> Error {
        loop {
            let over = self.over.notified();
            if let Some(why) = self.closed() {
                return why;
            }
            over.await;
        }
    }

    /// Waits until the present wire is gone, or the connection is over, and says why.
    pub(crate) async fn unwired(&self) -> Error {
        let present = self.lock().line.clone();
        loop {
            let over = self.over.notified();
            if let Some(why) = self.lock().why_unwired(present.as_ref()) {
                return why;
            }
            over.await;
        }
    }

    /// The service that the connection is bound to on the present wire.
    fn bind(&self, root: ObjectId, differences: Option<Arc<Differences>>) {
        let mut state = self.lock();
        state.root = Some(root);
        state.differences = differences;
        let mut wakes = Wakes::default();
        state.pump_outbox(&mut wakes);
        let waker = state.notify();
        drop(state);
        wakes.wake();
        wake(waker);
        self.bound.send_replace(Bound::Yes);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Flushes or lets flush, and tells the background task of what it must look after.
    fn flush(&self, by: FlushBy) {
        if by.run() {
            self.notify();
        }
    }

    fn notify(&self) {
        let waker = self.lock().notify();
        wake(waker);
    }
}

impl State {
    /// Why this wire is not the present one any more, or there was none, if that is so.
    fn why_unwired(&self, wire: Option<&Arc<Line>>) -> Option<Error> {
        let present = self.line.as_ref();
        if wire.is_some_and(|wire| present.is_some_and(|present| Arc::ptr_eq(present, wire))) {
            return None;
        }
        let why = wire.and_then(|wire| wire.ended());
        let why = why.or(self.closed.as_ref()).or(self.trouble.as_ref()).cloned();
        Some(why.unwrap_or_else(|| Error::of(ErrorKind::Disconnected, "there is no wire yet")))
    }

    /// Something is due before the background task looks at the clock again.
    fn is_due_earlier(&self) -> bool {
        self.conn.is_due_before(self.clock)
    }

    /// The background task sleeps, and does not know of what is to be given back. As long as it watches the waiters, one of which has just
    /// received something, it looks soon enough; but it may have ceased to at this very moment.
    fn would_oversleep(&self) -> bool {
        self.conn.lingers()
            && self.background.is_some()
            && match (self.conn.poll_timeout(), self.clock) {
                (Some(due), Some(clock)) => due + watch::WATCH < clock,
                (due, None) => due.is_some(),
                (None, _) => false,
            }
    }

    /// Tells the background task that the connection has no more use, if that is so.
    fn end_if_unused(&mut self) -> Option<std::task::Waker> {
        if self.unused && self.is_unused() { self.notify() } else { None }
    }

    /// Nobody on either side has a use for the connection: no handle is left, no object is lent, nothing is under way.
    fn is_unused(&self) -> bool {
        self.unused && self.conn.is_idle() && self.handles.is_empty() && self.conn.objects().0 == 0
    }
}

/// An object belongs to a wire that is gone.
fn stale() -> Error {
    let text = "the connection that lent this object was lost: look it up again";
    Error::of(ErrorKind::Broken, text)
}

/// A wire failed.
fn lost(peer: &Peer, error: &io::Error) -> Error {
    let (kind, text) = match error.kind() {
        io::ErrorKind::InvalidData => {
            (ErrorKind::Protocol, format!("{} sent what is no frame: {error}", peer.address))
        }
        _ => {
            let text = format!("the connection to {} was lost: {error}", peer.address);
            (ErrorKind::Disconnected, text)
        }
    };
    Error::of(kind, text).executed_as(Executed::Maybe)
}

fn wake(waker: Option<std::task::Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").field("redials", &self.redials).finish_non_exhaustive()
    }
}
