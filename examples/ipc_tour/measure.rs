//! The measurement over a means of the operating system, at both ends.

use super::{
    system::counted,
    traces,
    wires::{LENGTH, Message, Wire},
};
use std::{
    hint, io,
    time::{Duration, Instant},
};

/// Round trips, and those before that are not counted.
pub const ROUNDS: usize = 2000;
pub const WARM: usize = 200;
/// Messages one way, sent as fast as they go.
pub const FLOOD: u64 = 20_000;

/// What messages are filled with.
pub const FILL: u8 = 0xA7;

/// What was measured.
pub struct Measured {
    /// A round trip: half of them were faster.
    pub round_trip: Duration,
    /// Messages in a second, one way.
    pub rate: f64,
    /// None, if nobody could count it.
    pub cost: Option<Cost>,
    /// Places in the memory of both processes that a message has left its bytes in. None, if nobody may look there.
    pub places: Option<usize>,
}

/// What the operating system did for a message, at both ends: half of what a message there and one back took.
#[derive(Clone, Copy)]
pub struct Cost {
    /// Calls.
    pub calls: f64,
    /// How often each byte was given to one of them, which copies it into the kernel.
    pub given: f64,
}

impl Cost {
    /// Of so many round trips, with as many calls, and bytes that were given to them.
    pub fn of(rounds: usize, [calls, bytes]: [u64; 2]) -> Self {
        let messages = (2 * rounds) as f64;
        Self { calls: calls as f64 / messages, given: bytes as f64 / messages / LENGTH as f64 }
    }
}

/// Sends to another process, and measures.
pub fn near(wire: &mut dyn Wire, other: u32) -> io::Result<Measured> {
    let (mut message, mut back) = ([FILL; LENGTH], [0; LENGTH]);
    let mut times = Vec::with_capacity(ROUNDS);
    let mut before = [0; 2];
    for round in 0..WARM + ROUNDS {
        if round == WARM {
            before = counted();
        }
        message[0] = round as u8;
        let begun = Instant::now();
        wire.send(&message)?;
        wire.receive(&mut back)?;
        times.push(begun.elapsed());
        if back != message {
            return Err(io::Error::other("another message came back"));
        }
    }
    let own = difference(before, counted());
    let places = traces::left(other, |marked| {
        marked.first_chunk().map_or(Ok(()), |marked| wire.send(marked))?;
        wire.receive(&mut back)
    })?;
    let theirs = in_message(&back);
    let rate = flood(wire, &message)?;
    let cost = Cost::of(ROUNDS, [own[0] + theirs[0], own[1] + theirs[1]]);
    Ok(Measured { round_trip: median(&mut times[WARM..]), rate, cost: Some(cost), places })
}

fn flood(wire: &mut dyn Wire, message: &Message) -> io::Result<f64> {
    let begun = Instant::now();
    for number in 1..=FLOOD {
        wire.send(message)?;
        if is_answered(number, wire.window()) {
            wire.receive(&mut [0; LENGTH])?;
        }
    }
    Ok(FLOOD as f64 / begun.elapsed().as_secs_f64())
}

/// Answers, says what that took, and receives as fast as it can.
pub fn far(wire: &mut dyn Wire) -> io::Result<()> {
    let mut message = [0; LENGTH];
    let mut before = [0; 2];
    for round in 0..WARM + ROUNDS {
        if round == WARM {
            before = counted();
        }
        wire.receive(&mut message)?;
        wire.send(&message)?;
    }
    let took = difference(before, counted());
    let mut marked = [0; LENGTH];
    wire.receive(&mut marked)?;
    wire.send(&to_message(took))?;
    for number in 1..=FLOOD {
        wire.receive(&mut message)?;
        if is_answered(number, wire.window()) {
            wire.send(&message)?;
        }
    }
    hint::black_box(&marked);
    Ok(())
}

fn is_answered(number: u64, window: u64) -> bool {
    number.is_multiple_of(window) || number == FLOOD
}

fn difference(before: [u64; 2], after: [u64; 2]) -> [u64; 2] {
    [after[0] - before[0], after[1] - before[1]]
}

fn to_message(numbers: [u64; 2]) -> Message {
    let mut message = [0; LENGTH];
    let places = message.as_chunks_mut::<8>().0;
    places.iter_mut().zip(numbers).for_each(|(place, number)| *place = number.to_ne_bytes());
    message
}

fn in_message(message: &Message) -> [u64; 2] {
    let places = message.as_chunks::<8>().0;
    [0, 1].map(|at| u64::from_ne_bytes(places[at]))
}

/// Half are less.
pub fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}
