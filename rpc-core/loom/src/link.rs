//! The protocol of those who share a wire: tasks and threads that wait for returns, and the background task. The functions bear the
//! names of those they model.

use crate::{
    lease::Lease,
    mutant::Mutant,
    sleeper::Sleeper,
    sync::{AtomicBool, Ordering},
    wire::{Frame, Wire},
};
use loom::{
    sync::{Mutex, MutexGuard, atomic::AtomicUsize},
    thread,
};
use std::{collections::VecDeque, mem};

/// One connection.
pub(crate) struct Link {
    state: Mutex<State>,
    rx: Lease<VecDeque<Frame>>,
    pub(crate) wire: Wire,
    spinners: AtomicUsize,
    /// Woken when a call was started.
    pub(crate) started: Sleeper,
    watched: AtomicBool,
    /// What the peer sends once its call was started.
    answer: Option<Frame>,
    /// Frames taken at one go.
    batch: usize,
    mutant: Mutant,
}

/// How a thread has received for everybody.
enum Led {
    /// Until its return came.
    Done,
    /// Until something else was there to be looked at.
    Over,
    /// It has not: another does.
    Taken,
}

struct State {
    waiters: [Waiter; 3],
    /// Calls whose return has not come.
    in_flight: usize,
    followers: Vec<Sleeper>,
    arrived: usize,
    notified: bool,
    background: Option<Sleeper>,
    /// A task has gone to sleep while the background task was at work.
    asleep: bool,
    /// The background task will look again.
    timer: bool,
    late: bool,
    over: bool,
}

#[derive(Default)]
struct Waiter {
    reply: bool,
    /// A task's waker and a thread's handle are the same here.
    sleeper: Option<Sleeper>,
}

impl Link {
    /// A connection on whose wire these frames are already. `watched`: the wire is silent, since somebody has received lately.
    pub(crate) fn new(there: &[Frame], watched: bool, mutant: Mutant) -> Self {
        let state = State {
            waiters: Default::default(),
            in_flight: usize::MAX,
            followers: Vec::new(),
            arrived: 0,
            notified: false,
            background: None,
            asleep: false,
            timer: false,
            late: false,
            over: false,
        };
        Self {
            state: Mutex::new(state),
            rx: Lease::new(VecDeque::new()),
            wire: Wire::new(there, !watched, !mutant.arms_blindly),
            spinners: AtomicUsize::new(0),
            started: Sleeper::new(),
            watched: AtomicBool::new(watched),
            answer: None,
            batch: 9,
            mutant,
        }
    }

    /// The same, of a peer that sends this once its call was started.
    pub(crate) fn answering(mut self, answer: Frame) -> Self {
        self.answer = Some(answer);
        self
    }

    /// The same, where one go takes one frame.
    pub(crate) fn one_by_one(mut self) -> Self {
        self.batch = 1;
        self
    }

    /// The same, with so many calls in flight at first.
    pub(crate) fn with_in_flight(self, calls: usize) -> Self {
        self.lock().in_flight = calls;
        self
    }

    /// Makes a call, which is answered at once.
    pub(crate) fn call(&self, call: usize) {
        self.lock().in_flight += 1;
        self.wire.arrive(&[Frame::Return(call)]);
    }

    /// A task that awaits the result of a call, and spins first.
    pub(crate) fn await_reply(&self, call: usize, spins: bool) {
        let (me, mut spins) = (Sleeper::new(), spins);
        while !self.poll_reply(call, spins, &me) {
            me.sleep();
            spins = false;
        }
    }

    fn poll_reply(&self, call: usize, spins: bool, me: &Sleeper) -> bool {
        if spins {
            self.spinners.fetch_add(1, Ordering::Relaxed);
            self.slice();
            if !self.mutant.spins_too_long {
                self.spinners.fetch_sub(1, Ordering::Relaxed);
            }
        }
        if self.mutant.checks_first && self.lock().waiters[call].reply {
            return true;
        }
        let mut state = self.lock();
        let over = state.waiters[call].reply && !self.mutant.checks_first;
        state.waiters[call].sleeper = (!over).then(|| me.clone());
        let parked = state.background.is_some();
        state.asleep |= !over && !parked && !self.mutant.sleeps_unseen;
        drop(state);
        if spins && self.mutant.spins_too_long {
            self.spinners.fetch_sub(1, Ordering::Relaxed);
        }
        if !over && parked && !self.mutant.sleeps_disarmed {
            self.wire.arm();
        }
        over
    }

    /// One look at the wire, as a spinner takes many of.
    fn slice(&self) {
        let Some(mut rx) = self.rx.try_take() else { return };
        self.silence();
        let more = self.drain(&mut rx, None).0;
        let missed = self.rx.release(rx);
        if missed || more && !self.mutant.hides_the_rest {
            self.notify();
            self.lead_another();
        }
    }

    /// A thread that blocks until the result of a call is there.
    pub(crate) fn wait_reply(&self, call: usize) {
        let me = Sleeper::new();
        while !self.has_reply(call) {
            match self.lead(call) {
                Led::Done => return,
                Led::Over => {}
                Led::Taken => self.follow(call, &me),
            }
        }
        // A thread that was woken to lead, and need not, passes that on.
        if !self.rx.is_held() {
            self.lead_another();
        }
    }

    fn lead(&self, call: usize) -> Led {
        let Some(mut rx) = self.rx.try_take() else { return Led::Taken };
        self.silence();
        let mut look = true;
        let (more, own) = loop {
            let (more, own) = self.drain(&mut rx, Some(call));
            if own.is_some() || (look && self.has_reply(call)) {
                break (more, own);
            }
            look = false;
            if !more {
                self.wire.wait();
                look = true;
            }
        };
        let missed = self.rx.release(rx) && !self.mutant.leaves_blindly;
        let more = missed || more && !self.mutant.hides_the_rest;
        if more || !(own == Some(true) || self.mutant.leaves_others) {
            self.leave_lead(more);
        }
        own.map_or(Led::Over, |_| Led::Done)
    }

    fn leave_lead(&self, more: bool) {
        if more {
            self.notify();
        }
        let others = self.lock().waiters.iter().any(|waiter| waiter.sleeper.is_some());
        if others && !self.mutant.leaves_silence {
            self.wire.arm();
        }
        self.lead_another();
    }

    fn follow(&self, call: usize, me: &Sleeper) {
        {
            let mut state = self.lock();
            if state.waiters[call].reply {
                return;
            }
            state.waiters[call].sleeper = Some(me.clone());
            state.followers.push(me.clone());
        }
        match self.rx.try_take() {
            Some(rx) => {
                if self.rx.release(rx) {
                    self.notify();
                }
            }
            None => me.sleep(),
        }
        let mut state = self.lock();
        state.followers.retain(|follower| !follower.is(me));
        state.waiters[call].sleeper = None;
    }

    /// The background task, from its sleep on.
    pub(crate) fn run(&self) {
        let me = Sleeper::new();
        loop {
            if self.poll_parked(&me) {
                me.sleep();
            } else {
                thread::yield_now();
            }
            {
                let mut state = self.lock();
                state.background = None;
                state.timer = false;
            }
            while self.turn() {}
            if self.lock().over {
                return;
            }
        }
    }

    /// One round. True if there is more to do at once.
    fn turn(&self) -> bool {
        if !self.mutant.forgets {
            self.lock().notified = false;
        }
        let mut more = false;
        if let Some(mut rx) = self.rx.try_take() {
            more = self.drain(&mut rx, None).0;
            if self.rx.release(rx) {
                self.lead_another();
            }
        }
        while self.start_arrived() {}
        if self.mutant.forgets {
            self.lock().notified = false;
        }
        more
    }

    fn start_arrived(&self) -> bool {
        let mut state = self.lock();
        if state.arrived == 0 {
            return false;
        }
        state.arrived -= 1;
        drop(state);
        self.wire.arrive(self.answer.as_slice());
        self.started.wake();
        true
    }

    /// Goes to sleep. False if there is something to do.
    fn poll_parked(&self, me: &Sleeper) -> bool {
        let mut state = self.lock();
        if state.notified {
            return false;
        }
        state.background = Some(me.clone());
        let asleep = mem::take(&mut state.asleep);
        drop(state);
        let armed = self.look(asleep);
        if asleep && !armed {
            self.lock().asleep = true;
        }
        let timer = !armed && !self.mutant.no_timer;
        if self.wire.poll_readable(me) {
            return false;
        }
        let mut state = self.lock();
        state.timer = timer;
        !(timer && state.late)
    }

    /// A long time passes: from now on the background task's timer fires whenever it is set.
    pub(crate) fn pass_time(&self) {
        let mut state = self.lock();
        state.late = true;
        let background = if state.timer { state.background.take() } else { None };
        drop(state);
        if let Some(background) = background {
            background.wake();
        }
    }

    /// Arms the wire, unless somebody receives; then it must look again after a while.
    fn look(&self, asleep: bool) -> bool {
        let receives = self.spinners.load(Ordering::Relaxed) > 0 || self.rx.is_held();
        if (asleep && !receives) || !self.watched.load(Ordering::Relaxed) {
            self.watched.store(false, Ordering::Relaxed);
            self.wire.arm();
            return true;
        }
        false
    }

    /// Gives each frame to whom it concerns. Whether there are more than one go takes; and, if the receiver's `own` return was among
    /// them, whether nobody else waited then.
    fn drain(&self, buffer: &mut VecDeque<Frame>, own: Option<usize>) -> (bool, Option<bool>) {
        self.wire.read(buffer);
        let mut found = None;
        for _ in 0..self.batch {
            let Some(frame) = buffer.pop_front() else { return (false, found) };
            let (woken, last) = self.take_in(frame, own);
            found = found.or(last);
            if let Some(woken) = woken {
                woken.wake();
            }
        }
        (!buffer.is_empty(), found)
    }

    fn take_in(&self, frame: Frame, own: Option<usize>) -> (Option<Sleeper>, Option<bool>) {
        let mut state = self.lock();
        match frame {
            Frame::Return(call) => {
                state.waiters[call].reply = true;
                state.in_flight = state.in_flight.saturating_sub(1);
                let last = state.in_flight == 0 && state.followers.is_empty();
                match own {
                    Some(own) if own == call => (None, Some(last)),
                    _ => (state.waiters[call].sleeper.take(), None),
                }
            }
            Frame::Call => {
                state.arrived += 1;
                state.notified = true;
                (state.background.take(), None)
            }
        }
    }

    fn silence(&self) {
        self.wire.disarm();
        if !self.watched.swap(true, Ordering::Relaxed) {
            self.notify();
        }
    }

    fn lead_another(&self) {
        let follower = self.lock().followers.pop();
        if let Some(follower) = follower {
            follower.wake();
        }
    }

    pub(crate) fn close(&self) {
        self.lock().over = true;
        self.notify();
    }

    fn notify(&self) {
        let mut state = self.lock();
        state.notified = true;
        let background = state.background.take();
        drop(state);
        if let Some(background) = background {
            background.wake();
        }
    }

    fn has_reply(&self, call: usize) -> bool {
        self.lock().waiters[call].reply
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}
