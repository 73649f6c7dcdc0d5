//! Asynchronous rows: what a peer's client must offer, and the driver that does all work with it.

use std::future::Future;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use bytes::Bytes;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;

use crate::calls::{self, Sent, expect};
use crate::driver::Driver;
use crate::stopwatch::Measured;
use crate::work::{self, MIXED, Work};

/// A peer's client: the three calls over one connection.
pub trait Client: Clone + Send + Sync + 'static {
    /// When a call is on its way.
    const SENT: Sent;
    /// What `echo` gives back.
    type Echoed: AsRef<[u8]> + Send;

    /// Opens a connection of its own, to a URL.
    fn connect(address: &str) -> impl Future<Output = Result<Self>> + Send;
    /// `a + b`
    fn add(&self, a: u64, b: u64) -> impl Future<Output = Result<u64>> + Send;
    /// The same bytes again.
    fn echo(&self, data: &Bytes) -> impl Future<Output = Result<Self::Echoed>> + Send;
    /// The sum of the bytes.
    fn sum(&self, data: &Bytes) -> impl Future<Output = Result<u64>> + Send;
    /// What [`work::toil`] gives, which takes the service long.
    fn toil(&self) -> impl Future<Output = Result<u64>> + Send {
        async { bail!("no heavy calls here") }
    }
    /// Sends the bytes and wants no reply.
    fn push(&self, _data: &Bytes) -> impl Future<Output = Result<()>> + Send {
        async { bail!("no one-way calls here") }
    }
    /// How many pushes have arrived, ever.
    fn pushed(&self) -> impl Future<Output = Result<u64>> + Send {
        async { bail!("no one-way calls here") }
    }
    /// The sum of the first words of as many small items, `0`, `1` and so on, of a stream.
    fn small(&self, _items: u64) -> impl Future<Output = Result<u64>> + Send {
        async { bail!("no streams here") }
    }
    /// How many bytes as many large items of a stream have.
    fn large(&self, _items: u64, _length: usize) -> impl Future<Output = Result<u64>> + Send {
        async { bail!("no streams here") }
    }
}

/// Which tokio runtime a process has.
#[derive(Clone, Copy)]
pub enum Flavour {
    /// Everything on one thread.
    CurrentThread,
    /// Two workers.
    MultiThread,
}

impl Flavour {
    /// A runtime of this flavour.
    pub fn build(self) -> Result<Runtime> {
        let mut builder = match self {
            Self::CurrentThread => Builder::new_current_thread(),
            Self::MultiThread => Builder::new_multi_thread(),
        };
        Ok(builder.worker_threads(2).enable_all().build()?)
    }
}

/// Does all work with a [`Client`].
pub struct AsyncDriver<C> {
    runtime: Runtime,
    address: String,
    client: C,
    idle: Vec<C>,
}

impl<C: Client> AsyncDriver<C> {
    /// Connects from inside `runtime`.
    pub fn connect(runtime: Runtime, address: &str) -> Result<Self> {
        let client = runtime.block_on(C::connect(address))?;
        Ok(Self { runtime, address: address.to_owned(), client, idle: Vec::new() })
    }
}

impl<C: Client> Driver for AsyncDriver<C> {
    fn run(&mut self, work: Work, time: Duration) -> Result<Measured> {
        let client = self.client.clone();
        // Spawned, so that a runtime with workers does the work on a worker.
        let run = match work {
            Work::Add | Work::Echo(_) | Work::Sum(_) => {
                self.runtime.spawn(sequence(client, work, time))
            }
            Work::Tasks(depth) => self.runtime.spawn(tasks(client, depth, time)),
            Work::Held(depth) => self.runtime.spawn(held(client, depth, time)),
            Work::Oneway(length) => self.runtime.spawn(oneway(client, length, time)),
            Work::Stream(length) => self.runtime.spawn(streams(client, length, time)),
            Work::Mixed(length) => self.runtime.spawn(mixed(client, length, time)),
            Work::Light => self.runtime.spawn(light(client, time)),
            Work::Beside => self.runtime.spawn(beside(client, time)),
            other => bail!("no {other} here"),
        };
        self.runtime.block_on(run)?
    }

    fn widen(&mut self, count: usize) -> Result<()> {
        for _ in 0..count {
            let address = self.address.clone();
            let one = self.runtime.spawn(async move {
                let client = C::connect(&address).await?;
                ensure!(client.add(1, 2).await? == 3);
                Ok(client)
            });
            self.idle.push(self.runtime.block_on(one)??);
        }
        Ok(())
    }

    fn rest(&mut self, time: Duration) -> Result<()> {
        self.runtime.block_on(async { tokio::time::sleep(time).await });
        Ok(())
    }
}

/// One call after the other. Each answer is read.
async fn sequence<C: Client>(client: C, work: Work, time: Duration) -> Result<Measured> {
    let data = match work {
        Work::Echo(length) | Work::Sum(length) => Bytes::from(work::pattern(length)),
        _ => Bytes::new(),
    };
    match work {
        Work::Echo(_) => calls::echoes(time, &data, || client.echo(&data)).await,
        Work::Sum(_) => {
            let sum = work::sum(&data);
            calls::one_by_one(time, || async { expect(client.sum(&data).await?, sum) }).await
        }
        _ => calls::one_by_one(time, || async { expect(client.add(1, 2).await?, 3) }).await,
    }
}

/// As many tasks, each with one call at a time.
async fn tasks<C: Client>(client: C, depth: usize, time: Duration) -> Result<Measured> {
    let started = Instant::now();
    let tasks = (0..depth).map(|_| {
        let client = client.clone();
        tokio::spawn(async move { calls::task(started, time, |a, b| client.add(a, b)).await })
    });
    calls::joined(started, tasks.collect()).await
}

/// One task that always has as many calls under way.
async fn held<C: Client>(client: C, depth: usize, time: Duration) -> Result<Measured> {
    calls::held(depth, time, C::SENT, |a, b| client.add(a, b)).await
}

/// One stream after the other.
async fn streams<C: Client>(client: C, length: usize, time: Duration) -> Result<Measured> {
    let (small, large) = (|items| client.small(items), |items| client.large(items, length));
    calls::streams(length, time, small, large).await
}

/// Small calls and large ones, of which those of one length count.
async fn mixed<C: Client>(client: C, counted: usize, time: Duration) -> Result<Measured> {
    let data = MIXED.map(|length| Bytes::from(work::pattern(length)));
    calls::mixed(time, &data, counted, |which| client.echo(&data[which])).await
}

/// One call after each pause.
async fn light<C: Client>(client: C, time: Duration) -> Result<Measured> {
    calls::one_by_one_apart(time, || async { expect(client.add(1, 2).await?, 3) }).await
}

/// The same beside a task that makes heavy calls.
async fn beside<C: Client>(client: C, time: Duration) -> Result<Measured> {
    let (mut heavy, busy) = (JoinSet::new(), client.clone());
    heavy.spawn(async move {
        loop {
            busy.toil().await?;
        }
    });
    let measured = light(client, time).await?;
    match heavy.try_join_next() {
        Some(failed) => failed?,
        None => Ok(measured),
    }
}

/// One task that sends one way. It is never more than two batches ahead: the count of the batch before
/// the last has come back. What counts is what arrived.
async fn oneway<C: Client>(client: C, length: usize, time: Duration) -> Result<Measured> {
    let data = Bytes::from(work::pattern(length));
    let before = client.pushed().await?;
    let started = Instant::now();
    let (mut sent, mut counted) = (0, client.pushed());
    while started.elapsed() < time {
        for _ in 0..PUSHES_PER_COUNT {
            client.push(&data).await?;
        }
        sent += PUSHES_PER_COUNT;
        let count = std::mem::replace(&mut counted, client.pushed());
        ensure!(count.await? + PUSHES_PER_COUNT == before + sent, "pushes were lost");
    }
    ensure!(counted.await? == before + sent, "pushes were lost");
    Ok(Measured::bulk(sent, started))
}

/// Twice as many one-way calls may be under way.
pub const PUSHES_PER_COUNT: u64 = 256;
