//! A connected pair of wires in memory: for `inproc://`, and for objects that are near. No frame is copied twice.

mod bell;

pub use bell::{Bell, Readable, Writable};

use crate::{
    buffer::Buffer,
    limits::Limits,
    payload::Payload,
    tail::Tail,
    transport::{Flush, Peer, Received, Rx, Tx, Wire},
};
use std::{
    collections::VecDeque,
    io, mem, process,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

/// Bytes that a pipe takes before its receiver has taken any; more only as one frame.
const CAPACITY: usize = 256 << 10;

/// Two wires, connected with each other: what one sends the other receives. Needs no runtime.
#[must_use]
pub fn pair() -> (Wire, Wire) {
    named_pair("inproc://")
}

/// A pair whose ends call each other `address`.
pub fn named_pair(address: &str) -> (Wire, Wire) {
    let (left, right) = (Bell::new(), Bell::new());
    let there = Pipe::new(&left, &right);
    let back = Pipe::new(&right, &left);
    (wire(left, &there, &back, peer(address)), wire(right, &back, &there, peer(address)))
}

fn wire(ready: Arc<Bell>, out: &Arc<Pipe>, into: &Arc<Pipe>, peer: Peer) -> Wire {
    let end = Arc::new(End { out: Arc::clone(out), into: Arc::clone(into) });
    let staged = Mutex::default();
    let tx = MemoryTx { end: Arc::clone(&end), staged, queued: AtomicUsize::new(0) };
    let limit = Limits::default().frame;
    let rx = MemoryRx { end, taken: VecDeque::new(), beside: Vec::new(), limit };
    Wire { tx: Arc::new(tx), rx: Box::new(rx), ready, peer }
}

fn peer(address: &str) -> Peer {
    let mut peer = Peer::new("inproc", address);
    #[cfg(unix)]
    {
        peer.uid = Some(rustix::process::geteuid().as_raw());
    }
    peer.pid = Some(process::id());
    peer.local = true;
    peer
}

/// One direction.
struct Pipe {
    state: Mutex<State>,
    /// Whether a receiver would find frames or the end: spares one that spins the lock.
    news: AtomicBool,
    closed: AtomicBool,
    sender: Arc<Bell>,
    receiver: Arc<Bell>,
}

#[derive(Default)]
struct State {
    frames: Frames,
    /// Whether a sender found it full.
    blocked: bool,
}

/// A frame, and the payloads beside it: in one process they are simply handed over.
type Sent = (Buffer, Vec<Payload>);

#[derive(Default)]
struct Frames {
    queue: VecDeque<Sent>,
    bytes: usize,
}

impl Pipe {
    fn new(sender: &Arc<Bell>, receiver: &Arc<Bell>) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::default(),
            news: AtomicBool::new(false),
            closed: AtomicBool::new(false),
            sender: Arc::clone(sender),
            receiver: Arc::clone(receiver),
        })
    }

    /// Takes frames while there is room, and returns how many bytes it took.
    fn fill(&self, staged: &mut Frames) -> usize {
        let mut state = lock(&self.state);
        let before = staged.bytes;
        if state.frames.queue.is_empty() && staged.bytes <= CAPACITY {
            mem::swap(&mut state.frames, staged);
        }
        while state.frames.bytes < CAPACITY
            && let Some(frame) = staged.pop()
        {
            state.frames.push(frame);
        }
        state.blocked = staged.bytes > 0;
        self.news.store(true, Ordering::Release);
        before - staged.bytes
    }

    /// Gives all frames to its receiver, whose `taken` is empty.
    fn empty(&self, taken: &mut VecDeque<Sent>) {
        let mut state = lock(&self.state);
        mem::swap(&mut state.frames.queue, taken);
        state.frames.bytes = 0;
        self.news.store(self.closed.load(Ordering::Acquire), Ordering::Release);
        let blocked = mem::take(&mut state.blocked);
        drop(state);
        if blocked {
            self.sender.ring_writable();
        }
    }

    fn close(&self) {
        self.closed.store(true, Ordering::Release);
        {
            let _state = lock(&self.state);
            self.news.store(true, Ordering::Release);
        }
        self.receiver.ring_readable();
        self.sender.ring_writable();
    }
}

impl Frames {
    fn push(&mut self, frame: Sent) {
        self.bytes += frame.0.len();
        self.queue.push_back(frame);
    }

    fn pop(&mut self) -> Option<Sent> {
        let frame = self.queue.pop_front()?;
        self.bytes -= frame.0.len();
        Some(frame)
    }
}

/// Both directions, as one end sees them. Closed when the last half of that end is dropped.
struct End {
    out: Arc<Pipe>,
    into: Arc<Pipe>,
}

impl End {
    fn close(&self) {
        self.out.close();
        self.into.close();
    }
}

impl Drop for End {
    fn drop(&mut self) {
        self.close();
    }
}

struct MemoryTx {
    end: Arc<End>,
    staged: Mutex<Frames>,
    queued: AtomicUsize,
}

impl Tx for MemoryTx {
    fn append(&self, head: &[&[u8]], tail: Option<Tail>) -> io::Result<()> {
        self.append_with(head, tail, Vec::new())
    }

    fn append_with(
        &self,
        head: &[&[u8]],
        tail: Option<Tail>,
        beside: Vec<Payload>,
    ) -> io::Result<()> {
        if self.end.out.closed.load(Ordering::Acquire) {
            return Err(closed());
        }
        let frame = match tail {
            Some(Tail::Own(tail)) if head.iter().all(|part| part.is_empty()) => tail,
            tail => {
                let tail = tail.as_deref().unwrap_or_default();
                let length = head.iter().map(|part| part.len()).sum::<usize>() + tail.len();
                let mut frame = Buffer::with_capacity(length);
                head.iter().for_each(|part| frame.extend_from_slice(part));
                frame.extend_from_slice(tail);
                frame
            }
        };
        self.queued.fetch_add(frame.len(), Ordering::Release);
        lock(&self.staged).push((frame, beside));
        Ok(())
    }

    fn carries(&self, payload: &Payload, _others: usize) -> bool {
        !payload.is_empty()
    }

    fn queued(&self) -> usize {
        self.queued.load(Ordering::Acquire)
    }

    fn flush(&self) -> io::Result<Flush> {
        let out = &self.end.out;
        if out.closed.load(Ordering::Acquire) {
            return Err(closed());
        }
        let mut staged = lock(&self.staged);
        if staged.queue.is_empty() {
            return Ok(Flush::Done);
        }
        let taken = out.fill(&mut staged);
        let blocked = !staged.queue.is_empty();
        drop(staged);
        if taken > 0 {
            self.queued.fetch_sub(taken, Ordering::Release);
            out.receiver.ring_readable();
        }
        Ok(if blocked { Flush::Blocked } else { Flush::Done })
    }

    fn close(&self) {
        self.end.close();
    }
}

struct MemoryRx {
    end: Arc<End>,
    taken: VecDeque<Sent>,
    beside: Vec<Payload>,
    limit: usize,
}

impl Rx for MemoryRx {
    fn recv(&mut self, frame: &mut Buffer) -> io::Result<Received> {
        self.beside.clear();
        let into = &self.end.into;
        if self.taken.is_empty() {
            if !into.news.load(Ordering::Acquire) {
                return Ok(Received::Empty);
            }
            // The end counts only if it was there before the frames were taken.
            let closed = into.closed.load(Ordering::Acquire);
            into.empty(&mut self.taken);
            if self.taken.is_empty() {
                return Ok(if closed { Received::Gone } else { Received::Empty });
            }
        }
        let (next, beside) = self.taken.pop_front().unwrap_or_default();
        if next.is_empty() || next.len() > self.limit {
            let error = bad_length(next.len(), self.limit);
            self.taken.push_front((next, beside));
            return Err(error);
        }
        *frame = next;
        self.beside = beside;
        Ok(Received::Frame)
    }

    fn payloads(&mut self) -> Vec<Payload> {
        mem::take(&mut self.beside)
    }

    fn set_frame_limit(&mut self, bytes: usize) {
        self.limit = bytes;
    }

    fn relax(&mut self) {
        if self.taken.is_empty() {
            self.taken = VecDeque::new();
        }
    }
}

fn closed() -> io::Error {
    io::Error::new(io::ErrorKind::BrokenPipe, "the wire is closed")
}

fn bad_length(length: usize, limit: usize) -> io::Error {
    let text = format!("the peer sent a frame of {length} bytes: the limit is {limit}");
    io::Error::new(io::ErrorKind::InvalidData, text)
}

/// Locks what no panic can leave half changed.
fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
