//! Floor: pipelined calls whose frames are gathered by hand, one write per batch.

use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};

use super::frame::{Inbox, add_frame, number};
use super::server;
use super::stream::{Stream, Waiting};
use crate::driver::Driver;
use crate::placement::Placement;
use crate::row::{Address, Row, Transport};
use crate::stopwatch::Measured;
use crate::work::Work;

/// This file's rows.
pub const ROWS: &[&dyn Row] = &[&Batched];

struct Batched;

impl Row for Batched {
    fn name(&self) -> &'static str {
        "raw-batched"
    }

    fn about(&self) -> &'static str {
        "blocking sockets by hand; as many calls as were answered leave in one write"
    }

    fn transports(&self) -> &'static [Transport] {
        Transport::SOCKETS
    }

    fn offers(&self, _: Placement, work: Work) -> bool {
        matches!(work, Work::Held(_))
    }

    fn stands(&self) -> bool {
        false
    }

    fn serve(&self, address: &Address, ready: &dyn Fn(&Address)) -> Result<()> {
        server::serve(address, ready, Waiting::Blocking)
    }

    fn connect(&self, address: &Address) -> Result<Box<dyn Driver>> {
        let mut stream = Stream::connect(address)?;
        stream.prepare(Waiting::Blocking)?;
        Ok(Box::new(BatchedDriver { stream, inbox: Inbox::new(), outbox: Vec::new() }))
    }
}

struct BatchedDriver {
    stream: Stream,
    inbox: Inbox,
    outbox: Vec<u8>,
}

impl BatchedDriver {
    /// Writes the calls that are numbered `numbers` at once.
    fn send(&mut self, numbers: std::ops::Range<u64>) -> Result<()> {
        self.outbox.clear();
        for number in numbers {
            self.outbox.extend_from_slice(&add_frame(number, 1));
        }
        Ok(self.stream.write_all(&self.outbox, &[])?)
    }

    /// Waits for answers, the first of them to call `first`; how many calls are answered then.
    fn receive(&mut self, first: u64) -> Result<u64> {
        let mut next = first;
        ensure!(self.inbox.fill(&mut self.stream)? > 0, "the server hung up");
        while let Some(frame) = self.inbox.frame() {
            ensure!(number(frame.body, 0)? == next + 1, "a wrong sum");
            next += 1;
        }
        Ok(next)
    }
}

impl Driver for BatchedDriver {
    fn run(&mut self, work: Work, time: Duration) -> Result<Measured> {
        let Work::Held(depth) = work else { bail!("only batches here") };
        let depth = depth as u64;
        let started = Instant::now();
        let mut answered = 0;
        self.send(0..depth)?;
        while started.elapsed() < time {
            let before = answered;
            answered = self.receive(before)?;
            self.send(before + depth..answered + depth)?;
        }
        let sent = answered + depth;
        while answered < sent {
            answered = self.receive(answered)?;
        }
        Ok(Measured::bulk(answered, started))
    }
}
