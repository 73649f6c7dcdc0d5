//! A task in which the first polls of one object's calls stay in the order of arrival, off the background task, so that one heavy
//! method does not hold up the connection.

use super::start::{Job, launch};
use crate::id::{MethodId, ObjectId};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::sync::mpsc;

/// A first poll that takes longer is slow.
pub(super) const SLOW: Duration = Duration::from_micros(500);
/// Slow polls that outweigh the fast ones between them. More than one, because a poll may be slow only since its processor was taken away.
const SLOW_WEIGHT: u32 = 8;
const HEAVY: u32 = 3 * SLOW_WEIGHT;
/// Fast polls in a row after which an idle lane is given up.
const LIGHT: u32 = 256;
/// How long a lane works before it lets other tasks run.
const SPELL: Duration = Duration::from_micros(200);

/// How heavy methods have proved. Holds only those that were slow of late.
#[derive(Default, Debug)]
pub(super) struct Weights {
    heavy: Vec<(ObjectId, MethodId, u32)>,
}

impl Weights {
    /// Notes how long a first poll took. True if the method has proved slow.
    pub(super) fn note(&mut self, object: ObjectId, method: MethodId, took: Duration) -> bool {
        if took < SLOW && self.heavy.is_empty() {
            return false;
        }
        let found = self.heavy.iter().position(|&(of, by, _)| (of, by) == (object, method));
        match (found, took < SLOW) {
            (None, true) => false,
            (None, false) => {
                self.heavy.push((object, method, SLOW_WEIGHT));
                false
            }
            (Some(at), true) => {
                self.heavy[at].2 -= 1;
                if self.heavy[at].2 == 0 {
                    self.heavy.swap_remove(at);
                }
                false
            }
            (Some(at), false) => {
                self.heavy[at].2 += SLOW_WEIGHT;
                let proved = self.heavy[at].2 >= HEAVY;
                if proved {
                    self.heavy.swap_remove(at);
                }
                proved
            }
        }
    }
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
    let mut spell = Instant::now();
    while let Some(job) = jobs.recv().await {
        let begun = Instant::now();
        drop(launch(job, None));
        let ended = Instant::now();
        match ended - begun < SLOW {
            true => progress.light.fetch_add(1, Ordering::Relaxed),
            false => progress.light.swap(0, Ordering::Relaxed),
        };
        progress.open.fetch_sub(1, Ordering::Release);
        if ended - spell > SPELL {
            tokio::task::yield_now().await;
            spell = Instant::now();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_slow_poll_is_no_proof() {
        let (object, method) = (ObjectId::ROOT, MethodId(1));
        let (slow, fast) = (SLOW * 2, SLOW / 2);
        let mut weights = Weights::default();
        for _ in 0..10 {
            assert!(!weights.note(object, method, slow));
            (0..SLOW_WEIGHT).for_each(|_| assert!(!weights.note(object, method, fast)));
        }
        assert!(weights.heavy.is_empty());
        let proved: Vec<_> = (0..3).map(|_| weights.note(object, method, slow)).collect();
        assert_eq!(proved, [false, false, true]);
    }
}
