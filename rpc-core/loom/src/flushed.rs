//! The end of a wire that waits until everything is given away, and whoever gives the rest away: `is_flushed` and `take_awaited` of
//! `driver/line.rs`. Either the one sees that it is flushed, or the other that somebody waits for it.

use crate::{
    sleeper::Sleeper,
    sync::{AtomicBool, Ordering, fence},
};
use loom::{model::Builder, sync::atomic::AtomicUsize, thread};
use std::sync::Arc;

/// What is left out on purpose.
#[derive(Clone, Copy, PartialEq, Eq)]
enum LeftOut {
    Nothing,
    FenceOfAsking,
    FenceOfFlushing,
    SecondLook,
    Note,
}

/// A wire on which bytes are queued.
struct Line {
    queued: AtomicUsize,
    awaited: AtomicBool,
    leaves_out: LeftOut,
}

impl Line {
    fn is_flushed(&self) -> bool {
        if self.queued.load(Ordering::Acquire) == 0 {
            return true;
        }
        if self.leaves_out != LeftOut::Note {
            self.awaited.store(true, Ordering::Relaxed);
        }
        if self.leaves_out != LeftOut::FenceOfAsking {
            fence(Ordering::SeqCst); // SYNC(awaited)
        }
        self.leaves_out != LeftOut::SecondLook && self.queued.load(Ordering::Acquire) == 0
    }

    /// Gives some bytes away, as the transport does. Whether the background task must be told.
    fn flush(&self, bytes: usize) -> bool {
        self.queued.fetch_sub(bytes, Ordering::Release);
        if self.leaves_out != LeftOut::FenceOfFlushing {
            fence(Ordering::SeqCst); // SYNC(awaited)
        }
        self.awaited.load(Ordering::Relaxed) && self.awaited.swap(false, Ordering::Relaxed)
    }
}

/// One waits for the end while others give `shares` of the bytes away, and is woken by whoever is to tell it: then it asks again.
fn explore(shares: &'static [usize], leaves_out: LeftOut) {
    let mut builder = Builder::new();
    builder.preemption_bound = builder.preemption_bound.max(Some(3));
    builder.check(move || {
        let queued = AtomicUsize::new(shares.iter().sum());
        let line = Arc::new(Line { queued, awaited: AtomicBool::new(false), leaves_out });
        let sleeper = Sleeper::new();
        let flushers: Vec<_> = shares
            .iter()
            .map(|share| {
                let (line, sleeper) = (Arc::clone(&line), sleeper.clone());
                thread::spawn(move || {
                    if line.flush(*share) {
                        sleeper.wake();
                    }
                })
            })
            .collect();
        while !line.is_flushed() {
            sleeper.sleep();
        }
        flushers.into_iter().for_each(|one| one.join().unwrap());
    });
}

#[test]
fn whoever_waits_for_the_end_is_told() {
    explore(&[8], LeftOut::Nothing);
}

#[test]
fn by_the_last_of_two_as_well() {
    explore(&[4, 4], LeftOut::Nothing);
}

#[test]
#[should_panic(expected = "deadlock")]
fn without_the_fence_of_asking() {
    explore(&[8], LeftOut::FenceOfAsking);
}

#[test]
#[should_panic(expected = "deadlock")]
fn without_the_fence_of_flushing() {
    explore(&[8], LeftOut::FenceOfFlushing);
}

#[test]
#[should_panic(expected = "deadlock")]
fn without_the_second_look() {
    explore(&[8], LeftOut::SecondLook);
}

#[test]
#[should_panic(expected = "deadlock")]
fn without_the_note() {
    explore(&[8], LeftOut::Note);
}
