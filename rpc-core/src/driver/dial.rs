//! A client's way to its service: dialling, backing off, and looking the service up on each new wire.

use super::{
    Bound, Link,
    line::Line,
    order::{Deadline, Order, Target},
    waiter::{Reply, Wakes},
};
use crate::{
    buffer::Buffer,
    clock,
    error::{Error, ErrorKind, Executed},
    id::{CallId, ObjectId},
    registry::{self, Wanted},
    transport::{BoxFuture, Wire},
};
use std::{
    future::{Future, poll_fn},
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::{Duration, Instant},
};
use tokio::time::sleep_until;

/// How a client's connection finds its peer.
pub(crate) trait Dial: Send + Sync + 'static {
    /// Connects once.
    fn dial(&self) -> BoxFuture<'_, Result<Wire, Error>>;
    /// What to look up.
    fn wanted(&self) -> &Wanted;
    /// The peer is on this host: trying again soon costs little.
    fn is_local(&self) -> bool;
}

/// How long to wait before the next attempt. On one host 20 ms, doubling to 2 s; across a network 1 s, growing by 1.6 to
/// 120 s; each 20 % up or down, so that clients of a restarted server do not come all at once.
#[derive(Debug)]
pub(super) struct Backoff {
    local: bool,
    attempts: u32,
}

impl Backoff {
    pub(super) fn new(local: bool) -> Self {
        Self { local, attempts: 0 }
    }

    pub(super) fn reset(&mut self) {
        self.attempts = 0;
    }

    fn next(&mut self) -> Duration {
        let (first, factor, longest) =
            if self.local { (0.02, 2.0_f64, 2.0) } else { (1.0, 1.6, 120.0) };
        let exponent = i32::try_from(self.attempts.min(32)).unwrap_or(32);
        self.attempts = self.attempts.saturating_add(1);
        let seconds = (first * factor.powi(exponent)).min(longest);
        Duration::from_secs_f64(seconds * (0.8 + 0.4 * crate::host::random_fraction()))
    }
}

impl Link {
    /// Connects, trying until it succeeds. `None`: the connection is over.
    pub(super) async fn dial(&self, dial: &dyn Dial, backoff: &mut Backoff) -> Option<Arc<Line>> {
        loop {
            if self.lock().is_over() {
                return None;
            }
            let mut attempt = pin!(dial.dial());
            let attempt = self.unless_over(None, |cx| attempt.as_mut().poll(cx)).await?;
            match attempt {
                Ok(wire) => return Some(self.attach(wire)),
                Err(error) if error.kind() == ErrorKind::Unreachable => {
                    tracing::debug!(target: "farcall::connection", %error, "not connected");
                    self.lock().trouble = Some(error);
                }
                Err(error) => {
                    self.close(error);
                    return None;
                }
            }
            self.back_off(backoff).await;
        }
    }

    /// Waits before the next attempt.
    pub(super) async fn back_off(&self, backoff: &mut Backoff) {
        let again = clock::now() + backoff.next();
        self.unless_over(Some(again), |_| Poll::<()>::Pending).await;
    }

    /// Polls until the result is there, `until` has passed or the connection is over; meanwhile fails held calls whose
    /// deadline passes.
    async fn unless_over<T>(
        &self,
        until: Option<Instant>,
        mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>,
    ) -> Option<T> {
        let mut timer = pin!(sleep_until(tokio::time::Instant::now()));
        poll_fn(|cx| {
            loop {
                if let Poll::Ready(result) = poll(cx) {
                    return Poll::Ready(Some(result));
                }
                let now = clock::now();
                let mut wakes = Wakes::default();
                let next = {
                    let mut state = self.lock();
                    state.notice.take_back();
                    state.expire(now, &mut wakes);
                    if state.is_over() {
                        return Poll::Ready(None);
                    }
                    state.background = Some(cx.waker().clone());
                    state.clock = [state.conn.poll_expiry(), until].into_iter().flatten().min();
                    state.clock
                };
                wakes.wake();
                if until.is_some_and(|until| until <= now) {
                    return Poll::Ready(None);
                }
                let Some(next) = next else { return Poll::Pending };
                timer.as_mut().reset(next.into());
                if timer.as_mut().poll(cx).is_pending() {
                    return Poll::Pending;
                }
            }
        })
        .await
    }

    /// Runs a wire, and looks the service up as soon as the handshake is over. Why the wire ended, and whether the service had been found.
    pub(super) async fn run_bound(
        self: &Arc<Self>,
        line: &Arc<Line>,
        wanted: &Wanted,
    ) -> (Error, bool) {
        let connected = AtomicBool::new(false);
        let mut bound = false;
        let mut run = pin!(self.run(line, || {
            tracing::debug!(target: "farcall::connection", peer = %line.peer.address, "connected");
            connected.store(true, Ordering::Relaxed);
        }));
        let mut lookup = pin!(self.look_up(wanted));
        poll_fn(|cx| {
            if let Poll::Ready(why) = run.as_mut().poll(cx) {
                return Poll::Ready((why, bound));
            }
            if !bound && connected.load(Ordering::Relaxed) && lookup.as_mut().poll(cx).is_ready() {
                bound = true;
            }
            Poll::Pending
        })
        .await
    }

    /// Asks the peer for the service. What the peer refuses ends the connection.
    async fn look_up(self: &Arc<Self>, wanted: &Wanted) {
        let reply = match self.send_lookup(wanted) {
            Ok(call) => poll_fn(|cx| self.poll_reply(call, &mut None, cx)).await,
            Err(error) => Reply::Failed(error),
        };
        match registry::read_reply(reply, wanted) {
            Ok((root, differences)) => self.bind(root, differences),
            Err(error) if error.executed() == Executed::Maybe => {
                // Whether there is such a service is not known: ask again on another wire.
                let line = self.lock().line.clone();
                line.inspect(|line| line.end(error));
                self.notify();
            }
            Err(error) => self.close(error),
        }
    }

    fn send_lookup(&self, wanted: &Wanted) -> Result<CallId, Error> {
        let mut head = Buffer::with_capacity(256);
        wanted.encode(head.writer())?;
        let mut state = self.lock();
        let target = Target::Object(ObjectId::ROOT, state.epoch);
        let mut order = Order::new(target, &registry::LOOKUP, head);
        order.deadline = Deadline::After(state.limits.deadline);
        let call = state.reserve();
        state.transmit(Some(call), &mut order);
        state.begin(Some(call), order.deadline);
        let waker = state.notify();
        drop(state);
        super::wake(waker);
        Ok(call)
    }

    /// Waits until the service is found, or surely will not be.
    pub(crate) async fn bound(&self, within: Duration) -> Result<(), Error> {
        let mut bound = self.bound.subscribe();
        let waiting = async {
            let bound = bound.wait_for(|bound| *bound != Bound::Not).await;
            match bound.as_deref() {
                Ok(Bound::Failed(why)) => Err(why.clone()),
                _ => Ok(()),
            }
        };
        match tokio::time::timeout(within, waiting).await {
            Ok(bound) => bound,
            Err(_) => {
                let trouble = self.lock().trouble.clone();
                Err(trouble.unwrap_or_else(|| {
                    let text = format!("the service was not found within {within:?}");
                    Error::of(ErrorKind::Unreachable, text)
                }))
            }
        }
    }
}
