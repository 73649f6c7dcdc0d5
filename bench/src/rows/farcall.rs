//! farcall's own rows: a blocking client, and asynchronous ones on both kinds of runtime.

use std::collections::VecDeque;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use bytes::Bytes;
use farcall::Remote;

use crate::client::{AsyncDriver, CALLS_PER_CLOCK_READ, Client, Flavour};
use crate::driver::Driver;
use crate::placement::Placement;
use crate::row::{Address, Row, Transport};
use crate::stopwatch::{Measured, Stopwatch};
use crate::work::{self, Work};

/// This file's rows.
pub const ROWS: &[&dyn Row] = &[
    &Farcall(Style::Wait),
    &Farcall(Style::Await(Flavour::CurrentThread)),
    &Farcall(Style::Await(Flavour::MultiThread)),
];

struct Farcall(Style);

/// How the client waits for its calls.
#[derive(Clone, Copy)]
enum Style {
    /// `.wait()`, on threads without a runtime.
    Wait,
    /// `.await`
    Await(Flavour),
}

impl Row for Farcall {
    fn name(&self) -> &'static str {
        match self.0 {
            Style::Wait => "farcall-wait",
            Style::Await(Flavour::CurrentThread) => "farcall-ct",
            Style::Await(Flavour::MultiThread) => "farcall-mt",
        }
    }

    fn about(&self) -> &'static str {
        match self.0 {
            Style::Wait => {
                "farcall; the client calls `.wait()` outside any runtime, the server is tokio with \
                 one thread"
            }
            Style::Await(Flavour::CurrentThread) => "farcall; tokio with one thread at both ends",
            Style::Await(Flavour::MultiThread) => {
                "farcall; the client is tokio with two workers, the server with one thread"
            }
        }
    }

    fn transports(&self) -> &'static [Transport] {
        &[Transport::Inproc, Transport::Shm, Transport::Unix, Transport::Tcp]
    }

    fn offers(&self, _: Placement, _: Work) -> bool {
        true
    }

    fn serve(&self, address: &Address, ready: &dyn Fn(&Address)) -> Result<()> {
        Flavour::CurrentThread.build()?.block_on(serve(address, ready))
    }

    fn connect(&self, address: &Address) -> Result<Box<dyn Driver>> {
        let is_inproc = matches!(address, Address::Inproc(_));
        match self.0 {
            Style::Wait => {
                if is_inproc {
                    serve_on_a_thread(address)?;
                }
                Ok(Box::new(WaitDriver::connect(address)?))
            }
            Style::Await(flavour) => {
                let runtime = flavour.build()?;
                if is_inproc {
                    // It serves as long as the process lives.
                    std::mem::forget(runtime.block_on(start(address))?);
                }
                Ok(Box::new(AsyncDriver::<BenchClient>::connect(runtime, address)?))
            }
        }
    }
}

#[farcall::remote]
trait Bench {
    async fn add(&self, a: u64, b: u64) -> farcall::Result<u64>;
    async fn echo(&self, data: &[u8]) -> farcall::Result<Vec<u8>>;
    async fn sum(&self, data: &[u8]) -> farcall::Result<u64>;
}

struct Servant;

impl Bench for Servant {
    async fn add(&self, a: u64, b: u64) -> farcall::Result<u64> {
        Ok(a.wrapping_add(b))
    }

    async fn echo(&self, data: &[u8]) -> farcall::Result<Vec<u8>> {
        Ok(data.to_vec())
    }

    async fn sum(&self, data: &[u8]) -> farcall::Result<u64> {
        Ok(work::sum(data))
    }
}

async fn start(address: &Address) -> farcall::Result<farcall::Running> {
    farcall::Server::new()
        .export("bench", Remote::<dyn Bench>::new(Servant))
        .listen(&address.to_string())
        .start()
        .await
}

async fn serve(address: &Address, ready: &dyn Fn(&Address)) -> Result<()> {
    let server = start(address).await?;
    for address in server.addresses() {
        ready(&address.parse()?);
    }
    std::future::pending().await
}

/// Serves from a runtime of its own; returns once it listens.
fn serve_on_a_thread(address: &Address) -> Result<()> {
    let (tx, listening) = channel();
    let address = address.clone();
    std::thread::spawn(move || {
        let runtime = Flavour::CurrentThread.build()?;
        runtime.block_on(serve(&address, &|_| {
            // The other end waits for exactly one.
            let _ = tx.send(());
        }))
    });
    Ok(listening.recv()?)
}

fn service(address: &Address) -> String {
    format!("{address}#bench")
}

#[derive(Clone)]
struct BenchClient(Remote<dyn Bench>);

impl Client for BenchClient {
    const EAGER: bool = true;
    type Echoed = Vec<u8>;

    async fn connect(address: &Address) -> Result<Self> {
        Ok(Self(farcall::connect::<dyn Bench>(&service(address)).await?))
    }

    fn add(&self, a: u64, b: u64) -> impl Future<Output = Result<u64>> + Send {
        let call = self.0.add(a, b);
        async move { Ok(call.await?) }
    }

    fn echo(&self, data: &Bytes) -> impl Future<Output = Result<Vec<u8>>> + Send {
        let call = self.0.echo(data);
        async move { Ok(call.await?) }
    }

    fn sum(&self, data: &Bytes) -> impl Future<Output = Result<u64>> + Send {
        let call = self.0.sum(data);
        async move { Ok(call.await?) }
    }
}

/// Does all work with threads that wait.
struct WaitDriver {
    address: Address,
    bench: Remote<dyn Bench>,
    idle: Vec<Remote<dyn Bench>>,
}

impl WaitDriver {
    fn connect(address: &Address) -> Result<Self> {
        let bench = farcall::connect::<dyn Bench>(&service(address)).wait()?;
        Ok(Self { address: address.clone(), bench, idle: Vec::new() })
    }
}

impl Driver for WaitDriver {
    fn run(&mut self, work: Work, time: Duration) -> Result<Measured> {
        let bench = &self.bench;
        match work {
            Work::Add => Stopwatch::run(time, || {
                ensure!(bench.add(1, 2).wait()? == 3, "a wrong sum");
                Ok(())
            }),
            Work::Echo(length) => {
                let data = work::pattern(length);
                ensure!(bench.echo(&data).wait()? == data, "another echo");
                Stopwatch::run(time, || {
                    ensure!(bench.echo(&data).wait()?.len() == length, "a short echo");
                    Ok(())
                })
            }
            Work::Sum(length) => {
                let data = work::pattern(length);
                let sum = work::sum(&data);
                Stopwatch::run(time, || {
                    ensure!(bench.sum(&data).wait()? == sum, "a wrong sum");
                    Ok(())
                })
            }
            Work::Tasks(depth) => threads(bench, depth, time),
            Work::Held(depth) => held(bench, depth, time),
        }
    }

    fn widen(&mut self, count: usize) -> Result<()> {
        for _ in 0..count {
            let bench = farcall::connect::<dyn Bench>(&service(&self.address)).wait()?;
            ensure!(bench.add(1, 2).wait()? == 3, "a wrong sum");
            self.idle.push(bench);
        }
        Ok(())
    }
}

/// As many threads, each with one call at a time.
fn threads(bench: &Remote<dyn Bench>, depth: usize, time: Duration) -> Result<Measured> {
    let started = Instant::now();
    let one = || -> Result<u64> {
        let mut calls = 0;
        while started.elapsed() < time {
            for _ in 0..CALLS_PER_CLOCK_READ {
                calls += 1;
                ensure!(bench.add(calls, 1).wait()? == calls + 1, "a wrong sum");
            }
        }
        Ok(calls)
    };
    let calls: Result<u64> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..depth).map(|_| scope.spawn(one)).collect();
        threads.into_iter().try_fold(0, |calls, thread| match thread.join() {
            Ok(more) => Ok(calls + more?),
            Err(panic) => std::panic::resume_unwind(panic),
        })
    });
    Ok(Measured::bulk(calls?, started))
}

/// One thread that always has as many calls under way, and waits for them in order.
fn held(bench: &Remote<dyn Bench>, depth: usize, time: Duration) -> Result<Measured> {
    let started = Instant::now();
    let mut window: VecDeque<_> = (0..depth as u64).map(|number| bench.add(number, 1)).collect();
    let (mut calls, mut goes_on) = (0, true);
    while let Some(call) = window.pop_front() {
        calls += 1;
        ensure!(call.wait()? == calls, "a wrong sum");
        if calls.is_multiple_of(CALLS_PER_CLOCK_READ) {
            goes_on = started.elapsed() < time;
        }
        if goes_on {
            window.push_back(bench.add(calls + depth as u64 - 1, 1));
        }
    }
    Ok(Measured::bulk(calls, started))
}
