//! What the connection's lock guards.

use super::{
    Link,
    body::Body,
    borrowed::Handles,
    line::Line,
    notice::Notice,
    order::{Deadline, Order},
    outbox::HeldCall,
    pipelined::Pipelined,
    room::HeldAnswer,
    waiter::{Reply, Waiter, Wakes},
};
use crate::{
    clock,
    conn::{Connection, IncomingCall},
    described::Differences,
    error::{Error, ErrorKind, Executed},
    host,
    id::{CallId, ObjectId},
    limits::Limits,
    skeleton::Local,
};
use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Weak, atomic::Ordering},
    task::Waker,
    thread::Thread,
    time::{Duration, Instant},
};
use tokio::task::AbortHandle;

/// Calls that are written at once: more would let the peer wait for work, fewer cost a system call too often.
const LOAD: usize = 32;

/// A call that waits to be started.
#[derive(Debug)]
pub(super) struct Incoming {
    pub(super) object: Local,
    pub(super) call: IncomingCall<Local>,
    pub(super) body: Body,
}

/// Everything of a connection that changes.
#[derive(Debug)]
pub(super) struct State {
    /// The connection that this is the state of.
    pub(super) link: Weak<Link>,
    pub(super) conn: Connection<Local>,
    /// What the peer finds as export 0.
    pub(super) own_root: Option<Local>,
    pub(super) line: Option<Arc<Line>>,
    /// The peer sends nothing more, and is still owed answers.
    pub(super) half_closed: bool,
    /// When to look again whether such a peer is there at all, and how long after that.
    pub(super) doubt: Option<(Instant, Duration)>,
    /// When a peer that was told goodbye is closed, everything having been answered.
    pub(super) drained: Option<Instant>,
    /// When a peer that does not read is closed.
    pub(super) stalled: Option<Instant>,
    /// Which wire in the order of wires is the present one.
    pub(super) epoch: u32,
    /// The service that calls on `Target::Root` go to, once it is known on the present wire.
    pub(super) root: Option<ObjectId>,
    pub(super) differences: Option<Arc<Differences>>,
    /// The connection is over, and why.
    pub(super) closed: Option<Error>,
    /// No handle is left: it ends when its last call does.
    pub(super) unused: bool,
    /// Why there is no wire at the moment.
    pub(super) trouble: Option<Error>,
    pub(super) waiters: Vec<Waiter>,
    pub(super) outbox: VecDeque<HeldCall>,
    pub(super) outbox_bytes: usize,
    /// Bytes of their payloads.
    pub(super) outbox_payloads: usize,
    /// Those that do not wait for credit.
    pub(super) outbox_nested: usize,
    /// What belongs to streams and waits to go out.
    pub(super) outbox_apart: VecDeque<HeldCall>,
    /// Answers that wait for memory of the wire.
    pub(super) answers: VecDeque<HeldAnswer>,
    pub(super) arrived: VecDeque<Incoming>,
    pub(super) arrived_bytes: usize,
    /// Calls that run beyond their first poll, to be aborted when they are cancelled.
    pub(super) running: HashMap<CallId, AbortHandle>,
    pub(super) oneways: usize,
    /// When the background task last started a call, while that was not long ago.
    pub(super) served: Option<Instant>,
    /// Objects whose calls are started by tasks of their own.
    pub(super) lanes: usize,
    /// The background task starts calls at the moment, and flushes afterwards.
    pub(super) batch: bool,
    /// Calls appended and not yet written.
    pub(super) unflushed: usize,
    /// Something else than calls is appended and not yet written.
    pub(super) urgent: bool,
    /// The background task has been told that there is something to do.
    pub(super) notice: Notice,
    pub(super) background: Option<Waker>,
    /// The background task is to look for what comes, once it runs.
    pub(super) looks: bool,
    /// A task has gone to sleep while the background task was at work, and counts on that to arm the wire.
    pub(super) asleep: bool,
    /// Threads that wait while another thread receives.
    pub(super) followers: Vec<Thread>,
    /// Returns of the last look at the wire, or of the present one so far: so many calls are likely to follow together.
    pub(super) burst: usize,
    pub(super) handles: Handles,
    /// Calls on what other calls return, which run.
    pub(super) pipelined: Pipelined,
    /// Objects whose last reference was given back, to be dropped outside of the lock.
    pub(super) released: Vec<Local>,
    pub(super) header: Vec<u8>,
    pub(super) table: Vec<u8>,
    pub(super) references: Vec<u8>,
    /// When the background task looks at the clock next.
    pub(super) clock: Option<Instant>,
    /// The chain of the last call that began one.
    pub(super) chain: u64,
    pub(super) limits: Arc<Limits>,
}

/// Who writes what was appended.
#[derive(Debug)]
pub(super) enum FlushBy {
    /// The caller, now.
    Caller(Arc<Line>),
    /// The background task, which this wakes.
    Background(Option<Waker>),
    /// It is given away.
    Nobody,
}

impl State {
    pub(super) fn new(
        link: Weak<Link>,
        conn: Connection<Local>,
        limits: Arc<Limits>,
        own_root: Option<Local>,
        notice: Notice,
    ) -> Self {
        Self {
            link,
            conn,
            own_root,
            half_closed: false,
            doubt: None,
            drained: None,
            stalled: None,
            line: None,
            epoch: 0,
            root: None,
            differences: None,
            closed: None,
            unused: false,
            trouble: None,
            waiters: Vec::new(),
            outbox: VecDeque::new(),
            outbox_bytes: 0,
            outbox_payloads: 0,
            outbox_nested: 0,
            outbox_apart: VecDeque::new(),
            answers: VecDeque::new(),
            arrived: VecDeque::new(),
            arrived_bytes: 0,
            running: HashMap::new(),
            oneways: 0,
            served: None,
            lanes: 0,
            batch: false,
            unflushed: 0,
            urgent: false,
            notice,
            background: None,
            looks: false,
            asleep: false,
            followers: Vec::new(),
            burst: 0,
            handles: Handles::default(),
            pipelined: Pipelined::default(),
            released: Vec::new(),
            header: Vec::new(),
            table: Vec::new(),
            references: Vec::new(),
            clock: None,
            chain: host::first_chain(),
            limits,
        }
    }

    /// The present wire, unless it has ended.
    pub(super) fn open_line(&self) -> Option<Arc<Line>> {
        self.line.as_ref().filter(|line| line.ended().is_none()).cloned()
    }

    pub(super) fn waiter(&mut self, call: CallId) -> &mut Waiter {
        let slot = call.slot as usize;
        if slot >= self.waiters.len() {
            if slot == 0 {
                // Many connections have one call at a time.
                self.waiters.reserve_exact(1);
            }
            self.waiters.resize_with(slot + 1, Waiter::default);
        }
        &mut self.waiters[slot]
    }

    /// Tells the background task that there is something to do.
    pub(super) fn notify(&mut self) -> Option<Waker> {
        self.notice.give();
        self.background.take()
    }

    /// The result of a call, if it is there; then the call is over.
    pub(super) fn take_reply(&mut self, call: CallId) -> Option<Reply> {
        let reply = self.waiter(call).reply.take()?;
        self.forget(call);
        Some(reply)
    }

    /// Nobody waits for the call any more. It is over, unless calls are still made on what it returned.
    pub(super) fn forget(&mut self, call: CallId) {
        if self.waiter(call).promised.is_none() {
            self.conn.forget(call);
        }
    }

    /// The waiter's result has come.
    pub(super) fn resolve(&mut self, call: CallId, reply: Reply, wakes: &mut Wakes) {
        let waiter = self.waiter(call);
        let reply = if waiter.was_out { Waiter::truly(reply) } else { reply };
        if let Some(fate) = &waiter.promised {
            fate.settle(&reply, wakes);
        }
        if waiter.detached {
            *waiter = Waiter { promised: waiter.promised.take(), ..Waiter::default() };
            self.forget(call);
            wakes.push_reply(reply);
            return;
        }
        if wakes.is_own(call) && waiter.waker.is_none() {
            waiter.order = None;
            self.forget(call);
            let last = self.conn.in_flight() == 0 && self.followers.is_empty();
            wakes.push_own(reply, last);
            if self.served.is_some()
                && let Some(background) = self.background.take()
            {
                // The next call of the peer is to find somebody who looks; without haste, for whoever waits next looks too.
                self.looks = true;
                wakes.push(Some(background));
            }
            return;
        }
        waiter.resolve(reply, wakes);
    }

    /// So many more references can go out.
    pub(super) fn check_lending(&self, count: usize) -> Result<(), Error> {
        if count == 0 || self.conn.can_lend(count) {
            return Ok(());
        }
        let text = format!(
            "{} objects are lent on this connection and {} are the most: let the peer drop some, or raise `limits.objects` on both \
             sides",
            self.conn.objects().0,
            self.limits.objects
        );
        Err(Error::of(ErrorKind::Overloaded, text))
    }

    /// A slot for a call.
    pub(super) fn reserve(&mut self) -> CallId {
        let call = self.conn.reserve(None);
        self.waiter(call).begin();
        call
    }

    /// The chain that a call belongs to. One that belongs to none begins one.
    pub(super) fn chain_of(&mut self, order: &mut Order) -> u64 {
        *order.chain.get_or_insert_with(|| {
            self.chain = host::next_chain(self.chain);
            self.chain
        })
    }

    /// The call was made: its time runs. Gives the end of it.
    pub(super) fn begin(&mut self, call: Option<CallId>, deadline: Deadline) -> Deadline {
        let now = clock::now();
        let at = deadline.at(now);
        if let Some(call) = call {
            self.conn.expire_at(call, at);
        }
        at.map_or(Deadline::Never, Deadline::At)
    }

    /// Appends the control frames that the protocol wants to send.
    pub(super) fn transmit_control(&mut self) -> bool {
        let Some(line) = &self.line else { return false };
        let mut any = false;
        loop {
            self.header.clear();
            if !self.conn.poll_transmit(&mut self.header) {
                return any;
            }
            any = true;
            self.urgent = true;
            if let Err(error) = line.tx.append(&[&self.header], None) {
                line.end(super::lost(&line.peer, &error));
                self.notice.give();
            }
        }
    }

    /// Fails calls whose deadline has passed.
    pub(super) fn expire(&mut self, now: Instant, wakes: &mut Wakes) {
        while let Some(expired) = self.conn.poll_expired(now) {
            let held = match expired.executed {
                Executed::No => self.unhold(expired.call),
                _ => None,
            };
            let again = if self.waiter(expired.call).was_out { " again" } else { "" };
            let text = match (&self.trouble, expired.executed) {
                (_, Executed::No) if held.as_ref().is_some_and(|h| self.awaits_room(&h.order)) => {
                    "the deadline passed before the call could go out: the peer holds the memory that its payloads need".to_owned()
                }
                (Some(trouble), Executed::No) => {
                    format!("the deadline passed before the call could go out{again}: {trouble}")
                }
                (None, Executed::No) => {
                    "the deadline passed before the call could go out: the peer takes no more calls at the moment".to_owned()
                }
                _ => "the deadline passed before the answer came".to_owned(),
            };
            held.into_iter().for_each(|held| wakes.push_order(held.order));
            let error = Error::of(ErrorKind::TimedOut, text).executed_as(expired.executed);
            self.resolve(expired.call, Reply::Failed(error), wakes);
        }
    }

    /// Nothing else is under way, nor was a moment ago: a call goes out at once.
    pub(super) fn is_alone(&self) -> bool {
        self.conn.in_flight() == 0 && self.burst <= 1
    }

    /// So many calls are appended that the peer, on a processor of its own, had better begin with them.
    fn is_load(&self, line: &Line) -> bool {
        self.unflushed >= LOAD && !line.one_processor.load(Ordering::Relaxed)
    }

    /// Who writes what was just appended: the caller if nothing else is under way, or if it is much; else the background task for all.
    pub(super) fn flush_by(&mut self, alone: bool) -> FlushBy {
        if self.batch {
            return FlushBy::Background(None);
        }
        match &self.line {
            Some(line) if line.tx.queued() == 0 => {
                self.unflushed = 0;
                self.urgent = false;
                FlushBy::Nobody
            }
            Some(line) if alone || self.is_load(line) => {
                self.unflushed = 0;
                self.urgent = false;
                FlushBy::Caller(Arc::clone(line))
            }
            _ if self.notice.is_given() => FlushBy::Background(None),
            _ => FlushBy::Background(self.notify()),
        }
    }
}

impl FlushBy {
    /// Flushes, or wakes who will. Outside of the lock. True if the background task must be told of a blocked wire.
    pub(super) fn run(self) -> bool {
        match self {
            Self::Caller(line) => line.flush(),
            Self::Nobody => false,
            Self::Background(waker) => {
                if let Some(waker) = waker {
                    waker.wake();
                }
                false
            }
        }
    }
}
