//! What is measured: the calls, and how many of them are under way at once.

use std::fmt;
use std::time::Duration;

use anyhow::{Result, ensure};
use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

use crate::row::Transport;
use crate::units;

/// One kind of work for a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Work {
    /// `add(u64, u64)`, one call after the other.
    Add,
    /// As many bytes there and back, one call after the other.
    Echo(usize),
    /// As many bytes there, read one by one, one call after the other.
    Sum(usize),
    /// `add` from that many tasks (or threads, where the client blocks), each waiting for its own.
    Tasks(usize),
    /// `add` from one task or thread that holds that many unfinished calls.
    Held(usize),
    /// As many bytes there, one way; the callee counts them.
    Oneway(usize),
    /// `add` of an object that a call has returned, one call after the other.
    Member,
    /// A call that calls back an object of the caller's before it returns, one after the other.
    Callback,
    /// A call that returns a new object, `add` of that, and the object dropped, one after the other.
    Life,
    /// A call on what a call returns on what a call returns, and so on: so many, in a round trip of 1 ms.
    Chain(usize),
    /// The same calls over the same way, each made when the one before has returned.
    Steps(usize),
    /// A stream of items of so many bytes to the client, which reads each; what counts are items.
    Stream(usize),
    /// A letter of so many bytes that is sent when its receiver has taken it, one after the other.
    Rendezvous(usize),
    /// Letters of so many bytes from a producer to a consumer through a bounded mailbox or queue; what counts is what was received.
    Letters(usize),
    /// The same from four producers to four consumers, each with an attachment of its own; all are tasks or threads of the two processes.
    Crossed(usize),
    /// As many bytes there and back, from four client processes at once, each with one call after the other: nine of ten of
    /// their calls are small and one is large, and those of this length count.
    Mixed(usize),
    /// `add` with a pause before each call.
    Light,
    /// The same, while the client always has a call under way for which the server computes for long.
    Beside,
}

impl Work {
    /// A call that takes as many bytes as a large letter has, which a rendezvous is held against.
    pub const LETTER_CALL: Self = Self::Sum(LETTERS[1]);

    /// Everything, in the order of the report.
    pub fn all() -> Vec<Self> {
        let mut all = vec![Self::Add];
        all.extend(ECHOES.map(Self::Echo));
        all.extend(SUMS.map(Self::Sum));
        all.push(Self::LETTER_CALL);
        all.extend(DEPTHS.map(Self::Tasks));
        all.extend(DEPTHS.map(Self::Held));
        all.push(Self::Oneway(ONEWAY));
        all.extend([Self::Member, Self::Callback, Self::Life]);
        all.extend([Self::Chain(CHAIN), Self::Steps(CHAIN)]);
        all.extend(STREAMS.map(Self::Stream));
        all.extend(LETTERS.map(Self::Rendezvous));
        all.extend(LETTERS.map(Self::Letters));
        all.extend(LETTERS.map(Self::Crossed));
        all.extend(MIXED.map(Self::Mixed));
        all.extend([Self::Light, Self::Beside]);
        all
    }

    /// Whether every framework is asked for it: a reply for each call, and what fits into a frame.
    pub fn is_universal(self) -> bool {
        match self {
            Self::Echo(length) => length < MAX_FRAME,
            Self::Sum(length) => self != Self::LETTER_CALL && length < MAX_FRAME,
            Self::Add | Self::Tasks(_) | Self::Held(_) => true,
            Self::Oneway(_) => false,
            Self::Member | Self::Callback | Self::Life => false,
            Self::Chain(_) | Self::Steps(_) | Self::Stream(_) => false,
            Self::Rendezvous(_) | Self::Letters(_) | Self::Crossed(_) => false,
            Self::Mixed(_) | Self::Light | Self::Beside => false,
        }
    }

    /// Whether it can be done over this transport: the way of a chain is made longer over TCP, and several clients
    /// are processes of their own.
    pub fn goes_over(self, transport: Transport) -> bool {
        match self {
            Self::Chain(_) | Self::Steps(_) => transport == Transport::Tcp,
            Self::Mixed(_) => transport != Transport::Inproc,
            _ => true,
        }
    }

    /// How many client processes do it at once.
    pub fn clients(self) -> usize {
        if matches!(self, Self::Mixed(_)) { CROWD } else { 1 }
    }

    /// Whether a bar holds it against plain calls of the same row.
    pub fn is_held_against_add(self) -> bool {
        matches!(self, Self::Member | Self::Callback)
    }

    /// Whether one call waits for the one before it.
    pub fn is_sequential(self) -> bool {
        match self {
            Self::Tasks(_) | Self::Held(_) | Self::Oneway(_) | Self::Stream(_) => false,
            Self::Letters(_) | Self::Crossed(_) => false,
            Self::Add | Self::Echo(_) | Self::Sum(_) | Self::Rendezvous(_) => true,
            Self::Member | Self::Callback | Self::Life => true,
            Self::Chain(_) | Self::Steps(_) => true,
            Self::Mixed(_) | Self::Light | Self::Beside => true,
        }
    }
}

impl fmt::Display for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Add => write!(f, "add"),
            Self::Echo(length) => write!(f, "echo {}", units::bytes(*length as f64)),
            Self::Sum(length) => write!(f, "sum {}", units::bytes(*length as f64)),
            Self::Tasks(1) => write!(f, "1 task"),
            Self::Tasks(depth) => write!(f, "{depth} tasks"),
            Self::Held(depth) => write!(f, "{depth} held"),
            Self::Oneway(length) => write!(f, "one way {}", units::bytes(*length as f64)),
            Self::Member => write!(f, "call on an object"),
            Self::Callback => write!(f, "callback"),
            Self::Life => write!(f, "make, call, drop"),
            Self::Stream(length) => {
                write!(f, "stream of {}", units::bytes(*length as f64))
            }
            Self::Rendezvous(length) => write!(f, "rendezvous {}", units::bytes(*length as f64)),
            Self::Letters(length) => write!(f, "letters of {}", units::bytes(*length as f64)),
            Self::Crossed(length) => {
                write!(f, "letters of {}, 4 to 4", units::bytes(*length as f64))
            }
            Self::Mixed(length) => write!(f, "mixed, echo {}", units::bytes(*length as f64)),
            Self::Light => write!(f, "light"),
            Self::Beside => write!(f, "light beside heavy"),
            Self::Chain(hops) => write!(f, "chain of {hops} at 1 ms"),
            Self::Steps(hops) => write!(f, "chain of {hops} at 1 ms, step by step"),
        }
    }
}

/// The lengths that are echoed.
pub const ECHOES: [usize; 4] = [64, 4 << 10, 64 << 10, 1 << 20];
/// The lengths that are summed.
pub const SUMS: [usize; 2] = [1 << 20, 16 << 20];
/// The lengths of items that are streamed.
pub const STREAMS: [usize; 2] = [SMALL, 64 << 10];
/// The length of a small item.
pub const SMALL: usize = 64;
/// How many calls a chain has.
pub const CHAIN: usize = 4;
/// The length that is sent one way.
pub const ONEWAY: usize = 64;
/// The lengths of letters.
pub const LETTERS: [usize; 2] = [SMALL, 4 << 10];
/// How many producers there are, and how many consumers, where there is not one of each.
pub const CROSSED: usize = 4;
/// The lengths of small and of large calls, where both are made.
pub const MIXED: [usize; 2] = [SMALL, 64 << 10];
/// How many client processes make them at once.
pub const CROWD: usize = 4;
/// How long the client pauses before a light call.
pub const PAUSE: Duration = Duration::from_micros(200);
/// How long the server computes for a heavy one.
pub const HEAVY: Duration = Duration::from_millis(5);
/// How many calls are in flight at once.
pub const DEPTHS: [usize; 4] = [1, 16, 64, 256];
/// No row is sent more than this in one frame.
pub const MAX_FRAME: usize = 16 << 20;

/// The bytes that a client sends.
pub fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|position| (position * 31 + 7) as u8).collect()
}

/// Whether the bytes that came back are those whose [`mark`] is wanted: each client reads all of them.
pub fn check_echo(echoed: &[u8], want: u64) -> Result<()> {
    ensure!(mark(echoed) == want, "another echo");
    Ok(())
}

/// The sum of the words: it reads all bytes, and as fast as that goes, for it is not what an echo measures. That of pieces is the sum of
/// theirs, if each but the last is a number of words.
pub fn mark(data: &[u8]) -> u64 {
    let (words, rest) = data.as_chunks();
    let add = |sum: u64, word: &[u8; 8]| sum.wrapping_add(u64::from_le_bytes(*word));
    words.iter().fold(sum(rest), add)
}

/// What a server answers to `sum`.
pub fn sum(data: &[u8]) -> u64 {
    data.iter().map(|byte| u64::from(*byte)).sum()
}

/// What a server does for a heavy call: it takes [`HEAVY`] of its processor's time, however often it loses it meanwhile.
pub fn toil() -> u64 {
    let spent = || Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap_or_default();
    let (data, started, mut total) = (pattern(SMALL), spent(), 0u64);
    while spent() - started < HEAVY {
        total = total.wrapping_add(sum(std::hint::black_box(&data)));
    }
    total
}

/// Which of [`MIXED`] the calls of a client have, one after the other: one of ten the large one.
pub fn mixed() -> impl Iterator<Item = usize> {
    (0..10).map(|number| usize::from(number == 9)).cycle()
}
