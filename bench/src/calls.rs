//! What an asynchronous client does, whatever its futures are bound to: calls one after the other, many calls
//! under way, streams.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use bytes::Bytes;
use tokio::task::JoinHandle;

use crate::stopwatch::{Measured, Stopwatch};
use crate::work::{self, SMALL};

/// One call after the other, after one that does not count.
pub async fn one_by_one<F: Future<Output = Result<()>>>(
    time: Duration,
    mut call: impl FnMut() -> F,
) -> Result<Measured> {
    call().await?;
    let mut watch = Stopwatch::start(time);
    loop {
        call().await?;
        if !watch.lap() {
            return Ok(watch.finish());
        }
    }
}

/// The same with a pause before each call, which does not count.
pub async fn one_by_one_apart<F: Future<Output = Result<()>>>(
    time: Duration,
    mut call: impl FnMut() -> F,
) -> Result<Measured> {
    call().await?;
    let mut watch = Stopwatch::start(time);
    loop {
        // The runtime's own sleep takes a millisecond at least. Nobody needs this thread meanwhile.
        std::thread::sleep(work::PAUSE);
        tokio::task::yield_now().await;
        watch.lap_that_counts(false);
        call().await?;
        if !watch.lap() {
            return Ok(watch.finish());
        }
    }
}

/// Sends `data` there and back, one call after the other. Each answer is read.
pub async fn echoes<F, E>(
    time: Duration,
    data: &[u8],
    mut echo: impl FnMut() -> F,
) -> Result<Measured>
where
    F: Future<Output = Result<E>>,
    E: AsRef<[u8]>,
{
    ensure!(echo().await?.as_ref() == data, "another echo");
    let mark = work::mark(data);
    let mut watch = Stopwatch::start(time);
    loop {
        work::check_echo(echo().await?.as_ref(), mark)?;
        if !watch.lap() {
            return Ok(watch.finish());
        }
    }
}

/// Sends a small one of `data` nine times and the large one once, there and back, over and over. Those calls count
/// that have the length `counted`.
pub async fn mixed<F, E>(
    time: Duration,
    data: &[Bytes; 2],
    counted: usize,
    echo: impl Fn(usize) -> F,
) -> Result<Measured>
where
    F: Future<Output = Result<E>>,
    E: AsRef<[u8]>,
{
    let marks = data.each_ref().map(|data| work::mark(data));
    let mut watch = Stopwatch::start(time);
    for which in work::mixed() {
        work::check_echo(echo(which).await?.as_ref(), marks[which])?;
        if !watch.lap_that_counts(data[which].len() == counted) {
            break;
        }
    }
    Ok(watch.finish_among_others())
}

/// One of several tasks that began at `started`, each with one call at a time: how many it made.
pub async fn task<F: Future<Output = Result<u64>>>(
    started: Instant,
    time: Duration,
    add: impl Fn(u64, u64) -> F,
) -> Result<u64> {
    let mut calls = 0;
    while started.elapsed() < time {
        for _ in 0..CALLS_PER_CLOCK_READ {
            calls += 1;
            expect(add(calls, 1).await?, calls + 1)?;
        }
    }
    Ok(calls)
}

/// What all of these [`task`]s did.
pub async fn joined(started: Instant, tasks: Vec<JoinHandle<Result<u64>>>) -> Result<Measured> {
    let mut calls = 0;
    for task in tasks {
        calls += task.await??;
    }
    Ok(Measured::bulk(calls, started))
}

/// When a call is on its way.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// When it was made.
    WhenMade,
    /// When it is first polled.
    WhenPolled,
}

/// One task that always has as many calls under way, and awaits them in the order it made them.
pub async fn held<F: Future<Output = Result<u64>>>(
    depth: usize,
    time: Duration,
    sent: Sent,
    add: impl Fn(u64, u64) -> F,
) -> Result<Measured> {
    let started = Instant::now();
    let mut window: Vec<_> = Vec::with_capacity(depth);
    for number in 0..depth as u64 {
        window.push(Slot { future: Box::pin(add(number, 1)), early: None });
    }
    if sent == Sent::WhenPolled {
        for slot in &mut window {
            slot.prime().await;
        }
    }
    let mut calls = 0;
    loop {
        let goes_on = started.elapsed() < time;
        for _ in 0..CALLS_PER_CLOCK_READ {
            let slot = &mut window[calls as usize % depth];
            expect(slot.answer().await?, calls + 1)?;
            slot.future.set(add(calls + depth as u64, 1));
            if sent == Sent::WhenPolled {
                slot.prime().await;
            }
            calls += 1;
        }
        if !goes_on {
            break;
        }
    }
    for _ in 0..depth {
        let slot = &mut window[calls as usize % depth];
        expect(slot.answer().await?, calls + 1)?;
        calls += 1;
    }
    Ok(Measured::bulk(calls, started))
}

/// Room for one call of [`held`], used again and again.
struct Slot<F: Future> {
    future: Pin<Box<F>>,
    early: Option<F::Output>,
}

impl<F: Future> Slot<F> {
    /// Polls once, which is what sends a lazy call.
    async fn prime(&mut self) {
        self.early = poll_fn(|context| match self.future.as_mut().poll(context) {
            Poll::Ready(answer) => Poll::Ready(Some(answer)),
            Poll::Pending => Poll::Ready(None),
        })
        .await;
    }

    async fn answer(&mut self) -> F::Output {
        match self.early.take() {
            Some(answer) => answer,
            None => self.future.as_mut().await,
        }
    }
}

/// One stream of as many items of `length` bytes after the other: each is long enough that its beginning does
/// not matter. `small` gives the sum of the first words of the items, which are `0`, `1` and so on, and `large`
/// how many bytes they have.
pub async fn streams<S, L>(
    length: usize,
    time: Duration,
    small: impl Fn(u64) -> S,
    large: impl Fn(u64) -> L,
) -> Result<Measured>
where
    S: Future<Output = Result<u64>>,
    L: Future<Output = Result<u64>>,
{
    let (mut total, started) = (0, Instant::now());
    while started.elapsed() < time {
        if length == SMALL {
            let items = 200_000;
            expect(small(items).await?, (0..items).sum())?;
            total += items;
        } else {
            let items = 500;
            expect(large(items).await?, items * length as u64)?;
            total += items;
        }
    }
    Ok(Measured::bulk(total, started))
}

/// An answer must be the right one.
pub fn expect(found: u64, want: u64) -> Result<()> {
    ensure!(found == want, "{found} instead of {want}");
    Ok(())
}

/// A clock read costs as much as a fast call's share of a batch.
pub const CALLS_PER_CLOCK_READ: u64 = 16;
