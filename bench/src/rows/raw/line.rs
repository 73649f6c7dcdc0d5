//! Floor: one word there and back, both ends spinning. No call can be faster.

use std::hint::spin_loop;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Acquire, Release};
use std::time::Duration;

use anyhow::{Result, bail};

use super::shared;
use crate::driver::Driver;
use crate::placement::Placement;
use crate::row::{Address, Row, Transport};
use crate::stopwatch::{Measured, Stopwatch};
use crate::work::Work;

/// This file's rows.
pub const ROWS: &[&dyn Row] = &[&Line];

struct Line;

impl Row for Line {
    fn name(&self) -> &'static str {
        "raw-line"
    }

    fn about(&self) -> &'static str {
        "no call at all: one word of shared memory there, another one back; both ends spin"
    }

    fn transports(&self) -> &'static [Transport] {
        &[Transport::Shm]
    }

    fn offers(&self, placement: Placement, work: Work) -> bool {
        placement == Placement::TwoCores && work == Work::Add
    }

    fn stands(&self) -> bool {
        false
    }

    fn serve(&self, _: &Address, ready: &dyn Fn(&Address)) -> Result<()> {
        let (lines, place) = shared::create(LINES)?;
        ready(&Address::Shm(place));
        let [there, back] = [&lines[THERE].0[0], &lines[BACK].0[0]];
        let mut turn = 0;
        loop {
            turn += 1;
            wait(there, turn);
            back.store(turn, Release);
        }
    }

    fn connect(&self, address: &Address) -> Result<Box<dyn Driver>> {
        let Address::Shm(place) = address else { bail!("no shared memory at {address}") };
        Ok(Box::new(LineDriver { lines: shared::open(place, LINES)?, turn: 0 }))
    }
}

struct LineDriver {
    lines: &'static [shared::Line],
    turn: u64,
}

impl Driver for LineDriver {
    fn run(&mut self, work: Work, time: Duration) -> Result<Measured> {
        let Work::Add = work else { bail!("only one word here") };
        let [there, back] = [&self.lines[THERE].0[0], &self.lines[BACK].0[0]];
        Stopwatch::run(time, || {
            self.turn += 1;
            there.store(self.turn, Release);
            wait(back, self.turn);
            Ok(())
        })
    }
}

/// Spins until `word` is `wanted`.
pub fn wait(word: &AtomicU64, wanted: u64) {
    while word.load(Acquire) != wanted {
        spin_loop();
    }
}

/// Two lines, and between them one that keeps a prefetcher from fetching both at once.
pub const LINES: usize = 3;
/// The client's line.
pub const THERE: usize = 0;
/// The server's line.
pub const BACK: usize = 2;
