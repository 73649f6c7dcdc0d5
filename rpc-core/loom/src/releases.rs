//! What is to be given back goes out soon, though nobody writes anything else: `give_back` of `driver/borrowed.rs`, `decline` and `linger` of
//! `conn/`, the background task's `poll_parked` with its watch, and `would_oversleep`. A release that is forgotten shows as a deadlock.

use crate::{
    sleeper::Sleeper,
    sync::{AtomicBool, Ordering},
};
use loom::{
    model::Builder,
    sync::{Mutex, MutexGuard},
    thread,
};
use std::sync::Arc;

/// What is left out on purpose.
#[derive(Clone, Copy, PartialEq, Eq)]
enum LeftOut {
    Nothing,
    /// The list has no time at which it is due, where a handle is dropped.
    LingerOfDropping,
    /// The same, where the references of a frame are declined.
    LingerOfDeclining,
    /// Whoever drops a handle does not look whether the background task sleeps for longer.
    Notice,
    /// Whoever receives does not look whether the background task has ceased to watch.
    SecondNotice,
}

struct Link {
    state: Mutex<State>,
    /// A waiter receives.
    held: AtomicBool,
    /// The background task is to look after waiters that receive.
    watched: AtomicBool,
    /// Woken when something has gone out.
    sent: Sleeper,
    leaves_out: LeftOut,
}

#[derive(Default)]
struct State {
    released: usize,
    linger: bool,
    /// The background task's timer is set: for what is due, or for the watch.
    clock: bool,
    background: Option<Sleeper>,
    notified: bool,
    sent: usize,
    over: bool,
}

impl Link {
    /// A waiter has received lately, if it is `watched`.
    fn new(watched: bool, leaves_out: LeftOut) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::default(),
            held: AtomicBool::new(false),
            watched: AtomicBool::new(watched),
            sent: Sleeper::new(),
            leaves_out,
        })
    }

    /// The last handle on an object is gone.
    fn give_back(&self) {
        let mut state = self.lock();
        state.released += 1;
        state.linger |= self.leaves_out != LeftOut::LingerOfDropping;
        let earlier = state.linger && !state.clock && self.leaves_out != LeftOut::Notice;
        let background = if earlier { state.notify() } else { None };
        drop(state);
        wake(background);
    }

    /// A waiter takes in a frame that concerns nobody, with a reference.
    fn receive(&self) {
        self.held.store(true, Ordering::Relaxed);
        if !self.watched.swap(true, Ordering::Relaxed) {
            self.notify();
        }
        let mut state = self.lock();
        state.released += 1;
        state.linger |= self.leaves_out != LeftOut::LingerOfDeclining;
        let oversleeps = state.linger
            && state.background.is_some()
            && !state.clock
            && self.leaves_out != LeftOut::SecondNotice;
        let background = if oversleeps { state.notify() } else { None };
        drop(state);
        self.held.store(false, Ordering::Relaxed);
        wake(background);
    }

    /// The background task. Time passes: its timer fires whenever it is set.
    fn run(&self) {
        let me = Sleeper::new();
        loop {
            self.turn();
            if self.lock().over {
                return;
            }
            if self.poll_parked(&me) {
                me.sleep();
            } else {
                thread::yield_now();
            }
        }
    }

    fn turn(&self) {
        let mut state = self.lock();
        state.notified = false;
        let any = state.released > 0;
        state.sent += state.released;
        (state.released, state.linger) = (0, false);
        drop(state);
        if any {
            self.sent.wake();
        }
    }

    /// Goes to sleep. False if there is something to do, or the timer fires.
    fn poll_parked(&self, me: &Sleeper) -> bool {
        let mut state = self.lock();
        if state.notified {
            return false;
        }
        state.background = Some(me.clone());
        state.clock = state.linger;
        let due = state.linger;
        drop(state);
        let watches = self.look();
        if watches && !due {
            self.lock().clock = true;
        }
        let fires = due || watches;
        if fires {
            self.lock().background = None;
        }
        !fires
    }

    /// Whether it must look again after a while, since a waiter receives.
    fn look(&self) -> bool {
        if !self.watched.load(Ordering::Relaxed) {
            return false;
        }
        let receives = self.held.load(Ordering::Relaxed);
        if !receives {
            self.watched.store(false, Ordering::Relaxed);
        }
        receives
    }

    /// Waits until so many have gone out, and ends the connection.
    fn await_sent(&self, count: usize) {
        while self.lock().sent < count {
            self.sent.sleep();
        }
        self.lock().over = true;
        self.notify();
    }

    fn notify(&self) {
        let background = self.lock().notify();
        wake(background);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

impl State {
    fn notify(&mut self) -> Option<Sleeper> {
        self.notified = true;
        self.background.take()
    }
}

fn wake(sleeper: Option<Sleeper>) {
    if let Some(sleeper) = sleeper {
        sleeper.wake();
    }
}

/// Threads that each give one reference back, beside the background task.
fn explore(watched: bool, threads: &'static [fn(&Link)], leaves_out: LeftOut) {
    let mut builder = Builder::new();
    builder.preemption_bound = builder.preemption_bound.max(Some(2));
    builder.max_branches = 10_000;
    builder.check(move || {
        let link = Link::new(watched, leaves_out);
        let spawn = |run: fn(&Link)| {
            let link = Arc::clone(&link);
            thread::spawn(move || run(&link))
        };
        let background = spawn(Link::run);
        let others: Vec<_> = threads.iter().map(|run| spawn(*run)).collect();
        link.await_sent(threads.len());
        others.into_iter().chain([background]).for_each(|one| one.join().unwrap());
    });
}

#[test]
fn a_handle_is_dropped() {
    explore(false, &[Link::give_back], LeftOut::Nothing);
}

#[test]
fn a_reference_is_declined() {
    explore(false, &[Link::receive], LeftOut::Nothing);
    explore(true, &[Link::receive], LeftOut::Nothing);
}

#[test]
fn both_at_a_time() {
    explore(false, &[Link::give_back, Link::receive], LeftOut::Nothing);
}

#[test]
#[should_panic(expected = "deadlock")]
fn without_the_linger_of_dropping() {
    explore(false, &[Link::give_back], LeftOut::LingerOfDropping);
}

#[test]
#[should_panic(expected = "deadlock")]
fn without_the_linger_of_declining() {
    explore(false, &[Link::receive], LeftOut::LingerOfDeclining);
}

#[test]
#[should_panic(expected = "deadlock")]
fn without_a_look_at_the_clock() {
    explore(false, &[Link::give_back], LeftOut::Notice);
}

#[test]
#[should_panic(expected = "deadlock")]
fn without_a_look_at_the_clock_where_the_watch_ends() {
    explore(true, &[Link::receive], LeftOut::SecondNotice);
}
