//! The bars of letters: against POSIX message queues, and against a call.

use super::filter::{FARCALL, Filter};
use super::{Bar, Limit, latency};
use crate::placement::Placement;
use crate::report::{Cell, Report};
use crate::row::Transport;
use crate::units;
use crate::work::{LETTERS, SMALL, Work};

const LARGE: usize = LETTERS[1];
const OURS: &[&str] = &["farcall-letters"];
const MEETING: &[&str] = &["farcall-rendezvous"];
const POSIX: &[&str] = &["raw-posix-mq"];

/// Letters of a busy mailbox in shared memory, and a rendezvous over each transport.
pub fn all(report: &Report, bars: &mut Vec<Bar>) {
    for (placement, least) in [(Placement::TwoCores, 5.0), (Placement::OneCore, 0.7)] {
        let here = Filter::new(Work::Letters(SMALL)).at(placement);
        let ours = here.over(Transport::Shm).of(OURS);
        let [best, other] = [ours, here.of(POSIX)].map(|filter| filter.fastest(report));
        let side = |cell: &'_ Cell| cell.calls_per_second();
        bars.push(Bar::ratio(
            format!("{ours}, POSIX message queues"),
            Limit::RatioAtLeast(least),
            best.map(|cell| (cell, side(cell))),
            other.map(|cell| (cell, side(cell))),
            units::rate,
        ));
    }
    for transport in [Transport::Shm, Transport::Unix, Transport::Tcp] {
        let here = |work| Filter::new(work).over(transport).at(Placement::TwoCores);
        for (length, call) in [(SMALL, Work::Add), (LARGE, Work::LETTER_CALL)] {
            let meeting = here(Work::Rendezvous(length)).of(MEETING);
            bars.push(latency(report, meeting, here(call).of(FARCALL), 2.5));
        }
    }
}
