//! Blocks of the peer's arena, read in place. One of the files that may be `unsafe`.
#![expect(unsafe_code, reason = "the peer may be trusted not to write what it has lent")]

use super::{HOME, PAGE, broken};
use crate::{
    shm::{
        doorbell::Doorbell,
        mapping::{Ours, Theirs},
        ring::{Geometry, GivenBack, Readable, Ringer},
    },
    stream::lock,
};
use farcall_core::payload::{Block, Payload, Trusted};
use std::{
    any::Any,
    io,
    sync::{Arc, Mutex},
};

/// Borrows blocks of the peer's arena and gives them back. Lives as long as any of them, and longer than the wire.
#[derive(Debug)]
pub(crate) struct Borrower {
    ours: Ours,
    theirs: Theirs,
    geometry: Geometry,
    most: usize,
    /// Of the peer's tasks, one of which may wait for a block to come back.
    bell: Arc<Doorbell>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    returns: GivenBack,
    ringer: Ringer,
    borrowed: usize,
}

impl Borrower {
    /// `bell` wakes the peer's tasks.
    pub(crate) fn new(
        (ours, of_ours): (Ours, Geometry),
        (theirs, geometry): (Theirs, Geometry),
        bell: Arc<Doorbell>,
    ) -> Self {
        let ringer = Ringer::for_space(&geometry);
        let state = State { returns: GivenBack::new(of_ours), ringer, borrowed: 0 };
        Self { ours, theirs, geometry, most: of_ours.lends(), bell, state: Mutex::new(state) }
    }

    /// A block that came with a frame. It can be had as a slice if the peer is trusted.
    ///
    /// # Errors
    /// `InvalidData` if there is no such block, or too many are lent.
    pub(crate) fn borrow(
        self: &Arc<Self>,
        number: u32,
        length: u32,
        trusted: Option<Trusted>,
    ) -> io::Result<Payload> {
        let (begin, length) = (number as usize * PAGE, length as usize);
        let arena = self.geometry.arena_bytes();
        if length == 0 || begin >= arena || length > arena - begin {
            return Err(broken("it lends what is not in its arena"));
        }
        let mut state = lock(&self.state);
        if state.borrowed >= self.most {
            return Err(broken("it lends more blocks than it may"));
        }
        state.borrowed += 1;
        drop(state);
        let offset = self.geometry.arena_start() + begin;
        let borrower = Arc::clone(self);
        let block = Borrowed { borrower, number, offset, length, home: false, trusted };
        Ok(Payload::of_block(Arc::new(block)))
    }

    /// Whether this is a block of the peer's that nobody else holds: then it can go home with a frame.
    pub(crate) fn can_send_home(self: &Arc<Self>, block: &Arc<dyn Block>) -> bool {
        let borrowed = (&**block as &dyn Any).downcast_ref::<Borrowed>();
        borrowed.is_some_and(|borrowed| Arc::ptr_eq(&borrowed.borrower, self))
            && Arc::strong_count(block) == 1
    }

    /// Describes a block that goes home with a frame, instead of through the ring of returns. `None` if it cannot.
    pub(crate) fn send_home(self: &Arc<Self>, block: &mut Arc<dyn Block>) -> Option<(u32, u32)> {
        if !self.can_send_home(block) {
            return None;
        }
        let block: &mut dyn Any = Arc::get_mut(block)?;
        let block = block.downcast_mut::<Borrowed>()?;
        block.home = true;
        lock(&self.state).borrowed -= 1;
        Some((block.number | HOME, u32::try_from(block.length).ok()?))
    }

    fn give_back(&self, number: u32) {
        let mut state = lock(&self.state);
        state.returns.push(&self.ours, number);
        state.borrowed -= 1;
        let due = state.ringer.due(&self.theirs);
        drop(state);
        if due.task {
            self.bell.ring();
        }
    }
}

/// A block of the peer's, given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Borrowed {
    borrower: Arc<Borrower>,
    number: u32,
    offset: usize,
    length: usize,
    /// It was given back already.
    home: bool,
    trusted: Option<Trusted>,
}

impl Block for Borrowed {
    fn length(&self) -> usize {
        self.length
    }

    fn read(&self, offset: usize, bytes: &mut [u8]) {
        let inside = bytes.len() <= self.length.saturating_sub(offset);
        match inside && self.borrower.theirs.is_here() {
            true => self.borrower.theirs.copy_to(self.offset + offset, bytes),
            false => bytes.fill(0),
        }
    }

    fn append_to(&self, bytes: &mut Vec<u8>) {
        match self.borrower.theirs.is_here() {
            true => self.borrower.theirs.read(self.offset, self.length, bytes),
            false => bytes.resize(bytes.len() + self.length, 0),
        }
    }

    fn as_slice(&self) -> Option<&[u8]> {
        self.trusted.filter(|_| self.borrower.theirs.is_here())?;
        // SAFETY: the peer does not write it, as whoever has made `trusted` promises.
        Some(unsafe { self.borrower.theirs.slice(self.offset, self.length) })
    }

    unsafe fn as_slice_unchecked(&self) -> &[u8] {
        if !self.borrower.theirs.is_here() {
            return &[];
        }
        // SAFETY: the caller promises that the peer does not write it.
        unsafe { self.borrower.theirs.slice(self.offset, self.length) }
    }

    fn as_mut_slice(&mut self) -> Option<&mut [u8]> {
        None
    }

    fn truncate(&mut self, _length: usize) {}

    fn is_borrowed(&self) -> bool {
        true
    }
}

impl Drop for Borrowed {
    fn drop(&mut self) {
        // A fork leaves it to its parent.
        if !self.home && self.borrower.theirs.is_here() {
            self.borrower.give_back(self.number);
        }
    }
}
