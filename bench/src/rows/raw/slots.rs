//! Floor: a request and its answer, each in one cache line of shared memory and in postcard's encoding;
//! both ends spin.

use std::sync::atomic::Ordering::{Relaxed, Release};
use std::time::Duration;

use anyhow::{Result, bail, ensure};

use super::line::{BACK, LINES, THERE, wait};
use super::shared::{self, Line};
use crate::driver::Driver;
use crate::placement::Placement;
use crate::row::{Address, Row, Transport};
use crate::stopwatch::{Measured, Stopwatch};
use crate::work::Work;

/// This file's rows.
pub const ROWS: &[&dyn Row] = &[&Slots];

struct Slots;

impl Row for Slots {
    fn name(&self) -> &'static str {
        "raw-slots"
    }

    fn about(&self) -> &'static str {
        "one call at a time by hand: method and arguments with postcard in one cache line of shared \
         memory, the answer in another; both ends spin"
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
        let mut turn = 0;
        loop {
            turn += 1;
            let (method, a, b) =
                postcard::from_bytes::<(u32, u64, u64)>(&take(&lines[THERE], turn))?;
            ensure!(method == ADD, "no such method: {method}");
            let mut body = Body::default();
            postcard::to_slice(&a.wrapping_add(b), &mut body)?;
            put(&lines[BACK], turn, &body);
        }
    }

    fn connect(&self, address: &Address) -> Result<Box<dyn Driver>> {
        let Address::Shm(place) = address else { bail!("no shared memory at {address}") };
        Ok(Box::new(SlotsDriver { lines: shared::open(place, LINES)?, turn: 0 }))
    }
}

struct SlotsDriver {
    lines: &'static [Line],
    turn: u64,
}

impl SlotsDriver {
    fn add(&mut self, a: u64, b: u64) -> Result<u64> {
        self.turn += 1;
        let mut body = Body::default();
        postcard::to_slice(&(ADD, a, b), &mut body)?;
        put(&self.lines[THERE], self.turn, &body);
        Ok(postcard::from_bytes(&take(&self.lines[BACK], self.turn))?)
    }
}

impl Driver for SlotsDriver {
    fn run(&mut self, work: Work, time: Duration) -> Result<Measured> {
        let Work::Add = work else { bail!("only `add` here") };
        Stopwatch::run(time, || {
            ensure!(self.add(1, 2)? == 3, "a wrong sum");
            Ok(())
        })
    }
}

/// What fits into a line beside its turn; `add` and its answer take a part of it.
type Body = [u8; 32];

/// Writes `body`, then the turn that makes it valid.
fn put(line: &Line, turn: u64, body: &Body) {
    let [first, words @ ..] = &line.0;
    let (bytes, _) = body.as_chunks();
    for (word, bytes) in words.iter().zip(bytes) {
        word.store(u64::from_le_bytes(*bytes), Relaxed);
    }
    first.store(turn, Release);
}

/// Spins until it is `turn`, then reads the body.
fn take(line: &Line, turn: u64) -> Body {
    let [first, words @ ..] = &line.0;
    wait(first, turn);
    let mut body = Body::default();
    let (bytes, _) = body.as_chunks_mut();
    for (word, bytes) in words.iter().zip(bytes) {
        *bytes = word.load(Relaxed).to_le_bytes();
    }
    body
}

/// The number of a method, as large as a hash of its name.
const ADD: u32 = 0xadd0_adda;
