//! The sending half: frames go straight into the ring while there is room and nothing waits, else into a queue.

use super::{
    end::End,
    mapping::{Ours, Theirs},
    ring::{DESCRIPTOR, Due, Producer, Ringer, Room, SHORT},
};
use crate::stream::lock;
use farcall_core::{
    buffer::Buffer,
    payload::{Loan, Payload},
    tail::Tail,
    transport::{Flush, Need, Purpose, Tx},
};
use std::{
    collections::VecDeque,
    io, iter,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicUsize, Ordering},
    },
};

/// Bytes up to which a frame is copied into the ring by `append`, under the connection's lock. A larger one is copied by
/// `flush`.
const DIRECT: usize = 16 << 10;
/// Bytes moved into the ring before others get at the sending half.
const TURN: usize = 32 << 10;

/// Frames between `append` and the ring.
///
/// A frame that `append` puts into the ring can be received at once: a peer that is awake finds it. Whether the peer
/// sleeps and must be rung for is looked at by `flush` only. So `queued` counts the bytes that wait for room *and* those
/// that are in the ring and have not been rung for.
#[derive(Debug)]
pub(super) struct Sending {
    end: Arc<End>,
    sender: Mutex<Sender>,
    queued: AtomicUsize,
}

#[derive(Debug)]
struct Sender {
    ring: Producer<Ours, Theirs>,
    ringer: Ringer,
    /// Frames that found no room, in order.
    queue: VecDeque<Waiting>,
    /// Bytes of the queue.
    waiting: usize,
    /// Bytes in the ring and not rung for.
    unrung: usize,
}

/// A frame that waits for room.
#[derive(Debug)]
struct Waiting {
    /// Of the blocks that travel beside it.
    descriptors: Buffer,
    head: Buffer,
    tail: Option<Tail>,
    /// Bytes that are in the ring already.
    sent: usize,
}

/// How a step of a flush ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Step {
    Done,
    More,
    Full,
}

impl Sending {
    pub(super) fn new(end: &Arc<End>) -> Self {
        let (ours, theirs) = (end.ours.segment.clone(), end.theirs.segment.clone());
        let sender = Sender {
            ring: Producer::new(ours, theirs, end.ours.geometry),
            ringer: Ringer::for_arrivals(&end.theirs.geometry),
            queue: VecDeque::new(),
            waiting: 0,
            unrung: 0,
        };
        Self { end: Arc::clone(end), sender: Mutex::new(sender), queued: AtomicUsize::new(0) }
    }

    /// Whether a flush would get further, or fail.
    pub(super) fn has_room(&self) -> bool {
        lock(&self.sender).has_room().unwrap_or(true)
    }

    /// Whether a flush would get further, or fail, or there is room for payloads that wait for it.
    pub(super) fn may_go_on(&self) -> bool {
        match self.end.lender.has_awaited() {
            Ok(None) => self.has_room(),
            Ok(Some(found)) => found || (lock(&self.sender).waiting > 0 && self.has_room()),
            Err(error) => {
                self.end.breach(&error);
                true
            }
        }
    }

    /// Lends what travels beside a frame, and describes it.
    fn describe(&self, beside: Vec<Payload>) -> io::Result<Buffer> {
        let mut descriptors = Buffer::new();
        for payload in beside {
            let mut block = payload.into_block().map_err(|_| io::ErrorKind::InvalidInput)?;
            let (number, length) = match self.end.borrower.send_home(&mut block) {
                Some(home) => home,
                None => self.end.lender.lend(block)?,
            };
            descriptors.extend_from_slice(&number.to_le_bytes());
            descriptors.extend_from_slice(&length.to_le_bytes());
        }
        Ok(descriptors)
    }

    fn append_short(&self, head: &[&[u8]], length: usize) -> io::Result<MutexGuard<'_, Sender>> {
        self.end.check_open()?;
        let mut sender = lock(&self.sender);
        sender.append_short(head, length)?;
        self.queued.store(sender.waiting + sender.unrung, Ordering::Release);
        Ok(sender)
    }

    /// One step of a flush, and who must be rung for it.
    fn step(&self) -> io::Result<(Step, Due)> {
        let mut sender = lock(&self.sender);
        let moved = match self.end.check_open() {
            Ok(()) => sender.move_some(),
            Err(error) => Err(error),
        };
        let step = match moved {
            Ok(step) => step,
            Err(error) => {
                sender.forget();
                self.queued.store(0, Ordering::Release);
                return Err(error);
            }
        };
        let due = sender.ringer.due(&self.end.theirs.segment);
        sender.unrung = 0;
        self.queued.store(sender.waiting, Ordering::Release);
        Ok((step, due))
    }
}

impl Tx for Sending {
    fn append(&self, head: &[&[u8]], tail: Option<Tail>) -> io::Result<()> {
        match short(head, tail.as_ref()) {
            Some(length) => self.append_short(head, length).map(drop),
            None => self.append_with(head, tail, Vec::new()),
        }
    }

    fn append_now(&self, head: &[&[u8]], tail: Option<Tail>) -> io::Result<()> {
        let Some(length) = short(head, tail.as_ref()) else {
            return self.append_with(head, tail, Vec::new());
        };
        let mut sender = self.append_short(head, length)?;
        if sender.waiting == 0 && !sender.ringer.is_due(&self.end.theirs.segment) {
            sender.unrung = 0;
            self.queued.store(0, Ordering::Release);
        }
        Ok(())
    }

    fn append_with(
        &self,
        head: &[&[u8]],
        tail: Option<Tail>,
        beside: Vec<Payload>,
    ) -> io::Result<()> {
        self.end.check_open()?;
        let tail_length = tail.as_ref().map_or(0, |tail| tail.len());
        let length = head.iter().map(|part| part.len()).sum::<usize>() + tail_length;
        if u32::try_from(length).is_err() || length == 0 {
            let text = format!("a frame cannot have {length} bytes");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
        let descriptors = self.describe(beside)?;
        let mut sender = lock(&self.sender);
        sender.append(descriptors, head, tail, length)?;
        self.queued.store(sender.waiting + sender.unrung, Ordering::Release);
        Ok(())
    }

    fn carries(&self, payload: &Payload, others: usize) -> bool {
        payload.block().is_some_and(|block| {
            self.end.borrower.can_send_home(block) || self.end.lender.can_lend(&**block, others)
        })
    }

    fn loan(&self, length: usize, purpose: Purpose) -> Option<Loan> {
        if self.end.is_over() {
            return None;
        }
        match self.end.lender.loan(length, purpose) {
            Ok(loan) => loan,
            Err(error) => {
                self.end.breach(&error);
                None
            }
        }
    }

    fn capacity(&self) -> usize {
        self.end.ours.geometry.arena_bytes()
    }

    fn could_carry(&self, need: &Need) -> bool {
        self.end.lender.could_carry(need)
    }

    fn make_room(&self, needs: Vec<Need>) -> Option<(usize, Vec<Loan>)> {
        if self.end.is_over() {
            return None;
        }
        match self.end.lender.make_room(needs) {
            Ok(room) => room,
            Err(error) => {
                self.end.breach(&error);
                None
            }
        }
    }

    fn queued(&self) -> usize {
        self.queued.load(Ordering::Acquire)
    }

    fn flush(&self) -> io::Result<Flush> {
        loop {
            let (step, due) = self.step()?;
            self.end.ring(due);
            match step {
                Step::Done => return Ok(Flush::Done),
                Step::Full => return Ok(Flush::Blocked),
                Step::More => {}
            }
        }
    }

    fn close(&self) {
        self.end.close();
    }
}

/// The length of a frame that fits into the first line of a record.
fn short(head: &[&[u8]], tail: Option<&Tail>) -> Option<usize> {
    let length = head.iter().map(|part| part.len()).sum();
    (tail.is_none() && (1..=SHORT).contains(&length)).then_some(length)
}

impl Sender {
    fn append_short(&mut self, head: &[&[u8]], length: usize) -> io::Result<()> {
        if self.queue.is_empty() && self.ring.push_short(head, length)? == Room::Yes {
            self.unrung += length;
            return Ok(());
        }
        self.wait_for_room(Buffer::new(), head, None, length);
        Ok(())
    }

    fn append(
        &mut self,
        descriptors: Buffer,
        head: &[&[u8]],
        tail: Option<Tail>,
        length: usize,
    ) -> io::Result<()> {
        if self.queue.is_empty() && length <= DIRECT {
            let frame = head.iter().copied().chain(tail.as_deref());
            let pushed = match descriptors.len() / DESCRIPTOR {
                0 => self.ring.push_with(0, frame, 0),
                some => self.ring.push_with(some, iter::once(&descriptors[..]).chain(frame), 0),
            };
            if pushed? == Room::Yes {
                self.unrung += length;
                return Ok(());
            }
        }
        self.wait_for_room(descriptors, head, tail, length);
        Ok(())
    }

    #[cold]
    fn wait_for_room(
        &mut self,
        descriptors: Buffer,
        head: &[&[u8]],
        tail: Option<Tail>,
        length: usize,
    ) {
        let mut copy = Buffer::with_capacity(head.iter().map(|part| part.len()).sum());
        head.iter().for_each(|part| copy.extend_from_slice(part));
        self.queue.push_back(Waiting { descriptors, head: copy, tail, sent: 0 });
        self.waiting += length;
    }

    /// Moves frames, and pieces of large ones, from the queue into the ring.
    fn move_some(&mut self) -> io::Result<Step> {
        let mut moved = 0;
        while let Some(frame) = self.queue.front_mut() {
            let left = frame.left();
            let descriptors = frame.descriptors();
            let piece = left.min(self.ring.piece() - descriptors.len());
            let rest = u32::try_from(left - piece).unwrap_or(u32::MAX);
            let parts = iter::once(descriptors).chain(frame.next(piece));
            match self.ring.push_with(descriptors.len() / DESCRIPTOR, parts, rest)? {
                Room::Yes => {}
                Room::Full => return Ok(Step::Full),
                Room::Short => {
                    self.ring.grow();
                    continue;
                }
            }
            frame.sent += piece;
            self.waiting -= piece;
            moved += piece;
            if rest == 0 {
                self.queue.pop_front();
            }
            if moved >= TURN && !self.queue.is_empty() {
                return Ok(Step::More);
            }
        }
        Ok(Step::Done)
    }

    fn has_room(&mut self) -> io::Result<bool> {
        let Some(frame) = self.queue.front() else { return Ok(true) };
        let beside = frame.descriptors().len();
        self.ring.has_room(frame.left().min(self.ring.piece() - beside) + beside)
    }

    /// Loses everything: the wire is broken.
    fn forget(&mut self) {
        self.queue.clear();
        self.waiting = 0;
        self.unrung = 0;
    }
}

impl Waiting {
    /// They go with the first piece.
    fn descriptors(&self) -> &[u8] {
        if self.sent == 0 { &self.descriptors } else { &[] }
    }

    fn tail(&self) -> &[u8] {
        self.tail.as_deref().unwrap_or_default()
    }

    fn left(&self) -> usize {
        self.head.len() + self.tail().len() - self.sent
    }

    /// The next `length` bytes.
    fn next(&self, length: usize) -> impl Iterator<Item = &[u8]> + Clone {
        let of_head = self.head.get(self.sent..).unwrap_or_default();
        let of_head = of_head.get(..length).unwrap_or(of_head);
        let sent = self.sent.saturating_sub(self.head.len());
        let of_tail = self.tail().get(sent..).unwrap_or_default();
        let of_tail = of_tail.get(..length - of_head.len()).unwrap_or(of_tail);
        iter::once(of_head).chain(iter::once(of_tail))
    }
}
