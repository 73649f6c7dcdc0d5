//! Who sleeps on this side: at most one task for each direction, and any number of threads.
//!
//! ```text
//!                park word      doorbell                       who looks at it
//! tasks          one for each   one: an edge in tokio's epoll  the relay wakes the tasks
//! threads        direction      another                        one thread polls; the others sleep until it returns
//! ```
//!
//! A word is odd while somebody of its kind may be asleep: a thread in `wait`; a task whose waker is here, for arrivals
//! only if it is armed too. Each sleep begins with a new odd number, a fence, and another look. So the peer rings at
//! most once per sleep, and tasks and threads need not know of each other.

use super::{
    mapping::Ours,
    ring::{Geometry, Lot, Sleeper},
};
use crate::stream::lock;
use std::{
    mem,
    sync::{
        Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::Waker,
    time::Duration,
};

#[derive(Debug)]
pub(super) struct Sleepers {
    tasks: Mutex<Tasks>,
    threads: Mutex<Threads>,
    /// The polling thread has returned.
    returned: Condvar,
    /// The same as in `tasks`.
    armed: AtomicBool,
}

/// A direction in which one can wait.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum For {
    Arrivals = 0,
    Space = 1,
}

#[derive(Debug)]
struct Tasks {
    armed: bool,
    lots: [Lot; 2],
    wakers: [Option<Waker>; 2],
}

#[derive(Debug)]
struct Threads {
    lots: [Lot; 2],
    waiting: [usize; 2],
    /// A thread polls for all of them.
    polled: bool,
    /// Those that wait until it returns.
    followers: usize,
    /// How often one has returned.
    returns: u64,
}

impl Tasks {
    fn is_asleep(&self, direction: For) -> bool {
        self.wakers[direction as usize].is_some() && (direction == For::Space || self.armed)
    }
}

impl Sleepers {
    pub(super) fn new(geometry: &Geometry) -> Self {
        let lots =
            |sleeper| [Lot::for_arrivals(geometry, sleeper), Lot::for_space(geometry, sleeper)];
        Self {
            tasks: Mutex::new(Tasks {
                armed: true,
                lots: lots(Sleeper::Task),
                wakers: [None, None],
            }),
            threads: Mutex::new(Threads {
                lots: lots(Sleeper::Thread),
                waiting: [0; 2],
                polled: false,
                followers: 0,
                returns: 0,
            }),
            returned: Condvar::new(),
            armed: AtomicBool::new(true),
        }
    }

    /// Lets arrivals wake the task. True if one is asleep: look whether something has arrived.
    pub(super) fn arm(&self, ours: &Ours) -> bool {
        if self.armed.load(Ordering::Acquire) {
            return false;
        }
        let mut tasks = lock(&self.tasks);
        tasks.armed = true;
        self.armed.store(true, Ordering::Release);
        let asleep = tasks.is_asleep(For::Arrivals);
        if asleep {
            tasks.lots[For::Arrivals as usize].park(ours);
        }
        asleep
    }

    /// Lets arrivals pass in silence.
    pub(super) fn disarm(&self, ours: &Ours) {
        if !self.armed.load(Ordering::Acquire) {
            return;
        }
        let mut tasks = lock(&self.tasks);
        tasks.armed = false;
        self.armed.store(false, Ordering::Release);
        tasks.lots[For::Arrivals as usize].leave(ours);
    }

    /// A task is about to sleep. Its waker is cloned and the earlier one dropped outside of the lock.
    pub(super) fn leave_waker(&self, direction: For, waker: &Waker) {
        let there = lock(&self.tasks).wakers[direction as usize]
            .as_ref()
            .is_some_and(|there| there.will_wake(waker));
        if !there {
            let waker = waker.clone();
            let earlier = lock(&self.tasks).wakers[direction as usize].replace(waker);
            drop(earlier);
        }
    }

    /// The task sleeps, unless a last look after this finds something. False if there is nothing to look for: it sleeps
    /// until it is armed.
    pub(super) fn park_task(&self, direction: For, ours: &Ours) -> bool {
        let mut tasks = lock(&self.tasks);
        let asleep = tasks.is_asleep(direction);
        if asleep {
            tasks.lots[direction as usize].park(ours);
        }
        asleep
    }

    /// The task does not sleep after all. Returns its waker, to be dropped or woken outside of any lock.
    pub(super) fn rouse(&self, direction: For, ours: &Ours) -> Option<Waker> {
        let mut tasks = lock(&self.tasks);
        let waker = tasks.wakers[direction as usize].take();
        tasks.lots[direction as usize].leave(ours);
        waker
    }

    /// A thread waits in these directions, and looks once more after this. How often a polling thread has returned.
    pub(super) fn park_thread(&self, directions: &[For], ours: &Ours) -> u64 {
        let mut threads = lock(&self.threads);
        for direction in directions {
            threads.waiting[*direction as usize] += 1;
            threads.lots[*direction as usize].park(ours);
        }
        threads.returns
    }

    /// Sleeps: in `poll` if no other thread is there, else until that one returns. Not at all if one has returned since
    /// this one has parked.
    pub(super) fn sleep(&self, parked: u64, timeout: Option<Duration>, poll: impl FnOnce()) {
        let mut threads = lock(&self.threads);
        if threads.returns != parked {
            return;
        }
        if threads.polled {
            threads.followers += 1;
            let mut threads = self.follow(threads, timeout);
            threads.followers -= 1;
            return;
        }
        threads.polled = true;
        drop(threads);
        poll();
        let mut threads = lock(&self.threads);
        threads.polled = false;
        threads.returns += 1;
        let followed = threads.followers > 0;
        drop(threads);
        if followed {
            self.returned.notify_all();
        }
    }

    /// The thread does not wait any more.
    pub(super) fn leave_thread(&self, directions: &[For], ours: &Ours) {
        let mut threads = lock(&self.threads);
        for direction in directions {
            let waiting = &mut threads.waiting[*direction as usize];
            *waiting -= 1;
            if *waiting == 0 {
                threads.lots[*direction as usize].leave(ours);
            }
        }
    }

    /// Woken for whatever reason, the caller looks for itself.
    fn follow<'a>(
        &self,
        threads: MutexGuard<'a, Threads>,
        timeout: Option<Duration>,
    ) -> MutexGuard<'a, Threads> {
        match timeout {
            Some(timeout) => match self.returned.wait_timeout(threads, timeout) {
                Ok((threads, _)) => threads,
                Err(poisoned) => poisoned.into_inner().0,
            },
            None => self.returned.wait(threads).unwrap_or_else(PoisonError::into_inner),
        }
    }

    /// The tasks' doorbell was rung: all of them look.
    pub(super) fn rouse_all(&self, ours: &Ours) {
        let mut tasks = lock(&self.tasks);
        let wakers = mem::take(&mut tasks.wakers);
        tasks.lots.iter_mut().for_each(|lot| lot.leave(ours));
        drop(tasks);
        wakers.into_iter().flatten().for_each(Waker::wake);
    }
}
