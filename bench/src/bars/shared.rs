//! The bars of shared memory: against what the hardware gives, against iceoryx2, and against farcall's
//! own sockets. Two cores, unless a bar says otherwise; then both sides are measured on two cores.

use super::filter::{FARCALL, FARCALL_OFF, FARCALL_TASKS, Filter, ICEORYX2};
use super::{Bar, Limit, latency, named_latency, place};
use crate::placement::Placement;
use crate::report::{Cell, Report};
use crate::row::Transport;
use crate::units;
use crate::work::{ONEWAY, SUMS, Work};

/// One call after the other.
pub fn sequential(report: &Report, bars: &mut Vec<Bar>) {
    let here = at_two_cores(Work::Add);
    let styles: [(&str, &'static [&'static str], f64); 2] =
        [("wait", &["farcall-wait"], 1.5), ("await", FARCALL_TASKS, 1.8)];
    for (style, rows, most) in styles {
        let ours = here.of(rows);
        let name = |than: &str| format!("{here}, {style}, {than}");
        let floor = here.of(&["raw-slots"]);
        bars.push(named_latency(report, name("the bare call"), ours, floor, most));
        let peer = here.of(ICEORYX2);
        bars.push(named_latency(report, name("iceoryx2 spinning"), ours, peer, 0.35));
        bars.push(tail(report, name("p99 to p50"), ours));
    }
    // Where spinning is of no use, shared memory must not lose to a socket.
    let alone = Filter::new(Work::Add).at(Placement::OneCore).of(FARCALL);
    bars.push(latency(report, alone.over(Transport::Shm), alone.over(Transport::Unix), 1.0));
    for placement in [Placement::OneCore, Placement::TwoCores] {
        let off = Filter::new(Work::Add).at(placement).of(FARCALL_OFF);
        let [ours, other] = [off.over(Transport::Shm), off.over(Transport::Unix)];
        bars.push(named_latency(report, format!("{ours}, spin=off, unix"), ours, other, 1.0));
    }
}

/// Many calls under way, and calls without a reply.
pub fn pipelined(report: &Report, bars: &mut Vec<Bar>) {
    let peer = at_two_cores(Work::Held(64)).of(ICEORYX2).fastest(report);
    for (work, least) in [(Work::Held(64), 7.0), (Work::Tasks(64), 3.0)] {
        let here = at_two_cores(work);
        let ours = here.of(FARCALL).fastest(report);
        bars.push(Bar::ratio(
            format!("{here}, calls/s, iceoryx2 spinning"),
            Limit::RatioAtLeast(least),
            ours.map(|cell| (cell, cell.calls_per_second())),
            peer.map(|cell| (cell, cell.calls_per_second())),
            units::rate,
        ));
    }
    let here = at_two_cores(Work::Oneway(ONEWAY));
    let ours = here.of(FARCALL).fastest(report);
    bars.push(Bar {
        what: here.to_string(),
        limit: Limit::RateAtLeast(8e6),
        reached: ours.and_then(Cell::calls_per_second),
        detail: ours.map_or_else(String::new, place),
    });
}

/// Bytes: summed, against what that costs where they are at hand, and sent back, against iceoryx2.
pub fn payloads(report: &Report, bars: &mut Vec<Bar>) {
    for length in SUMS {
        sums(report, bars, length);
    }
    for length in [64 << 10, 1 << 20] {
        let here = at_two_cores(Work::Echo(length));
        let peer = here.of(ICEORYX2);
        // iceoryx2's client fills a sample for each call, and so does this one.
        let name = format!("{here}, loaned and filled, iceoryx2 with loans");
        bars.push(named_latency(report, name, here.of(&["farcall-loan-fill"]), peer, 0.3));
        let name = format!("{here}, iceoryx2 with loans");
        bars.push(named_latency(report, name, here.of(FARCALL), peer, 1.5));
    }
}

fn sums(report: &Report, bars: &mut Vec<Bar>, length: usize) {
    let work = Work::Sum(length);
    let (here, local) = (at_two_cores(work), Filter::new(work));
    let [touched, copied] = [&["raw-touch"], &["raw-copy"]].map(|rows| local.of(rows));
    let mut bar = |name, rows, floor, most| {
        bars.push(named_latency(report, format!("{here}, {name}"), here.of(rows), floor, most));
    };
    bar("loaned and trusted, touched", &["farcall-loan-trust"], touched, 1.3);
    bar("loaned, touched", &["farcall-loan"], touched, 1.8);
    bar("from the heap, copied and touched", &["farcall-heap"], copied, 1.6);
    if work.is_universal() {
        bar("copied and touched", FARCALL, copied, 2.5);
    }
}

fn at_two_cores(work: Work) -> Filter {
    Filter::new(work).over(Transport::Shm).at(Placement::TwoCores)
}

/// How far the slowest calls are from the others, where the median is best.
fn tail(report: &Report, what: String, ours: Filter) -> Bar {
    let cell = ours.quickest(report);
    let [slow, usual] = [Cell::p99, Cell::p50].map(|figure| cell.map(|cell| (cell, figure(cell))));
    Bar::ratio(what, Limit::RatioAtMost(3.0), slow, usual, units::duration)
}
