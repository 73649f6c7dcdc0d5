//! How a side says that it sleeps, and how the other one knows that it must ring: at most once per sleep, and never
//! while the side is awake.
//!
//! ```text
//! sleeper                                    the other side
//!   park word = a new odd number               publish (a record, or what was consumed)
//!   fence                     SYNC(park)       fence
//!   look for what it waits for                 load the park word; odd and not rung for yet: ring
//!   nothing: sleep on the doorbell
//! ```
//!
//! Of two that fence, the second sees what the first wrote before: either the sleeper finds what was published, or the
//! other side sees the new number and rings. The number is new for each sleep because the other side cannot write it.

use super::{Geometry, Ordering, Readable, Writable, fence};

/// Who sleeps: each kind has a word and a doorbell of its own, so that neither is woken for the other.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Sleeper {
    /// Tasks, through their runtime.
    Task,
    /// Threads that block.
    Thread,
}

/// A sleeper's word. Whoever changes it holds the lock that it is kept under.
#[derive(Debug)]
pub(crate) struct Lot {
    offset: usize,
    epoch: u32,
}

impl Lot {
    /// The word with which a receiver sleeps.
    pub(crate) fn for_arrivals(geometry: &Geometry, sleeper: Sleeper) -> Self {
        Self { offset: geometry.park + word_of(sleeper), epoch: 0 }
    }

    /// The word with which a sender sleeps.
    pub(crate) fn for_space(geometry: &Geometry, sleeper: Sleeper) -> Self {
        Self { offset: geometry.space + word_of(sleeper), epoch: 0 }
    }

    /// Somebody is about to sleep, and looks once more after this.
    pub(crate) fn park(&mut self, ours: &impl Writable) {
        self.epoch = self.epoch.wrapping_add(1) | 1;
        ours.store(self.offset, self.epoch);
        fence(Ordering::SeqCst); // SYNC(park)
    }

    /// Nobody sleeps.
    pub(crate) fn leave(&mut self, ours: &impl Writable) {
        if self.epoch & 1 == 1 {
            self.epoch = self.epoch.wrapping_add(1);
            ours.store(self.offset, self.epoch);
        }
    }
}

/// The other side's view of two [`Lot`]s: that of the tasks and that of the threads.
#[derive(Debug)]
pub(crate) struct Ringer {
    offset: usize,
    rung: [u32; 2],
}

/// Which doorbells must be rung.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Due {
    pub(crate) task: bool,
    pub(crate) thread: bool,
}

impl Ringer {
    /// For whoever sends.
    pub(crate) fn for_arrivals(geometry: &Geometry) -> Self {
        Self { offset: geometry.park, rung: [0; 2] }
    }

    /// For whoever consumes.
    pub(crate) fn for_space(geometry: &Geometry) -> Self {
        Self { offset: geometry.space, rung: [0; 2] }
    }

    /// After publishing: whether somebody must be rung for now.
    pub(crate) fn is_due(&self, theirs: &impl Readable) -> bool {
        fence(Ordering::SeqCst); // SYNC(park)
        [Sleeper::Task, Sleeper::Thread].into_iter().any(|sleeper| {
            let epoch = theirs.load(self.offset + word_of(sleeper));
            epoch & 1 == 1 && self.rung[sleeper as usize] != epoch
        })
    }

    /// The same: who, and they are.
    pub(crate) fn due(&mut self, theirs: &impl Readable) -> Due {
        fence(Ordering::SeqCst); // SYNC(park)
        let mut is_due = |sleeper: Sleeper| {
            let epoch = theirs.load(self.offset + word_of(sleeper));
            let rung = &mut self.rung[sleeper as usize];
            epoch & 1 == 1 && std::mem::replace(rung, epoch) != epoch
        };
        Due { task: is_due(Sleeper::Task), thread: is_due(Sleeper::Thread) }
    }
}

fn word_of(sleeper: Sleeper) -> usize {
    sleeper as usize * 4
}
