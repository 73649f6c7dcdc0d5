//! Floor: messages of 64 bytes, one way through a ring of shared memory that has one producer and
//! one consumer; both ends spin.

use std::hint::{black_box, spin_loop};
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};

use super::shared::{self, Line};
use crate::driver::Driver;
use crate::placement::Placement;
use crate::row::{Address, Row, Transport};
use crate::stopwatch::Measured;
use crate::work::{ONEWAY, Work};

/// This file's rows.
pub const ROWS: &[&dyn Row] = &[&Ring];

struct Ring;

impl Row for Ring {
    fn name(&self) -> &'static str {
        "raw-ring"
    }

    fn about(&self) -> &'static str {
        "a ring of shared memory by hand, one producer and one consumer: each message is published by \
         itself and read whole; both ends spin"
    }

    fn transports(&self) -> &'static [Transport] {
        &[Transport::Shm]
    }

    fn offers(&self, placement: Placement, work: Work) -> bool {
        placement == Placement::TwoCores && work == Work::Oneway(ONEWAY)
    }

    fn stands(&self) -> bool {
        false
    }

    fn serve(&self, _: &Address, ready: &dyn Fn(&Address)) -> Result<()> {
        let (lines, place) = shared::create(LINES)?;
        ready(&Address::Shm(place));
        let mut taken = 0;
        loop {
            let [begin, rest] = slot(lines, taken);
            while begin.0[0].load(Acquire) != taken + 1 {
                spin_loop();
            }
            let message = words(begin, rest).map(|word| word.load(Relaxed));
            ensure!(black_box(message)[7] == taken + 7, "another message at {taken}");
            taken += 1;
            lines[TAKEN].0[0].store(taken, Release);
        }
    }

    fn connect(&self, address: &Address) -> Result<Box<dyn Driver>> {
        let Address::Shm(place) = address else { bail!("no shared memory at {address}") };
        Ok(Box::new(Producer { lines: shared::open(place, LINES)?, put: 0, taken: 0 }))
    }
}

struct Producer {
    lines: &'static [Line],
    put: u64,
    /// How many are known to have been taken.
    taken: u64,
}

impl Producer {
    fn push(&mut self) {
        while self.put - self.taken == CAPACITY {
            self.look();
        }
        let [begin, rest] = slot(self.lines, self.put);
        for (word, value) in words(begin, rest).into_iter().zip(self.put..) {
            word.store(value, Relaxed);
        }
        self.put += 1;
        begin.0[0].store(self.put, Release);
    }

    fn look(&mut self) {
        self.taken = self.lines[TAKEN].0[0].load(Acquire);
        if self.taken < self.put {
            spin_loop();
        }
    }
}

impl Driver for Producer {
    fn run(&mut self, work: Work, time: Duration) -> Result<Measured> {
        let Work::Oneway(ONEWAY) = work else { bail!("only small messages here") };
        let (before, started) = (self.put, Instant::now());
        while started.elapsed() < time {
            for _ in 0..MESSAGES_PER_CLOCK_READ {
                self.push();
            }
        }
        while self.taken < self.put {
            self.look();
        }
        Ok(Measured::bulk(self.taken - before, started))
    }
}

/// The two lines of a message. The first word is its number, counted from 1, and makes it valid.
fn slot(lines: &[Line], number: u64) -> [&Line; 2] {
    let at = FIRST + (number % CAPACITY) as usize * 2;
    [&lines[at], &lines[at + 1]]
}

/// The words of a message, after the one that makes it valid.
fn words<'a>(begin: &'a Line, rest: &'a Line) -> [&'a AtomicU64; 8] {
    let [_, a, b, c, d, e, f, g] = &begin.0;
    [a, b, c, d, e, f, g, &rest.0[0]]
}

/// How many messages have been taken: the consumer's line.
const TAKEN: usize = 0;
/// Where the messages begin.
const FIRST: usize = 2;
/// How many messages fit.
const CAPACITY: u64 = 1024;
const LINES: usize = FIRST + CAPACITY as usize * 2;
/// A clock read costs as much as several messages.
const MESSAGES_PER_CLOCK_READ: u64 = 256;
