//! The background task of a connection: receives and flushes when nobody waits, starts what was called, watches the clock, and
//! dials again.

use super::{
    Link,
    dial::{Backoff, Dial},
    line::Line,
    linger::Linger,
    receive::Drained,
    rest::Rest,
    spinning::{Slice, Spinning},
    start::Starter,
    waiter::Wakes,
    watch::Watch,
};
use crate::{
    error::{Error, ErrorKind, Executed},
    host,
    transport::Wire,
};
use std::{
    future::poll_fn,
    mem,
    pin::{Pin, pin},
    sync::{Arc, atomic::Ordering},
    task::{Context, Poll},
    time::{Duration, Instant},
};
use tokio::time::{Sleep, sleep_until};

/// A connection that lasted longer is made again at once when it is lost.
const STEADY: Duration = Duration::from_secs(1);

/// How long a connection by which a call has come counts as one by which calls come: whoever waits for an answer of its own looks for them.
const LATELY: Duration = Duration::from_millis(100);

/// Rounds without a pause after which the clock is looked at all the same.
const TURNS: u32 = 16;

/// Serves one accepted wire until it ends. `connecting` is dropped after the handshake.
pub(crate) async fn serve_wire<T: Send>(link: Arc<Link>, wire: Wire, connecting: T) {
    let guard = CloseOnDrop(&link);
    let line = link.attach(wire);
    let why = link.run(&line, || drop(connecting)).await;
    tracing::debug!(target: "farcall::connection", peer = %line.peer.address, %why, "connection ended");
    link.detach_line(&line, &why);
    link.end_oneways().await;
    link.finish(&why);
    drop(guard);
}

/// Runs a client's connection until it is not used any more.
pub(crate) fn spawn_client(link: Arc<Link>, dial: Arc<dyn Dial>) {
    let runtime = link.runtime.clone();
    runtime.spawn(async move {
        let guard = CloseOnDrop(&link);
        let mut backoff = Backoff::new(dial.is_local());
        while let Some(line) = link.dial(dial.as_ref(), &mut backoff).await {
            let begun = Instant::now();
            let (why, bound) = link.run_bound(&line, dial.wanted()).await;
            tracing::debug!(target: "farcall::connection", peer = %line.peer.address, %why, bound, "connection lost");
            link.detach_line(&line, &why);
            if !bound && why.kind() == ErrorKind::Protocol {
                link.close(why);
            } else if bound && begun.elapsed() > STEADY {
                backoff.reset();
            } else {
                link.back_off(&mut backoff).await;
            }
        }
        drop(guard);
    });
}

/// A background task that is dropped, as when its runtime ends, leaves no waiter behind.
struct CloseOnDrop<'a>(&'a Arc<Link>);

impl Drop for CloseOnDrop<'_> {
    fn drop(&mut self) {
        let text = "the runtime that ran this connection was shut down";
        self.0.finish(&Error::of(ErrorKind::Disconnected, text).executed_as(Executed::Maybe));
    }
}

impl Link {
    /// Begins on a wire: the Hello goes out.
    pub(super) fn attach(&self, wire: Wire) -> Arc<Line> {
        let mut state = self.lock();
        let line = Arc::new(Line::new(wire, state.limits.handshake_frame));
        let hello = host::hello(&state.limits);
        let root = state.own_root.clone();
        state.conn.restart(Instant::now(), hello, root, line.peer.local);
        state.epoch += 1;
        state.line = Some(Arc::clone(&line));
        state.transmit_control();
        drop(state);
        line.flush();
        line
    }

    /// Runs the wire until it ends, and says why. `connected` is called after the handshake.
    pub(super) async fn run(self: &Arc<Self>, line: &Arc<Line>, connected: impl FnOnce()) -> Error {
        let mut connected = Some(connected);
        let mut starter = Starter::default();
        let mut timer = pin!(sleep_until(tokio::time::Instant::now()));
        let mut pauses = (Watch::default(), Rest::default());
        let mut linger = Linger::default();
        let mut spinning = None;
        let mut received = None;
        let mut turns = 0_u32;
        let mut waits = 0;
        loop {
            let turn = self.turn(line, &mut starter, received, &mut linger);
            turns = turns.wrapping_add(1);
            if turns.is_multiple_of(TURNS) {
                self.keep_time(line);
            }
            if turn.may_be_last
                && let Some(why) = self.why_ended(line)
            {
                self.start_accepted(line, &mut starter);
                return why;
            }
            if connected.is_some() && self.lock().conn.peer().is_some() {
                connected.take().into_iter().for_each(|connected| connected());
            }
            received = None;
            if turn.again {
                yield_once().await;
                continue;
            }
            let before = mem::replace(&mut waits, line.activity.load(Ordering::Relaxed));
            // Where waiters receive themselves, a second one who looks takes the lease from them.
            let looks = turn.serves || before == waits;
            let spun = match looks {
                true => self.spin(line, &mut spinning, turn.at).await,
                false => Spun::Not,
            };
            if spun != Spun::Not {
                pauses.0.silenced();
            }
            match spun {
                Spun::Received(at) => {
                    received = Some(at);
                    continue;
                }
                Spun::Called => continue,
                Spun::Nothing | Spun::Not => {}
            }
            drop(spinning.take());
            poll_fn(|cx| self.poll_parked(line, timer.as_mut(), &mut pauses, cx)).await;
            if line.tx.queued() > 0 {
                // Woken to write for all: others of this thread may want to append first.
                yield_once().await;
            }
        }
    }

    /// Does what is due, for a wire that gives no time to park.
    fn keep_time(&self, line: &Line) {
        let now = Instant::now();
        let mut wakes = Wakes::default();
        let mut state = self.lock();
        if state.poll_timeout(line, now).is_some_and(|at| at <= now) {
            state.handle_time(line, now, &mut wakes);
            state.transmit_control();
        }
        drop(state);
        wakes.wake();
    }

    /// One round: receive (unless that has just been done, then), start, flush.
    fn turn(
        self: &Arc<Self>,
        line: &Arc<Line>,
        starter: &mut Starter,
        received: Option<Instant>,
        linger: &mut Linger,
    ) -> Turn {
        let mut wakes = Wakes::default();
        let mut drained = Drained::Empty(usize::from(received.is_some()));
        let mut clock = received;
        let first = {
            let mut state = self.lock();
            state.notified = false;
            state.batch = true;
            received.and_then(|_| state.next_arrived(line))
        };
        if received.is_none()
            && let Some(mut rx) = line.rx.try_take()
        {
            drained = self.drain(line, rx.as_mut(), &mut clock, &mut wakes);
            if line.rx.release(rx) {
                let follower = self.lock().followers.pop();
                wakes.push_thread(follower);
            }
        }
        wakes.wake();
        let served = self.start_arrived(line, starter, first, &mut clock);
        let mut state = self.lock();
        state.batch = false;
        if served {
            state.served = clock;
        }
        let serves = state.served.is_some();
        state.transmit_control();
        let holds = state.holds();
        if holds {
            state.pump_outbox(&mut wakes);
        }
        let released = mem::take(&mut state.released);
        let startable = !state.arrived.is_empty() && !state.is_stalled(line);
        let again = drained == Drained::More || startable;
        let lingers = line.tx.queued() > 0 && linger.wants(&state, line, drained.any());
        if !lingers {
            state.unflushed = 0;
            state.urgent = false;
        }
        let may_be_last = state.may_end(line);
        let warns = state.handles.counters.is_due();
        drop(state);
        drop(released);
        if warns {
            self.warn();
        }
        let found_room = (holds || line.is_short.load(Ordering::Relaxed)) && self.make_room(line);
        // The outbox, or the end, has waited for just this. A blocked wire is waited for where the task parks.
        let awaited = !lingers
            && line.tx.queued() > 0
            && line.flush()
            && !line.blocked.load(Ordering::Relaxed);
        let may_be_last = may_be_last || line.ended().is_some();
        let woke = wakes.woke();
        Turn {
            again: again || lingers || awaited || found_room || woke,
            serves,
            may_be_last,
            at: clock,
        }
    }

    /// Looks for frames for a while before going to sleep, if that is likely to pay. `kept` is the last spin, which has found
    /// something that was then dealt with until `now`.
    async fn spin(
        self: &Arc<Self>,
        line: &Arc<Line>,
        kept: &mut Option<Spinning>,
        now: Option<Instant>,
    ) -> Spun {
        let again = kept.take().zip(now);
        let spinning = match again.map(|(spinning, now)| spinning.again(&self.serving, now)) {
            _ if line.paused.load(Ordering::Relaxed) => None,
            Some(again) => again,
            None => Spinning::begin(&self.serving, line, self.places),
        };
        let Some(mut spinning) = spinning else { return Spun::Not };
        loop {
            let mut wakes = Wakes::default();
            match self.slice(line, &mut spinning, None, &mut wakes) {
                Slice::Found => {
                    spinning.found(&self.serving);
                    let at = spinning.seen();
                    *kept = Some(spinning);
                    if wakes.woke() {
                        yield_once().await;
                    }
                    return Spun::Received(at);
                }
                Slice::More => {
                    spinning.end(&self.serving, true);
                    return Spun::Called;
                }
                Slice::Taken => return Spun::Not,
                Slice::Nothing if spinning.is_over() => {
                    spinning.end(&self.serving, false);
                    return Spun::Nothing;
                }
                Slice::Nothing => {}
            }
            yield_once().await;
            if self.lock().notified {
                return Spun::Called;
            }
        }
    }

    /// Sleeps until there is something to do.
    fn poll_parked(
        &self,
        line: &Line,
        mut timer: Pin<&mut Sleep>,
        (watch, rest): &mut (Watch, Rest),
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        let now = Instant::now();
        let (timeout, asleep) = {
            let mut state = self.lock();
            if state.notified || line.ended().is_some() {
                return Poll::Ready(());
            }
            if !state.background.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
                state.background = Some(cx.waker().clone());
            }
            let timeout = state.poll_timeout(line, now);
            state.clock = timeout;
            state.served.take_if(|at| now.saturating_duration_since(*at) > LATELY);
            (timeout, mem::take(&mut state.asleep) || state.served.is_some())
        };
        let watching = watch.look(line, now, asleep);
        if asleep && watching.is_some() {
            self.lock().asleep = true;
        }
        let resting = rest.look(line, now);
        let wake_at = [timeout, watching, resting].into_iter().flatten().min();
        if wake_at != timeout {
            self.lock().clock = wake_at;
        }
        let mut due = false;
        // What is not read now makes no noise either: whoever lets reading go on notifies.
        let reads = !line.paused.load(Ordering::Relaxed);
        let woken = (reads && line.ready.poll_readable(cx).is_ready())
            || (line.awaits_writable() && self.poll_unblocked(line, cx))
            || wake_at.is_some_and(|at| {
                let at = at.into();
                if timer.deadline() != at {
                    timer.as_mut().reset(at);
                }
                due = timer.as_mut().poll(cx).is_ready();
                due
            });
        if !woken {
            return Poll::Pending;
        }
        let mut wakes = Wakes::default();
        let mut state = self.lock();
        state.background = None;
        if due || timeout.is_some_and(|at| at <= now) {
            state.handle_time(line, Instant::now(), &mut wakes);
        }
        drop(state);
        wakes.wake();
        Poll::Ready(())
    }

    /// The transport takes more.
    fn poll_unblocked(&self, line: &Line, cx: &mut Context<'_>) -> bool {
        if line.ready.poll_writable(cx).is_pending() {
            return false;
        }
        line.blocked.store(false, Ordering::Relaxed);
        true
    }
}

/// What a round has found out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Turn {
    /// There is more to do at once.
    again: bool,
    /// Calls were started, now or lately.
    serves: bool,
    /// The wire's time may be over.
    may_be_last: bool,
    /// When the clock was last looked at.
    at: Option<Instant>,
}

/// How a spin of the background task ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Spun {
    /// Frames were received then, and there are no more for now.
    Received(Instant),
    /// There is something to do: look for everything.
    Called,
    /// Nothing came.
    Nothing,
    /// It is not likely to pay, or somebody else looks.
    Not,
}

/// Lets the other tasks of the thread run once.
async fn yield_once() {
    let mut yielded = false;
    poll_fn(|cx| {
        if yielded {
            return Poll::Ready(());
        }
        yielded = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
