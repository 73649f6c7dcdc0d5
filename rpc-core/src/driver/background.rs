//! The background task of a connection: receives and flushes when nobody waits, starts what was called, watches the clock, and
//! dials again.

use super::{
    Link,
    dial::{Backoff, Dial},
    line::Line,
    linger::Linger,
    rest::Rest,
    spinning::{Slice, Spinning},
    start::{Next, Starter},
    turn::Again,
    waiter::Wakes,
    watch::Watch,
};
use crate::{
    clock,
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
            let begun = clock::now();
            let (why, bound) = link.run_bound(&line, dial.wanted()).await;
            tracing::debug!(target: "farcall::connection", peer = %line.peer.address, %why, bound, "connection lost");
            link.detach_line(&line, &why);
            // The other end sees that it is gone now, and not after the pause.
            drop(line);
            if !bound && why.kind() == ErrorKind::Protocol {
                link.close(why);
            } else if bound && clock::now().saturating_duration_since(begun) > STEADY {
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
        let line = Line::new(wire, state.limits.handshake_frame);
        let hello = host::hello(&state.limits);
        let root = state.own_root.clone();
        state.conn.restart(clock::now(), hello, root, line.peer.local);
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
        let mut come = Spun::Not;
        let mut turns = 0_u32;
        let mut waits = 0;
        loop {
            turns = turns.wrapping_add(1);
            if turns.is_multiple_of(TURNS) {
                self.keep_time(line);
                yield_once().await;
            }
            let turn = match (come, starter.next.take()) {
                (Spun::Alone(at), Some(next)) => self.short_turn(line, &mut starter, next, at),
                (come, next) => self.turn(line, &mut starter, (come.at(), next), &mut linger),
            };
            if turn.may_be_last
                && let Some(why) = self.why_ended(line)
            {
                self.start_accepted(line, &mut starter);
                return why;
            }
            if connected.is_some() && self.lock().conn.peer().is_some() {
                connected.take().into_iter().for_each(|connected| connected());
                // At a caller's end threads may wait, which want silence: each arrival would wake two.
                if line.one_processor.load(Ordering::Relaxed) && !self.redials {
                    line.ready.keep_armed();
                }
            }
            come = Spun::Not;
            match turn.again {
                Again::Never => {}
                Again::Now => continue,
                Again::AfterOthers => {
                    yield_once().await;
                    continue;
                }
            }
            let before = mem::replace(&mut waits, line.activity.load(Ordering::Relaxed));
            // Where waiters receive themselves, a second one who looks takes the lease from them.
            if turn.serves || before == waits {
                come = self.spin(line, &mut spinning, turn.at, &mut starter.next).await;
            }
            if come != Spun::Not {
                pauses.0.silenced();
            }
            if !matches!(come, Spun::Nothing | Spun::Not) {
                continue;
            }
            drop(spinning.take());
            poll_fn(|cx| self.poll_parked(line, timer.as_mut(), &mut pauses, cx)).await;
            if line.tx.queued() > 0 {
                // Woken to write for all: others of this thread may want to append first.
                yield_once().await;
            }
        }
    }

    /// Looks for frames for a while before going to sleep, if that is likely to pay. `kept` is the last spin, which has found
    /// something that was then dealt with until `now`. A call that came is put into `next`.
    async fn spin(
        self: &Arc<Self>,
        line: &Arc<Line>,
        kept: &mut Option<Spinning>,
        now: Option<Instant>,
        next: &mut Option<Next>,
    ) -> Spun {
        let again = kept.take().zip(now);
        let spinning = match again.map(|(spinning, now)| spinning.again(&self.serving, now)) {
            _ if line.paused.load(Ordering::Relaxed) => None,
            Some(again) => again,
            None => Spinning::begin(&self.serving, line, self.places),
        };
        let Some(mut spinning) = spinning else { return Spun::Not };
        loop {
            let mut wakes = Wakes::of_background();
            let slice = self.slice(line, &mut spinning, &mut None, &mut wakes);
            *next = wakes.take_next();
            match slice {
                Slice::Call | Slice::Found => {
                    spinning.found(&self.serving);
                    let at = spinning.seen();
                    *kept = Some(spinning);
                    if wakes.woke() {
                        yield_once().await;
                    }
                    return match slice {
                        Slice::Call if !self.notice.is_given() => Spun::Alone(at),
                        _ => Spun::Received(at),
                    };
                }
                Slice::More => {
                    spinning.end(&self.serving, true);
                    return Spun::Called;
                }
                Slice::Taken => {
                    spinning.end(&self.serving, false);
                    return Spun::Not;
                }
                Slice::Nothing if spinning.is_over() => {
                    spinning.end(&self.serving, false);
                    return Spun::Nothing;
                }
                Slice::Nothing => {}
            }
            yield_once().await;
            if self.notice.is_given() {
                spinning.end(&self.serving, false);
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
        let now = clock::now();
        let (timeout, asleep) = {
            let mut state = self.lock();
            let looks = mem::take(&mut state.looks);
            if looks || state.notice.is_given() || line.ended().is_some() {
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
            state.handle_time(line, clock::now(), &mut wakes);
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

/// How a spin of the background task ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Spun {
    /// Frames were received then, and there are no more for now.
    Received(Instant),
    /// A call was received then, and nothing else.
    Alone(Instant),
    /// There is something to do: look for everything.
    Called,
    /// Nothing came.
    Nothing,
    /// It is not likely to pay, or somebody else looks.
    Not,
}

impl Spun {
    /// When frames were received.
    fn at(self) -> Option<Instant> {
        match self {
            Self::Received(at) | Self::Alone(at) => Some(at),
            Self::Called | Self::Nothing | Self::Not => None,
        }
    }
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
