//! Streams and callbacks that go through the network: items come in order, none is lost or doubled unless the stream says that it broke,
//! and what is called back is called once.

use crate::programs::bench::{Bench, Token};
use anyhow::{Context, Result, ensure};
use farcall::{Error, Remote};
use fastrand::Rng;
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::time::timeout;

/// Items of a stream.
const ITEMS: u64 = 40;
/// How long a stream may take, whatever happens to the network.
const PATIENCE: Duration = Duration::from_secs(15);

/// What the clients of a process have seen of them.
pub(super) struct Flow {
    next: AtomicU64,
    streams: AtomicU64,
    passed: AtomicU64,
    broken: AtomicU64,
}

/// An object that is called back, and counts how often.
struct Called(u64, Arc<AtomicU64>);

impl Token for Called {
    async fn number(&self) -> farcall::Result<u64> {
        self.1.fetch_add(1, Ordering::Relaxed);
        Ok(self.0)
    }
}

impl Flow {
    pub(super) fn new(seed: u64) -> Self {
        let [streams, passed, broken] = Default::default();
        Self { next: AtomicU64::new(seed), streams, passed, broken }
    }

    /// Streams that came to their end, objects that were called back, and both that broke.
    pub(super) fn counts(&self) -> (u64, u64, u64) {
        let load = |count: &AtomicU64| count.load(Ordering::Relaxed);
        (load(&self.streams), load(&self.passed), load(&self.broken))
    }

    /// One broke, as it may.
    pub(super) fn note_broken(&self) {
        self.broken.fetch_add(1, Ordering::Relaxed);
    }

    /// Has one go one way or the other. Its error, if it broke.
    ///
    /// # Errors
    /// If it did what none may do.
    pub(super) async fn go(
        &self,
        bench: &Remote<dyn Bench>,
        random: &mut Rng,
    ) -> Result<Option<Error>> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let (way, went) = match random.u8(..3) {
            0 => ("a stream back", timeout(PATIENCE, back(bench, number)).await),
            1 => ("a stream there", timeout(PATIENCE, there(bench, number)).await),
            _ => ("a callback", timeout(PATIENCE, call_back(bench, number)).await),
        };
        let broken = went.with_context(|| format!("{way} hangs"))?.context(way)?;
        let count = if way == "a callback" { &self.passed } else { &self.streams };
        count.fetch_add(u64::from(broken.is_none()), Ordering::Relaxed);
        Ok(broken)
    }
}

async fn back(bench: &Remote<dyn Bench>, number: u64) -> Result<Option<Error>> {
    let mut items = match bench.flow(number, ITEMS).await {
        Ok(items) => items,
        Err(error) => return Ok(Some(error)),
    };
    for want in 0..ITEMS {
        match items.recv().await {
            Some(Ok(item)) => ensure!(item == want, "item {item} came instead of {want}"),
            Some(Err(error)) => return Ok(Some(error)),
            None => anyhow::bail!("it ended after {want} of {ITEMS} items as if that were all"),
        }
    }
    match items.recv().await {
        None => Ok(None),
        Some(Err(error)) => Ok(Some(error)),
        Some(Ok(item)) => anyhow::bail!("item {item} came after the last one"),
    }
}

async fn there(bench: &Remote<dyn Bench>, number: u64) -> Result<Option<Error>> {
    let (sender, receiver) = farcall::channel(4);
    let drained = bench.drain(number, receiver);
    for item in 0..ITEMS {
        if sender.send(item).await.is_err() {
            // The call says why.
            break;
        }
    }
    sender.finish();
    match drained.await {
        Ok(items) => {
            ensure!(items.iter().copied().eq(0..ITEMS), "these items came: {items:?}");
            Ok(None)
        }
        Err(error) => Ok(Some(error)),
    }
}

async fn call_back(bench: &Remote<dyn Bench>, number: u64) -> Result<Option<Error>> {
    let called = Arc::new(AtomicU64::new(0));
    let token = Remote::<dyn Token>::new(Called(number, Arc::clone(&called)));
    let passed = bench.pass(number, token.clone()).await;
    let called = called.load(Ordering::Relaxed);
    match passed {
        Ok(back) => {
            ensure!(called == 1, "the object was called {called} times");
            ensure!(back.same_object(&token), "another object came back");
            Ok(None)
        }
        Err(error) => {
            ensure!(called <= 1, "the object was called {called} times");
            Ok(Some(error))
        }
    }
}
