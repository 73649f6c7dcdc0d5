//! A task in which the first polls of one object's calls stay in the order of arrival, off the background task, so that one heavy
//! method does not hold up the connection.

use super::start::{Job, launch_late};
use crate::{clock, id::MethodId, runtime};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::sync::mpsc;

/// A first poll that takes longer is slow.
const SLOW: Duration = Duration::from_micros(500);
/// Slow polls that outweigh the fast ones between them.
const SLOW_WEIGHT: u32 = 8;
const HEAVY: u32 = 2 * SLOW_WEIGHT;
/// Calls whose processor time is taken after one that was slow by the clock: that may only have lost its processor.
const SUSPECTS: u32 = 64;
/// Fast polls in a row after which an idle lane is given up.
const LIGHT: u32 = 256;
/// Fast polls in a row after which the next one is taken for fast.
const QUICK: u32 = 8;
/// How long a lane works before it lets other tasks run.
const SPELL: Duration = Duration::from_micros(200);

/// How heavy methods have proved, by the keys of their objects. Holds only those that were slow of late.
#[derive(Default, Debug)]
pub(super) struct Weights {
    suspects: u32,
    heavy: Vec<(usize, MethodId, u32)>,
}

/// When a first poll began.
#[derive(Clone, Copy, Debug)]
pub(super) struct Begun {
    clock: Instant,
    /// Of this thread's processor time, where that is looked at.
    spent: Option<Duration>,
}

impl Weights {
    /// A first poll begins at `clock`.
    pub(super) fn begin(&mut self, clock: Instant) -> Begun {
        if self.suspects == 0 {
            return Begun { clock, spent: None };
        }
        self.suspects -= 1;
        Begun { clock, spent: processor_time() }
    }

    /// A first poll ends at `clock`. True if the method has proved slow.
    pub(super) fn end(
        &mut self,
        begun: Begun,
        clock: Instant,
        object: usize,
        method: MethodId,
    ) -> bool {
        let slow = clock >= begun.clock + SLOW;
        if !slow && self.heavy.is_empty() {
            return false;
        }
        let Some(before) = begun.spent else {
            if slow {
                self.suspects = SUSPECTS;
            }
            return false;
        };
        let spent = processor_time().map_or(Duration::ZERO, |after| after.saturating_sub(before));
        self.note(object, method, slow && spent >= SLOW)
    }

    fn note(&mut self, object: usize, method: MethodId, slow: bool) -> bool {
        let found = self.heavy.iter().position(|&(of, by, _)| (of, by) == (object, method));
        let Some(at) = found else {
            if slow {
                self.heavy.push((object, method, SLOW_WEIGHT));
            }
            return false;
        };
        let weight = &mut self.heavy[at].2;
        *weight = if slow { *weight + SLOW_WEIGHT } else { *weight - 1 };
        let proved = *weight >= HEAVY;
        if proved || *weight == 0 {
            self.heavy.swap_remove(at);
        }
        proved
    }
}

/// What this thread has spent on a processor.
#[cfg(unix)]
fn processor_time() -> Option<Duration> {
    let spent = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::try_from(spent).ok()
}

#[cfg(not(unix))]
fn processor_time() -> Option<Duration> {
    None
}

/// The lane of one object.
#[derive(Debug)]
pub(super) struct Lane {
    jobs: mpsc::UnboundedSender<Job>,
    progress: Arc<Progress>,
}

#[derive(Default, Debug)]
struct Progress {
    /// Jobs whose first poll is not over.
    open: AtomicUsize,
    /// Fast first polls in a row.
    light: AtomicU32,
}

impl Lane {
    pub(super) fn new() -> Self {
        let (jobs, receiver) = mpsc::unbounded_channel();
        let progress = Arc::new(Progress::default());
        tokio::spawn(run(receiver, Arc::clone(&progress)));
        Self { jobs, progress }
    }

    /// Starts a job after those before it.
    pub(super) fn push(&self, job: Job) {
        self.progress.open.fetch_add(1, Ordering::Relaxed);
        let _ = self.jobs.send(job);
    }

    /// Nothing is in it and nothing was slow of late.
    pub(super) fn is_spare(&self) -> bool {
        self.progress.open.load(Ordering::Acquire) == 0
            && self.progress.light.load(Ordering::Relaxed) >= LIGHT
    }
}

async fn run(mut jobs: mpsc::UnboundedReceiver<Job>, progress: Arc<Progress>) {
    let mut spell = clock::now();
    while let Some(job) = jobs.recv().await {
        let begun = clock::now();
        match progress.light.load(Ordering::Relaxed) < QUICK {
            true => runtime::at_length(|| launch_late(job)),
            false => launch_late(job),
        }
        let ended = clock::now();
        match ended - begun < SLOW {
            true => progress.light.fetch_add(1, Ordering::Relaxed),
            false => progress.light.swap(0, Ordering::Relaxed),
        };
        progress.open.fetch_sub(1, Ordering::Release);
        if ended - spell > SPELL {
            tokio::task::yield_now().await;
            spell = clock::now();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OBJECT: usize = 7;
    const METHOD: MethodId = MethodId(1);

    #[test]
    fn one_slow_poll_is_no_proof() {
        let mut weights = Weights::default();
        for _ in 0..10 {
            assert!(!weights.note(OBJECT, METHOD, true));
            (0..SLOW_WEIGHT).for_each(|_| assert!(!weights.note(OBJECT, METHOD, false)));
        }
        assert!(weights.heavy.is_empty());
        let proved: Vec<_> = (0..2).map(|_| weights.note(OBJECT, METHOD, true)).collect();
        assert_eq!(proved, [false, true]);
    }

    #[test]
    fn a_poll_that_lost_its_processor_is_not_slow() {
        let mut weights = Weights::default();
        let clock = clock::now();
        for _ in 0..10 {
            let begun = weights.begin(clock);
            assert!(!weights.end(begun, clock + 10 * SLOW, OBJECT, METHOD));
        }
        assert!(weights.heavy.is_empty());
    }
}
