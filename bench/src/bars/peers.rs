//! The bars against whichever peer of the run is the fastest.

use super::filter::Filter;
use super::{Bar, Limit};
use crate::placement::Placement;
use crate::report::{Cell, Memory, Report};
use crate::row::Transport;
use crate::rows;
use crate::units;
use crate::work::{DEPTHS, SMALL, Work};

const STREAMS: &[&str] = &["farcall-objects"];
const TONIC: &[&str] = &["tonic-ct", "tonic-mt"];

/// No work is lost to a peer, and by how far calls and streams are to win.
pub fn all(report: &Report, bars: &mut Vec<Bar>) {
    losses(report, bars);
    sequential(report, bars);
    pipelined(report, bars);
    streams(report, bars);
    bars.push(thrift(report, "over shared memory", |here| (here.over(Transport::Shm), here)));
    let sockets = |here: Filter| (here.over_sockets(), here.over_sockets());
    bars.push(thrift(report, "over sockets, to peers over sockets", sockets));
    bars.push(memory(report));
}

/// Each work in each placement where a peer is faster is a bar that is missed. Where there is none, the closest
/// one is shown.
fn losses(report: &Report, bars: &mut Vec<Bar>) {
    let places = Work::all().into_iter().flat_map(|work| Placement::ALL.map(|at| (work, at)));
    let mut all: Vec<(f64, Bar)> = places
        .filter_map(|(work, at)| {
            let bar = won(report, work, at);
            Some((bar.reached?, bar))
        })
        .collect();
    all.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    let lost = all.iter().filter(|(_, bar)| !bar.is_met()).count();
    if all.is_empty() {
        bars.push(won(report, Work::Add, Placement::TwoCores));
    }
    bars.extend(all.into_iter().take(lost.max(1)).map(|(_, bar)| bar));
}

/// farcall's best against the best peer: time for what is sequential, else time per call, item or letter.
fn won(report: &Report, work: Work, at: Placement) -> Bar {
    let here = Filter::new(work).at(at);
    let [ours, other] = [here.ours(), here.peers()].map(|filter| match work.is_sequential() {
        true => filter.quickest(report).map(|cell| (cell, cell.p50())),
        false => filter
            .fastest(report)
            .map(|cell| (cell, cell.calls_per_second().map(|rate| 1e9 / rate))),
    });
    let what = format!("{here}, no peer is faster");
    Bar::ratio(what, Limit::RatioAtMost(1.0), ours, other, units::duration)
}

fn sequential(report: &Report, bars: &mut Vec<Bar>) {
    let here = Filter::new(Work::Add);
    let [ours, other] = [here.ours(), here.peers()].map(|filter| {
        let cell = filter.quickest(report)?;
        Some((cell, cell.p50().map(|time| 1e9 / time)))
    });
    let what = format!("{here}, times as fast as the fastest peer");
    let unit = |rate| units::duration(1e9 / rate);
    bars.push(Bar::ratio(what, Limit::RatioAtLeast(2.8), ours, other, unit));
}

fn pipelined(report: &Report, bars: &mut Vec<Bar>) {
    for depth in [64, 256] {
        let here = Filter::deep(depth);
        let mut bar = |how: &str, ours: Filter, other: Filter, least| {
            let what = format!("{depth} in flight, {how}");
            bars.push(rates(report, what, [ours.ours(), other.peers()], least));
        };
        bar("shm, the fastest peer", here.over(Transport::Shm), here, 7.0);
        bar("sockets, the fastest peer there", here.over_sockets(), here.over_sockets(), 2.0);
    }
}

fn streams(report: &Report, bars: &mut Vec<Bar>) {
    let here = Filter::new(Work::Stream(SMALL));
    let tcp = here.over(Transport::Tcp);
    let shm = here.over(Transport::Shm);
    for (ours, other, least) in [(tcp, tcp, 1.6), (shm, here, 3.0)] {
        let what = format!("{ours}, items per second, tonic");
        bars.push(rates(report, what, [ours.of(STREAMS), other.of(TONIC)], least));
    }
}

/// Calls or items per second, farcall's against the other's.
fn rates(report: &Report, what: String, sides: [Filter; 2], least: f64) -> Bar {
    let side = |cell: &'_ Cell| cell.calls_per_second();
    let [ours, other] = sides.map(|filter| filter.fastest(report).map(|cell| (cell, side(cell))));
    Bar::ratio(what, Limit::RatioAtLeast(least), ours, other, units::rate)
}

/// CPU per call against that of the fastest peer, where it is worst of all placements and numbers of calls under
/// way. farcall's side is at least as fast as that peer.
fn thrift(report: &Report, how: &str, split: impl Fn(Filter) -> (Filter, Filter)) -> Bar {
    let deep = DEPTHS.into_iter().filter(|depth| *depth > 1);
    let works = deep.flat_map(|depth| [Work::Tasks(depth), Work::Held(depth)]);
    let places = works.flat_map(|work| Placement::ALL.map(|at| Filter::new(work).at(at)));
    let bars = places.map(|here| {
        let (ours, other) = split(here);
        let other = other.peers().fastest(report);
        let wanted = other.and_then(Cell::calls_per_second).unwrap_or(0.0);
        let fast_enough = ours.ours().thriftiest(report, wanted);
        let ours = fast_enough.or_else(|| ours.ours().fastest(report));
        let [ours, other] =
            [ours, other].map(|cell| cell.map(|cell| (cell, cell.cpu_per_million())));
        let what = format!("calls under way {how}, CPU s per million calls, worst");
        Bar::ratio(what, Limit::RatioAtMost(0.5), ours, other, units::cpu)
    });
    let worst = |bar: &Bar| bar.reached.unwrap_or(0.0);
    let worst = bars.max_by(|one, other| worst(one).total_cmp(&worst(other)));
    worst.expect("calls are under way at some depth")
}

/// The busier side of the best row.
fn memory(report: &Report) -> Bar {
    let most = |memory: &Memory| memory.each()[0].max(memory.each()[1]);
    let best = |is_wanted: fn(&str) -> bool| {
        let all = report.memory.iter().filter(|memory| {
            is_wanted(&memory.row) && Transport::SOCKETS.contains(&memory.transport)
        });
        all.min_by(|one, other| most(one).total_cmp(&most(other)))
    };
    let words = |memory: &Memory| {
        format!("{} {}: {}", memory.row, memory.transport, units::bytes(most(memory)))
    };
    let both = best(rows::is_ours).zip(best(rows::is_peer));
    Bar {
        what: "resident per idle connection and side, over a socket, the best peer".to_owned(),
        limit: Limit::RatioAtMost(1.0),
        reached: both.map(|(ours, other)| most(ours) / most(other)),
        detail: both.map_or_else(String::new, |(ours, other)| {
            format!("{} to {}", words(ours), words(other))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{cell, report};
    use super::*;

    const ADD: Work = Work::Add;
    const HELD: Work = Work::Held(64);

    #[test]
    fn the_fastest_peer_is_the_one_that_counts() {
        let mut bars = Vec::new();
        all(
            &report(vec![
                cell("raw-slots", Transport::Shm, ADD, 1, 1),
                cell("farcall-ct", Transport::Inproc, ADD, 1, 1),
                cell("farcall-ct", Transport::Shm, ADD, 1, 500),
                cell("tarpc-ct", Transport::Unix, ADD, 1, 9000),
                cell("capnp", Transport::Unix, ADD, 1, 1500),
                cell("farcall-ct", Transport::Shm, HELD, 8_000_000, 1),
                cell("farcall-ct", Transport::Tcp, HELD, 900_000, 1),
                cell("shmipc-ct", Transport::Shm, HELD, 2_000_000, 1),
                cell("tarpc-ct", Transport::Tcp, HELD, 600_000, 1),
            ]),
            &mut bars,
        );
        let check = |what: &str, want: &str, is_met| {
            let bar = bars.iter().find(|bar| bar.what == what);
            let bar = bar.unwrap_or_else(|| panic!("no bar is called {what}"));
            assert!(bar.reached().starts_with(want), "{what}: {}", bar.reached());
            assert_eq!(bar.is_met(), is_met, "{what}");
        };
        check("add, times as fast as the fastest peer", "3.00 ×", true);
        check("64 in flight, shm, the fastest peer", "4.00 ×", false);
        check("64 in flight, sockets, the fastest peer there", "1.50 ×", false);
        check("256 in flight, shm, the fastest peer", "not measured", false);
    }

    #[test]
    fn what_is_lost_is_shown_and_else_what_is_closest() {
        let shown = |peer| {
            let mut bars = Vec::new();
            let cells = vec![
                cell("farcall-ct", Transport::Shm, ADD, 1, 500),
                cell("capnp", Transport::Unix, ADD, 1, 1500),
                cell("farcall-ct", Transport::Tcp, Work::Echo(64), 1, 900),
                cell("capnp", Transport::Tcp, Work::Echo(64), 1, peer),
            ];
            losses(&report(cells), &mut bars);
            bars.iter().map(|bar| (bar.what.clone(), bar.is_met())).collect::<Vec<_>>()
        };
        let echo = "echo 64 B, two cores, no peer is faster".to_owned();
        assert_eq!(shown(800), [(echo.clone(), false)]);
        assert_eq!(shown(1000), [(echo, true)]);
    }
}
