//! The sending half on a byte stream: threads append under a short lock, one thread at a time writes for all.

use super::{
    batch::{Batch, SLICES},
    closed, lock,
};
use farcall_core::{tail::Tail, transport::Flush};
use std::{
    io::{self, IoSlice},
    mem,
    sync::{
        Mutex, TryLockError,
        atomic::{AtomicBool, AtomicUsize, Ordering, fence},
    },
};

/// What bytes are written to, without blocking.
pub(crate) trait Sink: Send {
    /// Whether a write that took fewer bytes than it was given says that the next one would block.
    const SHORT_IS_FULL: bool;

    /// Writes some of the bytes, at least one.
    ///
    /// # Errors
    /// `WouldBlock` if it takes nothing now.
    fn write(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize>;

    /// Passes on what the sink itself holds back.
    ///
    /// # Errors
    /// `WouldBlock` if that is not possible now; then it is called again.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Frames between `append` and the sink.
///
/// **No lost flush.** `writing` is tried, never waited for. A thread that finds it taken (the follower) leaves its
/// frames to the holder, so one of the two must see them:
///
/// ```text
/// follower                                   holder
///   append its frame                           take the queue, write it
///   missed = true                              unlock writing
///   fence                  SYNC(hand-over)     fence
///   try writing again; taken: leave            if missed: clear it and begin again
/// ```
///
/// If the holder's fence comes first, the follower's second try finds `writing` free, or taken by a later holder,
/// with which the argument begins anew. If the follower's fence comes first, the holder sees `missed`. A holder that
/// stops because the sink is full need not look: the one it reports `Blocked` to flushes again.
pub(crate) struct Outbound<S> {
    queue: Mutex<Queue>,
    writing: Mutex<Writing<S>>,
    missed: AtomicBool,
    /// Bytes in `queue` and `writing` together.
    queued: AtomicUsize,
}

#[derive(Default)]
struct Queue {
    batch: Batch,
    closed: bool,
}

struct Writing<S> {
    batch: Batch,
    sink: S,
    /// Whether the sink may hold back bytes that were written.
    unflushed: bool,
}

impl<S: Sink> Outbound<S> {
    pub(crate) fn new(sink: S) -> Self {
        Self {
            queue: Mutex::default(),
            writing: Mutex::new(Writing { batch: Batch::default(), sink, unflushed: false }),
            missed: AtomicBool::new(false),
            queued: AtomicUsize::new(0),
        }
    }

    pub(crate) fn append(&self, head: &[&[u8]], tail: Option<Tail>) -> io::Result<()> {
        let mut queue = lock(&self.queue);
        if queue.closed {
            return Err(closed());
        }
        let (spent, length) = queue.batch.append(head, tail)?;
        self.queued.fetch_add(length, Ordering::Release);
        drop(queue);
        drop(spent);
        Ok(())
    }

    pub(crate) fn flush(&self) -> io::Result<Flush> {
        loop {
            match self.try_write() {
                Some(Ok(Flush::Done)) => {}
                Some(other) => return other,
                None => return Ok(Flush::Done),
            }
            fence(Ordering::SeqCst); // SYNC(hand-over)
            if !self.missed.load(Ordering::Relaxed) {
                return Ok(Flush::Done);
            }
            self.missed.store(false, Ordering::Relaxed);
        }
    }

    pub(crate) fn queued(&self) -> usize {
        self.queued.load(Ordering::Acquire)
    }

    /// Takes no more frames, and hands the sink to `shut`. What was left to a thread that has not come to write it goes before, as far as that
    /// goes without blocking.
    pub(crate) fn close(&self, shut: impl FnOnce(&mut S)) {
        let mut writing = lock(&self.writing);
        if self.missed.load(Ordering::Relaxed) {
            // An error ends the wire as well.
            let _ = self.write(&mut writing);
        }
        lock(&self.queue).closed = true;
        shut(&mut writing.sink);
    }

    /// Gives back the memory of empty batches.
    pub(crate) fn relax(&self) {
        lock(&self.queue).batch.relax();
        if let Ok(mut writing) = self.writing.try_lock() {
            writing.batch.relax();
        }
    }

    /// Writes what is queued, unless another thread is at it and will see that there is more.
    fn try_write(&self) -> Option<io::Result<Flush>> {
        let mut writing = match self.writing.try_lock() {
            Ok(writing) => writing,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => {
                self.missed.store(true, Ordering::Relaxed);
                fence(Ordering::SeqCst); // SYNC(hand-over)
                match self.writing.try_lock() {
                    Ok(writing) => writing,
                    Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
                    Err(TryLockError::WouldBlock) => return None,
                }
            }
        };
        Some(self.write(&mut writing))
    }

    /// Writes the rest of the last batch and then the queue, once.
    fn write(&self, writing: &mut Writing<S>) -> io::Result<Flush> {
        let result = self.write_batch(writing).and_then(|()| {
            self.take_queue(writing)?;
            self.write_batch(writing)?;
            writing.flush()
        });
        match result {
            Ok(()) => Ok(Flush::Done),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(Flush::Blocked),
            Err(error) => {
                self.fail(writing);
                Err(error)
            }
        }
    }

    fn take_queue(&self, writing: &mut Writing<S>) -> io::Result<()> {
        let mut queue = lock(&self.queue);
        mem::swap(&mut queue.batch, &mut writing.batch);
        if queue.closed { Err(closed()) } else { Ok(()) }
    }

    fn write_batch(&self, writing: &mut Writing<S>) -> io::Result<()> {
        while writing.batch.left() > 0 {
            let mut slices = [IoSlice::new(&[]); SLICES];
            let (count, total) = writing.batch.gather(&mut slices);
            let written = match writing.sink.write(&slices[..count]) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => written,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            writing.unflushed = true;
            writing.batch.advance(written);
            self.queued.fetch_sub(written, Ordering::Release);
            if S::SHORT_IS_FULL && written < total {
                return Err(io::ErrorKind::WouldBlock.into());
            }
        }
        writing.batch.clear();
        Ok(())
    }

    /// Loses everything: the wire is broken.
    fn fail(&self, writing: &mut Writing<S>) {
        let mut queue = lock(&self.queue);
        queue.closed = true;
        self.queued.fetch_sub(queue.batch.left() + writing.batch.left(), Ordering::Release);
        queue.batch.clear();
        writing.batch.clear();
    }
}

impl<S: Sink> Writing<S> {
    fn flush(&mut self) -> io::Result<()> {
        if self.unflushed {
            self.sink.flush()?;
            self.unflushed = false;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, mpsc};

    type Step = Box<dyn FnOnce() + Send>;

    /// Before each write, does what another thread might do at that moment.
    struct Interrupted {
        steps: mpsc::Receiver<Step>,
        written: Arc<Mutex<Vec<u8>>>,
    }

    impl Sink for Interrupted {
        const SHORT_IS_FULL: bool = true;

        fn write(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
            if let Ok(step) = self.steps.try_recv() {
                step();
            }
            let bytes: Vec<u8> = slices.iter().flat_map(|slice| slice.iter().copied()).collect();
            lock(&self.written).extend_from_slice(&bytes);
            Ok(bytes.len())
        }
    }

    #[test]
    fn what_is_appended_while_another_writes_is_written_by_that_one() {
        let (interrupt, steps) = mpsc::channel::<Step>();
        let written = Arc::default();
        let sink = Interrupted { steps, written: Arc::clone(&written) };
        let outbound = Arc::new(Outbound::new(sink));
        for byte in [2, 3] {
            let follower = Arc::clone(&outbound);
            let step = move || {
                follower.append(&[&[byte]], None).expect("it is open");
                assert_eq!(follower.flush().expect("it is open"), Flush::Done);
            };
            interrupt.send(Box::new(step)).expect("the sink lives");
        }
        outbound.append(&[&[1]], None).expect("it is open");
        assert_eq!(outbound.flush().expect("it is open"), Flush::Done);
        assert_eq!(*lock(&written), [1, 0, 0, 0, 1, 1, 0, 0, 0, 2, 1, 0, 0, 0, 3]);
        assert_eq!(outbound.queued(), 0);
    }

    /// Though that one has not come to it when the wire is closed: it was flushed.
    #[test]
    fn what_another_was_to_write_goes_before_the_end() {
        let (_interrupt, steps) = mpsc::channel::<Step>();
        let written = Arc::default();
        let outbound = Outbound::new(Interrupted { steps, written: Arc::clone(&written) });
        let another = lock(&outbound.writing);
        outbound.append(&[&[1]], None).expect("it is open");
        assert_eq!(outbound.flush().expect("it is open"), Flush::Done);
        drop(another);
        outbound.append(&[&[2]], None).expect("it is open");
        outbound.close(|_| ());
        assert_eq!(lock(&written)[..5], [1, 0, 0, 0, 1]);
        outbound.append(&[&[3]], None).expect_err("it is closed");
    }
}
