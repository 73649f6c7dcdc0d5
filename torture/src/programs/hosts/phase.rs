//! The phases of a run, in their order: how packets fare, what else happens, and whether a call may fail.

use super::{DEAD_AFTER, path::Path};
use std::time::Duration;

/// A partition that no keepalive notices, retransmissions after it included.
const SHORT: Duration = Duration::from_millis(400);

/// A part of a run.
#[derive(Debug)]
pub(super) struct Phase {
    pub(super) name: &'static str,
    pub(super) path: Path,
    pub(super) event: Event,
    /// Whether calls may fail. What they say of it must be true all the same.
    pub(super) harms: bool,
}

/// What happens besides.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Event {
    Nothing,
    /// Packets are stopped again and again, for a moment each time.
    Hiccups([bool; 2]),
    /// Packets are stopped until both ends must have noticed.
    Partition([bool; 2]),
    /// The clients' device is taken down.
    Down,
    /// The server is killed and started again.
    Restart,
}

const fn milliseconds(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// All of them. A ledger has numbers for 16.
pub(super) const PHASES: [Phase; 11] = {
    use Event::*;
    [
        Phase { name: "a clean path", path: Path::CLEAN, event: Nothing, harms: false },
        Phase {
            name: "20 ms of delay",
            path: Path { delay: milliseconds(20), ..Path::CLEAN },
            event: Nothing,
            harms: false,
        },
        Phase {
            name: "1 % lost",
            path: Path { delay: milliseconds(2), lost: 0.01, ..Path::CLEAN },
            event: Nothing,
            harms: false,
        },
        // So much may be lost of one connection that its peer seems dead.
        Phase {
            name: "5 % lost",
            path: Path { delay: milliseconds(2), lost: 0.05, ..Path::CLEAN },
            event: Nothing,
            harms: true,
        },
        Phase {
            name: "overtaken, and 5 % twice",
            path: Path { jitter: milliseconds(20), twice: 0.05, ..Path::CLEAN },
            event: Nothing,
            harms: false,
        },
        Phase {
            name: "cut for a moment",
            path: Path::CLEAN,
            event: Hiccups([true, true]),
            harms: false,
        },
        Phase {
            name: "cut on the way there",
            path: Path::CLEAN,
            event: Partition([true, false]),
            harms: true,
        },
        Phase {
            name: "cut on the way back",
            path: Path::CLEAN,
            event: Partition([false, true]),
            harms: true,
        },
        Phase {
            name: "cut both ways",
            path: Path::CLEAN,
            event: Partition([true, true]),
            harms: true,
        },
        Phase { name: "a link down", path: Path::CLEAN, event: Down, harms: true },
        Phase {
            name: "a server killed, 5 % lost",
            path: Path { delay: milliseconds(2), lost: 0.05, ..Path::CLEAN },
            event: Restart,
            harms: true,
        },
    ]
};

impl Event {
    /// How long it goes on in a phase of that length.
    pub(super) fn lasts(self, length: Duration) -> Duration {
        match self {
            Self::Nothing | Self::Restart => length,
            Self::Hiccups(_) => SHORT,
            Self::Partition(_) => DEAD_AFTER + length,
            Self::Down => length,
        }
    }
}

const _: () = assert!(PHASES.len() <= 16, "the ledger has numbers for 16 servers");
