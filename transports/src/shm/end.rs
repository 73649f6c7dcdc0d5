//! This side of a wire: its segments, its descriptors, and whether it is over. Shared by both halves and the readiness.

use super::{
    arena::{Borrower, Lender},
    doorbell::Doorbell,
    forked::Origin,
    mapping::{Ours, Theirs},
    ring::{Due, Geometry, Readable},
    sleepers::Sleepers,
};
use rustix::{
    io::Errno,
    net::{RecvFlags, Shutdown, recv, shutdown},
};
use std::{
    io,
    os::fd::OwnedFd,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU8, AtomicUsize, Ordering},
    },
};

/// A segment and the doorbells of whoever owns it.
#[derive(Debug)]
pub(super) struct Owned<S> {
    pub(super) segment: S,
    pub(super) geometry: Geometry,
    pub(super) task: Arc<Doorbell>,
    pub(super) thread: Doorbell,
}

/// How far a wire has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stage {
    Open = 0,
    /// This side has closed it.
    Closed = 1,
    /// The peer has closed it, or died.
    Gone = 2,
    /// The peer has broken the rules.
    Broken = 3,
}

/// One side of a wire.
#[derive(Debug)]
pub(super) struct End {
    pub(super) ours: Owned<Ours>,
    pub(super) theirs: Owned<Theirs>,
    /// Says nothing after the handshake; its end is the end of the wire.
    pub(super) control: OwnedFd,
    pub(super) sleepers: Sleepers,
    /// What this side lends to the peer.
    pub(super) lender: Lender,
    /// What the peer lends to this side.
    pub(super) borrower: Arc<Borrower>,
    stage: AtomicU8,
    /// Where the next record will be committed, for those who do not hold the receiving half.
    next: AtomicUsize,
    origin: Origin,
    /// Which rule the peer has broken.
    breach: OnceLock<String>,
}

impl End {
    pub(super) fn new(
        ours: Owned<Ours>,
        theirs: Owned<Theirs>,
        control: OwnedFd,
        origin: Origin,
    ) -> Self {
        let sleepers = Sleepers::new(&ours.geometry);
        let stage = AtomicU8::new(Stage::Open as u8);
        let next = AtomicUsize::new(theirs.geometry.start());
        let (mine, its) = (&ours.segment, &theirs.segment);
        let (my, of_its) = (ours.geometry, theirs.geometry);
        let lender = Lender::new(mine.clone(), &my, its.clone(), of_its);
        let bell = Arc::clone(&theirs.task);
        let borrower = Borrower::new((mine.clone(), my), (its.clone(), of_its), bell);
        let borrower = Arc::new(borrower);
        let breach = OnceLock::new();
        Self { ours, theirs, control, sleepers, lender, borrower, stage, next, origin, breach }
    }

    /// How far it has come, without looking at the control socket.
    pub(super) fn stage(&self) -> Stage {
        match self.stage.load(Ordering::Acquire) {
            0 => Stage::Open,
            1 => Stage::Closed,
            2 => Stage::Gone,
            _ => Stage::Broken,
        }
    }

    /// Whether nothing more will be sent in either direction.
    pub(super) fn is_over(&self) -> bool {
        self.stage() != Stage::Open || !self.origin.is_here()
    }

    /// # Errors
    /// That of a wire that takes no more frames.
    #[inline]
    pub(super) fn check_open(&self) -> io::Result<()> {
        if self.is_over() { self.why_over() } else { Ok(()) }
    }

    #[cold]
    fn why_over(&self) -> io::Result<()> {
        self.check_origin()?;
        match self.stage() {
            Stage::Open => Ok(()),
            Stage::Closed => Err(crate::stream::closed()),
            Stage::Gone => {
                Err(io::Error::new(io::ErrorKind::BrokenPipe, "the peer has closed the wire"))
            }
            Stage::Broken => Err(self.broken()),
        }
    }

    /// # Errors
    /// That of a process that was forked from the one that made the wire.
    pub(super) fn check_origin(&self) -> io::Result<()> {
        self.origin.check()
    }

    /// The error of a peer that has broken the rules, or has said something on the control socket.
    pub(super) fn broken(&self) -> io::Error {
        let text = "the peer speaks where there is nothing to say";
        let text = self.breach.get().map_or(text, String::as_str);
        io::Error::new(io::ErrorKind::InvalidData, text.to_owned())
    }

    /// The peer has broken a rule, and whoever has noticed cannot say so: everybody else on the wire will.
    pub(super) fn breach(&self, error: &io::Error) {
        let _ = self.breach.set(error.to_string());
        self.end(Stage::Broken);
        let _ = shutdown(&self.control, Shutdown::Both);
    }

    /// The first reason counts.
    fn end(&self, stage: Stage) {
        let (open, over) = (Stage::Open as u8, stage as u8);
        let _ = self.stage.compare_exchange(open, over, Ordering::AcqRel, Ordering::Relaxed);
    }

    /// Closes both directions, and wakes whoever sleeps on either side. A fork leaves the wire to its parent.
    pub(super) fn close(&self) {
        if self.origin.is_here() {
            self.end(Stage::Closed);
            let _ = shutdown(&self.control, Shutdown::Both);
        }
    }

    /// Looks whether the peer has closed the wire.
    pub(super) fn look_at_control(&self) {
        match recv(&self.control, &mut [0_u8; 1], RecvFlags::DONTWAIT) {
            Ok((0, _)) => self.end(Stage::Gone),
            Ok(_) => self.end(Stage::Broken),
            Err(Errno::AGAIN | Errno::INTR) => {}
            Err(_) => self.end(Stage::Gone),
        }
    }

    /// Wakes who is due on the other side.
    pub(super) fn ring(&self, due: Due) {
        if due.task {
            self.theirs.task.ring();
        }
        if due.thread {
            self.theirs.thread.ring();
        }
    }

    /// The receiving half has come as far as the record that will be committed at `offset`.
    pub(super) fn expect(&self, offset: usize) {
        self.next.store(offset, Ordering::Relaxed);
    }

    /// Whether the receiving half would find a record.
    pub(super) fn has_arrivals(&self) -> bool {
        self.theirs.segment.load(self.next.load(Ordering::Relaxed)) != 0
    }
}
