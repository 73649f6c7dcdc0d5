//! One wire under a connection: what its threads share.

use super::lease::Lease;
use crate::{
    context::Caller,
    error::Error,
    transport::{Flush, Peer, Ready, Rx, Tx, Wire},
};
use std::{
    fmt, process,
    sync::{
        Arc, OnceLock, Weak,
        atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence},
    },
    time::Instant,
};

/// A wire, shared by its waiters and its background task.
pub(crate) struct Line {
    pub(crate) tx: Arc<dyn Tx>,
    pub(super) ready: Arc<dyn Ready>,
    pub(super) rx: Lease<Box<dyn Rx>>,
    pub(crate) peer: Arc<Peer>,
    pub(super) caller: Arc<Caller>,
    /// The peer is in this process.
    pub(super) is_near: bool,
    /// Both ends can run only on one and the same processor, or need the tasks of one and the same thread: whoever spins keeps the other
    /// from answering.
    pub(super) one_processor: AtomicBool,
    /// Arrivals pass in silence since somebody spins or spun; the background task looks again soon.
    pub(super) watched: AtomicBool,
    /// Until when a waiter spins, in nanoseconds after `begun`; one at a time.
    spinning_until: AtomicU64,
    begun: Instant,
    /// Counts the waits of callers that receive themselves, so that the watch knows when the last one was long ago.
    pub(super) activity: AtomicU32,
    /// Looks at the wire that found frames.
    pub(super) received: AtomicU32,
    /// Nothing is read until something that waits or runs has ended.
    pub(super) paused: AtomicBool,
    /// The transport takes no more at the moment.
    pub(super) blocked: AtomicBool,
    /// Something waits for memory of the transport.
    pub(super) is_short: AtomicBool,
    /// The wire ends once everything is given away, and the background task must be told.
    awaited: AtomicBool,
    /// Bytes that had come of a frame that is not whole, and that waited to be given away, when that was looked at last.
    partial: AtomicUsize,
    queued: AtomicUsize,
    ended: OnceLock<Error>,
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Line").field("peer", &self.peer).finish_non_exhaustive()
    }
}

impl Line {
    /// The first frame is small; the limit is raised after it.
    pub(super) fn new(mut wire: Wire, handshake_frame: usize) -> Arc<Self> {
        wire.rx.set_frame_limit(handshake_frame);
        let peer = Arc::new(wire.peer);
        Arc::new_cyclic(|line| Self {
            tx: wire.tx,
            ready: wire.ready,
            rx: Lease::new(wire.rx),
            is_near: peer.pid == Some(process::id()),
            one_processor: AtomicBool::new(peer.carried),
            caller: Arc::new(Caller { peer: Arc::clone(&peer), line: Weak::clone(line) }),
            peer,
            watched: AtomicBool::new(false),
            spinning_until: AtomicU64::new(0),
            begun: Instant::now(),
            activity: AtomicU32::new(0),
            received: AtomicU32::new(0),
            paused: AtomicBool::new(false),
            blocked: AtomicBool::new(false),
            is_short: AtomicBool::new(false),
            awaited: AtomicBool::new(false),
            partial: AtomicUsize::new(0),
            queued: AtomicUsize::new(0),
            ended: OnceLock::new(),
        })
    }

    /// Why the wire is of no more use, once it is.
    pub(super) fn ended(&self) -> Option<&Error> {
        self.ended.get()
    }

    /// The wire is of no more use. The first reason counts.
    pub(super) fn end(&self, why: Error) {
        let _ = self.ended.set(why);
    }

    /// Whether more has come of a frame that is not whole, of which so many bytes are there.
    pub(super) fn comes(&self, partial: usize) -> bool {
        partial > 0 && self.partial.swap(partial, Ordering::Relaxed) != partial
    }

    /// Whether fewer bytes wait to be given away than when this was asked last.
    pub(super) fn goes(&self) -> bool {
        let queued = self.tx.queued();
        queued < self.queued.swap(queued, Ordering::Relaxed)
    }

    /// Whether somebody spins at the moment.
    pub(super) fn is_spun(&self, now: Instant) -> bool {
        let until = self.spinning_until.load(Ordering::Relaxed);
        until > 0 && until > self.clock(now)
    }

    /// The same, now.
    pub(super) fn is_spun_now(&self) -> bool {
        self.spinning_until.load(Ordering::Relaxed) > 0 && self.is_spun(Instant::now())
    }

    /// Somebody spins until then. A spin that is not carried on does not count beyond.
    pub(super) fn spin_until(&self, until: Instant) {
        self.spinning_until.store(self.clock(until), Ordering::Relaxed);
    }

    /// Nobody spins any more.
    pub(super) fn spun(&self) {
        self.spinning_until.store(0, Ordering::Relaxed);
    }

    fn clock(&self, at: Instant) -> u64 {
        let nanoseconds = at.saturating_duration_since(self.begun).as_nanos();
        u64::try_from(nanoseconds).unwrap_or(u64::MAX)
    }

    /// Gives away what was appended. True if the background task must look after the rest, or after the end.
    pub(super) fn flush(&self) -> bool {
        match self.tx.flush() {
            Ok(Flush::Done) => self.take_awaited(),
            Ok(Flush::Blocked) => !self.blocked.swap(true, Ordering::Relaxed),
            Err(error) => {
                self.end(super::lost(&self.peer, &error));
                true
            }
        }
    }

    /// Something waits until the transport takes more, or has memory for it.
    pub(super) fn awaits_writable(&self) -> bool {
        self.blocked.load(Ordering::Relaxed) || self.is_short.load(Ordering::Relaxed)
    }

    /// Whether everything is given away. If not, whoever gives the rest away tells the background task: one of the two sees the other.
    pub(super) fn is_flushed(&self) -> bool {
        if self.tx.queued() > 0 {
            self.awaited.store(true, Ordering::Relaxed);
            fence(Ordering::SeqCst); // SYNC(awaited)
        }
        self.tx.queued() == 0
    }

    /// Whether somebody waits until everything is given away, as it is now.
    fn take_awaited(&self) -> bool {
        fence(Ordering::SeqCst); // SYNC(awaited)
        self.awaited.load(Ordering::Relaxed) && self.awaited.swap(false, Ordering::Relaxed)
    }

    /// Lets arrivals pass in silence because the caller looks for them itself. True if the background task must
    /// begin to watch.
    pub(super) fn silence(&self) -> bool {
        self.ready.disarm();
        !self.watched.load(Ordering::Relaxed) && !self.watched.swap(true, Ordering::Relaxed)
    }
}
