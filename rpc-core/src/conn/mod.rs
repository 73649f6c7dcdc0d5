//! The protocol of one connection, pure: no clock, lock, thread or socket. Both ends are peers; each has all four
//! tables (`calls` I made, `serving` I owe, `exports` I lent, `imports` I borrowed).
//!
//! Methods come in four kinds: getters; `handle_*`, for what comes from the peer or from the clock; commands, plain
//! verbs; `poll_*`, for what must go out. After any of the middle two, drain the last: first [`Connection::poll_transmit`], then
//! [`Connection::poll_timeout`].

#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

mod calls;
mod ending;
mod event;
mod exports;
mod handle;
mod imports;
mod keepalive;
mod references;
mod serving;

pub use calls::Standing;
pub use event::{Contents, Event, IncomingCall, Reference, Unsent, Values};
pub use serving::Kept;

use crate::{
    error::{Error, Executed},
    frame::{CallHeader, Frame, Hello, Outcome, Releases, ReturnHeader},
    id::{CallId, ObjectId},
    limits::SharedLimits,
};
use calls::{Calls, Forgotten};
use exports::Exports;
use imports::Imports;
use keepalive::Keepalive;
use serving::Serving;
use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// How far a connection has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    /// Not before the peer's Hello.
    Handshake,
    Open,
    /// This side has said goodbye.
    Draining,
}

/// How long what the peer can wait for, may wait for company.
const LINGER: Duration = Duration::from_millis(1);
/// Calls beyond its share that a peer may make while it serves some, at least: as many as the deepest chain has.
const NESTED: usize = 255;

/// The state of one link to one peer. `S` stands for a servant.
#[derive(Debug)]
pub struct Connection<S> {
    limits: SharedLimits,
    phase: Phase,
    peer: Option<Hello>,
    calls: Calls,
    serving: Serving<S>,
    exports: Exports<S>,
    imports: Imports,
    keepalive: Keepalive,
    /// Goodbye follows the handshake.
    leaving: bool,
    control: VecDeque<Frame<'static>>,
    /// References to be given back, and calls whose answers the peer need not keep: they go with the next frame, or at `linger`.
    released: Vec<(ObjectId, u32)>,
    finished: Vec<CallId>,
    linger: Option<Instant>,
    /// The interfaces that the peer has described, and their bytes.
    interfaces: (u32, usize),
    /// The peer's calls taken on so far.
    accepted: u64,
    /// The peer has said goodbye after so many of my calls.
    refused_after: Option<u64>,
    /// Bytes of empty frames that the peer may still send.
    overhead: usize,
    strays: usize,
}

// Getters.
impl<S: Clone> Connection<S> {
    /// The peer's Hello, once it has come.
    #[must_use]
    pub fn peer(&self) -> Option<&Hello> {
        self.peer.as_ref()
    }

    /// My calls whose return has not come.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.calls.in_flight()
    }

    /// None of my calls is held, in flight or returned and not taken.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.calls.is_empty()
    }

    /// The peer's calls that I have not answered.
    #[must_use]
    pub fn serving(&self) -> usize {
        self.serving.len()
    }

    /// Those of them that their caller has given up.
    #[must_use]
    pub fn cancelled(&self) -> usize {
        self.serving.cancelled()
    }

    /// Whether this call of the peer is not answered yet.
    #[must_use]
    pub fn is_serving(&self, call: CallId) -> bool {
        self.serving.contains(call)
    }

    /// Whether its caller has given up this call of the peer.
    #[must_use]
    pub fn is_cancelled(&self, call: CallId) -> bool {
        self.serving.is_cancelled(call)
    }

    /// My calls that the peer has accepted before it said goodbye, and not yet answered.
    #[must_use]
    pub fn in_flight_before_refusal(&self) -> usize {
        self.refused_after.map_or(0, |accepted| self.calls.out_before(accepted))
    }

    /// When the next of my calls expires. May be too early, never too late.
    #[must_use]
    pub fn poll_expiry(&self) -> Option<Instant> {
        self.calls.earliest()
    }

    /// Objects lent and borrowed.
    #[must_use]
    pub fn objects(&self) -> (usize, usize) {
        (self.exports.len(), self.imports.len())
    }

    /// A call may be sent now: the peer takes calls and has credit left.
    #[must_use]
    pub fn can_send(&self) -> bool {
        let serving = self.peer.as_ref().map_or(0, |peer| peer.serving as usize);
        self.can_send_one_way() && self.calls.in_flight() < serving
    }

    /// A call may be sent now that is made while serving another. It does not wait for the credit of others, which may be waiting for it.
    #[must_use]
    pub fn can_send_nested(&self) -> bool {
        let serving = self.peer.as_ref().map_or(0, |peer| peer.serving as usize);
        self.can_send_one_way() && self.calls.in_flight() < most_nested(serving)
    }

    /// A one-way call, which needs no credit, may be sent now.
    #[must_use]
    pub fn can_send_one_way(&self) -> bool {
        self.peer.is_some() && self.refused_after.is_none() && self.phase != Phase::Handshake
    }

    /// Whether calls can be made on what a call of mine returns.
    #[must_use]
    pub fn standing(&self, call: CallId) -> Standing {
        self.calls.standing(call)
    }

    /// The largest frame that the peer takes.
    #[must_use]
    pub fn frame_limit(&self) -> usize {
        self.peer.as_ref().map_or(self.limits.frame, |peer| peer.frame as usize)
    }

    /// The peer has said goodbye.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        self.refused_after.is_some()
    }

    /// This side has said goodbye.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.phase == Phase::Draining
    }

    /// The object lent as `id`.
    #[must_use]
    pub fn export(&self, id: ObjectId) -> Option<&S> {
        self.exports.get(id)?.ok()
    }

    /// So many more objects may be lent.
    #[must_use]
    pub fn can_lend(&self, count: usize) -> bool {
        self.exports.len().saturating_add(count) <= self.limits.objects
    }
}

// Commands.
impl<S: Clone> Connection<S> {
    /// A connection that has just been made. `root` is what the peer finds as export 0; `local` tells whether the end of
    /// the peer shows by itself, without pings.
    #[must_use]
    pub fn new(
        now: Instant,
        limits: SharedLimits,
        hello: Hello,
        root: Option<S>,
        local: bool,
    ) -> Self {
        // Most connections have no other control frame to send.
        let control = VecDeque::from([Frame::Hello(hello)]);
        Self {
            phase: Phase::Handshake,
            peer: None,
            calls: Calls::default(),
            serving: Serving::default(),
            exports: Exports::new(root),
            imports: Imports::default(),
            keepalive: Keepalive::new(now, &limits, local),
            leaving: false,
            control,
            released: Vec::new(),
            finished: Vec::new(),
            linger: None,
            interfaces: (0, 0),
            accepted: 0,
            refused_after: None,
            overhead: limits.overhead,
            strays: 0,
            limits,
        }
    }

    /// Takes a slot for a call that will be sent, with the deadline after which it fails.
    pub fn reserve(&mut self, deadline: Option<Instant>) -> CallId {
        self.calls.reserve(deadline)
    }

    /// The peer gives a sign of life that is no frame: a piece of one comes, or it takes some of what waits for it.
    pub fn hear(&mut self, now: Instant) {
        self.keepalive.heard(now);
    }

    /// The deadline after which a call fails, where it was not known when its slot was taken.
    pub fn expire_at(&mut self, call: CallId, deadline: Option<Instant>) {
        self.calls.expire_at(call, deadline);
    }

    /// Writes the header of a call; its arguments follow. [`can_send`](Self::can_send) must hold.
    pub fn send(&mut self, header: &CallHeader<'_>, out: &mut Vec<u8>) {
        self.calls.send(header.call);
        header.encode(out);
    }

    /// The waiter has its result by other means than a return. Whether it was waiting.
    pub fn resolve(&mut self, call: CallId) -> bool {
        self.calls.resolve(call)
    }

    /// The waiter has taken its result, or has gone without: then the peer is told.
    pub fn forget(&mut self, call: CallId) {
        match self.calls.forget(call) {
            Forgotten::Quietly => {}
            Forgotten::GivenUp => self.control.push_back(Frame::Finish(call)),
            Forgotten::Finished => self.finished.push(call),
        }
    }

    /// Writes the header of an answer; for `Ok` and `App` the bytes follow. `kept` is what calls on the answer go to, if the method
    /// returns an object. False if the call is not open (any more): then nothing is written.
    pub fn reply(
        &mut self,
        header: &ReturnHeader<'_>,
        outcome: &Outcome<'_>,
        kept: Kept<S>,
        out: &mut Vec<u8>,
    ) -> bool {
        let Some(kept) = self.serving.reply(header.call, kept) else { return false };
        ReturnHeader { kept, ..*header }.encode(outcome, out);
        true
    }

    /// Counts one more reference to an object of mine, known by `key`. [`can_lend`](Self::can_lend) must hold.
    pub fn lend(&mut self, key: usize, object: S) -> ObjectId {
        self.exports.lend(key, object)
    }

    /// Whether the object known by `key` is lent.
    #[must_use]
    pub fn lends(&self, key: usize) -> bool {
        self.exports.has(key)
    }

    /// Takes an object of mine away from the peer, who is told why. It is given out to be dropped.
    pub fn break_object(&mut self, key: usize, why: &Error) -> Option<S> {
        let (id, object) = self.exports.break_object(key, why.clone())?;
        self.control.push_back(Frame::Broken(id, why.clone()));
        Some(object)
    }

    /// The last handle on an object of the peer is gone.
    pub fn release(&mut self, now: Instant, id: ObjectId) {
        if let Some(count) = self.imports.remove(id) {
            self.released.push((id, count));
            self.linger(now);
        }
    }

    /// What was given up goes out soon.
    pub fn linger(&mut self, now: Instant) {
        if self.lingers() {
            self.linger = self.linger.or_else(|| later(now, LINGER));
        }
    }

    /// Something is to be given back with the next frame.
    #[must_use]
    pub fn lingers(&self) -> bool {
        !self.released.is_empty() || !self.finished.is_empty()
    }
}

// To the outside.
impl<S: Clone> Connection<S> {
    /// Writes the next control frame into `out`, if there is one.
    pub fn poll_transmit(&mut self, out: &mut Vec<u8>) -> bool {
        if let Some(frame) = self.control.pop_front() {
            frame.encode(out);
            return true;
        }
        if let Some(call) = self.finished.pop() {
            Frame::Finish(call).encode(out);
            return true;
        }
        self.linger = None;
        let any = !self.released.is_empty();
        if any {
            Releases::encode(self.released.drain(..), out);
        }
        any
    }

    /// Whether [`poll_transmit`](Self::poll_transmit) has something that should not wait.
    #[must_use]
    pub fn wants_transmit(&self) -> bool {
        !self.control.is_empty()
    }

    /// When [`handle_timeout`](Self::handle_timeout) and [`poll_expired`](Self::poll_expired) want to be called. May be
    /// too early, never too late.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.timeouts().into_iter().flatten().min()
    }

    /// Whether [`poll_timeout`](Self::poll_timeout) is before `clock`, or there at all if that is never.
    #[must_use]
    pub fn is_due_before(&self, clock: Option<Instant>) -> bool {
        let is_before = |due: Instant| clock.is_none_or(|clock| due < clock);
        self.timeouts().into_iter().any(|due| due.is_some_and(is_before))
    }

    fn timeouts(&self) -> [Option<Instant>; 3] {
        let keepalive = self.keepalive.poll_timeout(self.phase);
        [self.calls.earliest(), keepalive, self.linger]
    }

    /// The next call whose deadline has passed while its waiter waited. It is resolved, and the peer is told.
    pub fn poll_expired(&mut self, now: Instant) -> Option<Unsent> {
        let (call, out) = self.calls.poll_expired(now)?;
        if out {
            self.control.push_back(Frame::Finish(call));
        }
        Some(Unsent { call, executed: if out { Executed::Maybe } else { Executed::No } })
    }
}

/// Calls of a peer that are served at a time, those included that it makes while it serves some itself: if these waited for others, which may
/// wait for them, nobody would go on.
fn most_nested(serving: usize) -> usize {
    serving.saturating_mul(4).max(serving.saturating_add(NESTED))
}

/// `now + by`, or `None` if that is beyond the clock.
fn later(now: Instant, by: Duration) -> Option<Instant> {
    now.checked_add(by)
}

#[cfg(test)]
mod pair;
#[cfg(test)]
mod tests;
