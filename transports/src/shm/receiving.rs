//! The receiving half: takes records out of the ring and makes frames of them.

use super::{
    arena::HOME,
    end::{End, Stage},
    mapping::{Ours, Theirs},
    ring::{Consumer, Found, Ringer},
};
use farcall_core::{
    buffer::Buffer,
    limits::Limits,
    payload::{Payload, Trusted},
    transport::{Received, Rx},
};
use std::{io, sync::Arc};

/// Bytes asked for on the word of a length alone; with the page that a buffer adds, 64 KiB.
const RESERVE: usize = 60 << 10;
/// Bytes of a record that may come alone.
const SMALL: usize = 4 << 10;

/// What arrives.
///
/// A frame in one record is copied out once, into the caller's buffer. A frame in several is put together in a buffer of
/// its own, which grows as its pieces arrive.
#[derive(Debug)]
pub(super) struct Receiving {
    end: Arc<End>,
    ring: Consumer<Ours, Theirs>,
    ringer: Ringer,
    body: Option<Body>,
    /// What came beside the last frame, or comes beside the one that is not whole yet.
    beside: Vec<Payload>,
    trusted: Option<Trusted>,
    limit: usize,
    lull: Lull,
}

/// Guesses when nothing follows a record, so that its receiver need not look: the first word of the next record is on a line that
/// the producer has just written, and to read it takes as long as to receive. A wrong guess is harmless, because
/// whoever goes to sleep on the wire looks.
#[derive(Default, Debug)]
struct Lull {
    /// Records since it was last said that there is none.
    taken: u32,
    /// Records come one by one.
    alone: bool,
    /// The last word was a guess.
    guessed: bool,
}

/// A frame of which pieces are missing.
#[derive(Debug)]
struct Body {
    bytes: Buffer,
    /// How many bytes are missing.
    rest: usize,
}

impl Receiving {
    pub(super) fn new(end: &Arc<End>) -> Self {
        let (ours, theirs) = (end.ours.segment.clone(), end.theirs.segment.clone());
        let ring = Consumer::new(ours, theirs, end.theirs.geometry);
        let ringer = Ringer::for_space(&end.theirs.geometry);
        let limit = Limits::default().frame;
        Self {
            end: Arc::clone(end),
            ring,
            ringer,
            body: None,
            beside: Vec::new(),
            trusted: None,
            limit,
            lull: Lull::default(),
        }
    }

    /// Takes a record. True if `frame` is whole.
    fn take(&mut self, found: Found, frame: &mut Buffer) -> io::Result<bool> {
        let left = found.length.saturating_add(found.rest);
        match self.body.take() {
            None if left > self.limit => Err(too_large(left, self.limit)),
            None if found.rest == 0 => {
                self.take_in(found)?;
                make_room(frame, found.length);
                self.copy(found, frame);
                Ok(true)
            }
            None => {
                self.take_in(found)?;
                let bytes = first_room(left, found.length);
                Ok(self.add(Body { bytes, rest: left }, found, frame))
            }
            Some(body) if body.rest == left && found.beside == 0 => {
                Ok(self.add(body, found, frame))
            }
            body => {
                self.body = body;
                let text = "the pieces of the peer's frame do not fit together";
                Err(io::Error::new(io::ErrorKind::InvalidData, text))
            }
        }
    }

    /// Takes in the blocks that come beside a frame with its first record.
    fn take_in(&mut self, found: Found) -> io::Result<()> {
        for number in 0..found.beside {
            let (block, length) = self.ring.descriptor(number);
            let payload = match block & HOME {
                0 => self.end.borrower.borrow(block, length, self.trusted)?,
                _ => self.end.lender.take_home(block, length)?,
            };
            self.beside.push(payload);
        }
        Ok(())
    }

    /// Adds a piece. True if it was the last one, and `frame` is whole.
    fn add(&mut self, mut body: Body, found: Found, frame: &mut Buffer) -> bool {
        body.make_room(found.length);
        self.copy(found, &mut body.bytes);
        body.rest = found.rest;
        let whole = body.rest == 0;
        match whole {
            true => *frame = body.bytes,
            false => self.body = Some(body),
        }
        whole
    }

    /// Copies a record to the end of `bytes` and lets go of it.
    fn copy(&mut self, found: Found, bytes: &mut Buffer) {
        let told = self.ring.take(found, bytes.writer());
        self.end.expect(self.ring.next());
        if told {
            self.ring_for_space();
        }
    }

    /// The producer was told that there is room; it may sleep until then.
    fn ring_for_space(&mut self) {
        let due = self.ringer.due(&self.end.theirs.segment);
        self.end.ring(due);
    }

    /// There is no record now.
    fn empty(&mut self) -> io::Result<Option<Received>> {
        if self.ring.tell() {
            // A wrap may have been all that there was.
            self.end.expect(self.ring.next());
            self.ring_for_space();
        }
        let over = match self.end.stage() {
            Stage::Open => return Ok(Some(Received::Empty)),
            over => over,
        };
        // What was committed before the end counts, and was looked for before the end was seen.
        if self.ring.find()?.is_some() {
            return Ok(None);
        }
        match over {
            Stage::Broken => Err(self.end.broken()),
            _ if self.body.is_some() => {
                let text = "the peer closed the wire in the middle of a frame";
                Err(io::Error::new(io::ErrorKind::UnexpectedEof, text))
            }
            _ => Ok(Some(Received::Gone)),
        }
    }
}

impl Rx for Receiving {
    fn recv(&mut self, frame: &mut Buffer) -> io::Result<Received> {
        self.end.check_origin()?;
        // Whoever has lent them may wait for them, whether anything follows or not.
        if self.body.is_none() && !self.beside.is_empty() {
            self.beside.clear();
        }
        if self.lull.is_likely() {
            self.ring.show();
            return Ok(Received::Empty);
        }
        loop {
            let found = self.ring.find()?;
            self.lull.note(found);
            match found {
                Some(found) if self.take(found, frame)? => return Ok(Received::Frame),
                Some(_) => {}
                None => {
                    if let Some(received) = self.empty()? {
                        return Ok(received);
                    }
                }
            }
        }
    }

    fn payloads(&mut self) -> Vec<Payload> {
        std::mem::take(&mut self.beside)
    }

    fn trust(&mut self, trusted: Trusted) {
        self.trusted = Some(trusted);
    }

    fn partial(&self) -> usize {
        self.body.as_ref().map_or(0, |body| body.bytes.len())
    }

    fn set_frame_limit(&mut self, bytes: usize) {
        self.limit = bytes;
    }
}

impl Lull {
    /// Whether to say that there is no record, without a look.
    fn is_likely(&mut self) -> bool {
        let likely = self.alone && self.taken == 1;
        if likely {
            self.guessed = true;
            self.taken = 0;
        }
        likely
    }

    /// A look has found this.
    fn note(&mut self, found: Option<Found>) {
        match found {
            Some(found) => {
                self.taken = self.taken.saturating_add(1);
                // The producer never sleeps for the room of a small one: it is told of it with the next.
                self.alone &= !self.guessed && found.rest == 0 && found.length <= SMALL;
            }
            None if self.taken > 0 => {
                self.alone = self.taken == 1;
                self.taken = 0;
            }
            None => {}
        }
        self.guessed = false;
    }
}

impl Body {
    /// Doubles a buffer that has no room for `length` more bytes, but not beyond the frame.
    fn make_room(&mut self, length: usize) {
        let filled = self.bytes.len();
        if self.bytes.capacity() - filled < length {
            let wanted = self.rest.min(length.max(filled).max(RESERVE));
            self.bytes.reserve_exact(wanted);
        }
    }
}

/// A buffer for a frame of which `found` bytes are there.
fn first_room(length: usize, found: usize) -> Buffer {
    Buffer::pooled(length).unwrap_or_else(|| Buffer::with_capacity(length.min(RESERVE).max(found)))
}

/// Empties `frame` and sees to it that it can hold `length` bytes.
fn make_room(frame: &mut Buffer, length: usize) {
    if frame.capacity() < length {
        *frame = Buffer::with_capacity(length);
    }
    frame.clear();
}

fn too_large(length: usize, limit: usize) -> io::Error {
    let text = format!("the peer sent a frame of {length} bytes: the limit is {limit}");
    io::Error::new(io::ErrorKind::InvalidData, text)
}
