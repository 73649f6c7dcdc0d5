//! farcall's blocking client: threads that wait.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use farcall::Remote;

use super::{Bench, service};
use crate::calls::CALLS_PER_CLOCK_READ;
use crate::client::PUSHES_PER_COUNT;
use crate::driver::Driver;
use crate::stopwatch::{Measured, Stopwatch};
use crate::work::{self, MIXED, Work};

/// Does all work with threads that wait.
pub struct WaitDriver {
    address: String,
    bench: Remote<dyn Bench>,
    idle: Vec<Remote<dyn Bench>>,
}

impl WaitDriver {
    /// Connects from a thread without a runtime.
    pub fn connect(address: &str) -> Result<Self> {
        let bench = farcall::connect::<dyn Bench>(&service(address)).wait()?;
        Ok(Self { address: address.to_owned(), bench, idle: Vec::new() })
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
                let mark = work::mark(&data);
                Stopwatch::run(time, || work::check_echo(&bench.echo(&data).wait()?, mark))
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
            Work::Oneway(length) => oneway(bench, length, time),
            Work::Mixed(length) => mixed(bench, length, time),
            other => bail!("no {other} here"),
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

/// Small calls and large ones, of which those of one length count.
fn mixed(bench: &Remote<dyn Bench>, counted: usize, time: Duration) -> Result<Measured> {
    let data = MIXED.map(work::pattern);
    let marks = data.each_ref().map(|data| work::mark(data));
    let mut watch = Stopwatch::start(time);
    for which in work::mixed() {
        work::check_echo(&bench.echo(&data[which]).wait()?, marks[which])?;
        if !watch.lap_that_counts(MIXED[which] == counted) {
            break;
        }
    }
    Ok(watch.finish_among_others())
}

/// One thread that sends one way. It is never more than two batches ahead: the count of the batch before
/// the last has come back. What counts is what arrived.
fn oneway(bench: &Remote<dyn Bench>, length: usize, time: Duration) -> Result<Measured> {
    let data = work::pattern(length);
    let before = bench.pushed().wait()?;
    let started = Instant::now();
    let (mut sent, mut counted) = (0, bench.pushed());
    while started.elapsed() < time {
        for _ in 0..PUSHES_PER_COUNT {
            bench.push(&data).wait()?;
        }
        sent += PUSHES_PER_COUNT;
        let count = std::mem::replace(&mut counted, bench.pushed());
        ensure!(count.wait()? + PUSHES_PER_COUNT == before + sent, "pushes were lost");
    }
    ensure!(counted.wait()? == before + sent, "pushes were lost");
    Ok(Measured::bulk(sent, started))
}
