//! The measurement over a means of the operating system, at both ends.

use super::{
    system::counted,
    wires::{LENGTH, Message, Wire},
};
use std::{
    io,
    time::{Duration, Instant},
};

/// Round trips, and those before that are not counted.
pub const ROUNDS: usize = 2000;
pub const WARM: usize = 200;
/// Messages one way, sent as fast as they go.
pub const FLOOD: u64 = 20_000;

/// What was measured.
pub struct Measured {
    /// A round trip: half of them were faster.
    pub round_trip: Duration,
    /// Messages in a second, one way.
    pub rate: f64,
    /// Calls of the operating system for a message that goes there and one that comes back, half of them each, at both ends.
    pub calls: Option<f64>,
}

/// Sends, and measures.
pub fn near(wire: &mut dyn Wire) -> io::Result<Measured> {
    let mut message = [7; LENGTH];
    let mut times = Vec::with_capacity(ROUNDS);
    let mut before = 0;
    for round in 0..WARM + ROUNDS {
        if round == WARM {
            before = counted();
        }
        message[0] = round as u8;
        let begun = Instant::now();
        wire.send(&message)?;
        let back = wire.receive()?;
        times.push(begun.elapsed());
        if back != message {
            return Err(io::Error::other("another message came back"));
        }
    }
    let calls = counted() - before;
    let begun = Instant::now();
    let mut last = message;
    for number in 1..=FLOOD {
        wire.send(&message)?;
        if is_answered(number, wire.window()) {
            last = wire.receive()?;
        }
    }
    let rate = FLOOD as f64 / begun.elapsed().as_secs_f64();
    let calls = calls + in_message(&last);
    let calls = Some(calls as f64 / (2 * ROUNDS) as f64);
    Ok(Measured { round_trip: median(&mut times[WARM..]), rate, calls })
}

/// Answers, and says with its last answer how many calls that took.
pub fn far(wire: &mut dyn Wire) -> io::Result<()> {
    let mut before = 0;
    for round in 0..WARM + ROUNDS {
        if round == WARM {
            before = counted();
        }
        let message = wire.receive()?;
        wire.send(&message)?;
    }
    let mut answer = [0; LENGTH];
    answer[..8].copy_from_slice(&(counted() - before).to_ne_bytes());
    for number in 1..=FLOOD {
        wire.receive()?;
        if is_answered(number, wire.window()) {
            wire.send(&answer)?;
        }
    }
    Ok(())
}

fn is_answered(number: u64, window: u64) -> bool {
    number.is_multiple_of(window) || number == FLOOD
}

fn in_message(message: &Message) -> u64 {
    message.first_chunk().map_or(0, |bytes| u64::from_ne_bytes(*bytes))
}

/// Half are less.
pub fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}
