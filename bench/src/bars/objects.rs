//! The bars of objects: against plain calls of the same row, and against remoc.

use super::filter::Filter;
use super::{Bar, Limit, latency, named_latency, place};
use crate::placement::Placement;
use crate::report::{Cell, Report};
use crate::row::Transport;
use crate::units;
use crate::work::{CHAIN, SMALL, Work};

const OURS: &[&str] = &["farcall-objects"];
const REMOC: &[&str] = &["remoc"];

/// Calls on objects, callbacks, short lives, and chains.
pub fn all(report: &Report, bars: &mut Vec<Bar>) {
    for transport in [Transport::Shm, Transport::Unix, Transport::Tcp] {
        let here = |work| Filter::new(work).over(transport).at(Placement::TwoCores).of(OURS);
        bars.push(latency(report, here(Work::Member), here(Work::Add), 1.15));
        bars.push(callback(report, here(Work::Callback), here(Work::Add)));
    }
    let life = Filter::new(Work::Life);
    let [ours, theirs] = [OURS, REMOC].map(|rows| life.of(rows).fastest(report));
    bars.push(Bar::ratio(
        format!("{}, per second, remoc", Work::Life),
        Limit::RatioAtLeast(5.0),
        ours.map(|cell| (cell, cell.calls_per_second())),
        theirs.map(|cell| (cell, cell.calls_per_second())),
        units::rate,
    ));
    for (transport, least) in [(Transport::Tcp, 8e6), (Transport::Shm, 15e6)] {
        let here = Filter::new(Work::Stream(SMALL)).over(transport);
        let ours = here.of(OURS).fastest(report);
        bars.push(Bar {
            what: format!("{here}, items per second"),
            limit: Limit::RateAtLeast(least),
            reached: ours.and_then(Cell::calls_per_second),
            detail: ours.map_or_else(String::new, place),
        });
    }
    let [whole, steps] =
        [Work::Chain(CHAIN), Work::Steps(CHAIN)].map(|work| Filter::new(work).of(OURS));
    let chain = whole.quickest(report);
    bars.push(Bar {
        what: Work::Chain(CHAIN).to_string(),
        limit: Limit::TimeAtMost(1.3e6),
        reached: chain.and_then(Cell::p50),
        detail: chain.map_or_else(String::new, place),
    });
    bars.push(named_latency(report, format!("{whole}, step by step"), whole, steps, 0.33));
}

/// What a callback adds to the call that it is made in.
fn callback(report: &Report, with: Filter, without: Filter) -> Bar {
    let [with_one, plain] = [with, without].map(|filter| filter.quickest(report)?.p50());
    let both = with_one.zip(plain);
    Bar {
        what: format!("{with}, beyond the call that it is made in"),
        limit: Limit::RatioAtMost(1.15),
        reached: both.map(|(with_one, plain)| (with_one - plain) / plain),
        detail: both.map_or_else(String::new, |(with_one, plain)| {
            format!("{} with one, {} without", units::duration(with_one), units::duration(plain))
        }),
    }
}
