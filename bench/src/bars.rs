//! The bars that farcall has set itself, and whether it reaches them.
//!
//! farcall's side of a bar is its best runtime for that place. The other side is the best runtime,
//! transport, placement and style for that work, except where the bar names one of them: the
//! transport of a raw socket, the one core of tarpc. For CPU per call the best is the thriftiest on
//! both sides; farcall's must also be as many times faster than tarpc as the bar beside it asks, so
//! that one placement reaches both.

use filter::{FARCALL, FARCALL_BYTES, Filter, TARPC};

use crate::placement::Placement;
use crate::report::{Cell, Report, Size};
use crate::row::Transport;
use crate::units;
use crate::work::Work;

mod filter;
mod letters;
mod objects;
mod peers;
mod shared;
mod tails;

/// One bar.
pub struct Bar {
    /// What is compared.
    pub what: String,
    limit: Limit,
    reached: Option<f64>,
    /// The two figures behind a ratio.
    detail: String,
}

#[derive(Clone, Copy)]
enum Limit {
    RatioAtMost(f64),
    RatioAtLeast(f64),
    RateAtLeast(f64),
    /// Nanoseconds.
    TimeAtMost(f64),
    NoTick,
    BytesAtMost(f64),
    ShareAtMost(f64),
    Known,
}

impl Bar {
    /// Whether it is reached; what was not measured is not.
    pub fn is_met(&self) -> bool {
        self.reached.is_some_and(|reached| match self.limit {
            Limit::RatioAtMost(most)
            | Limit::TimeAtMost(most)
            | Limit::BytesAtMost(most)
            | Limit::ShareAtMost(most) => reached <= most,
            Limit::RatioAtLeast(least) | Limit::RateAtLeast(least) => reached >= least,
            Limit::NoTick => reached == 0.0,
            Limit::Known => true,
        })
    }

    /// One word.
    pub fn verdict(&self) -> &'static str {
        match self.reached {
            Some(_) if self.is_met() => "ok  ",
            Some(_) => "MISS",
            None => "none",
        }
    }

    /// What it takes.
    pub fn wanted(&self) -> String {
        match self.limit {
            Limit::RatioAtMost(most) => format!("≤ {}", units::ratio(most)),
            Limit::RatioAtLeast(least) => format!("≥ {}", units::ratio(least)),
            Limit::RateAtLeast(least) => format!("≥ {}", units::rate(least)),
            Limit::TimeAtMost(most) => format!("≤ {}", units::duration(most)),
            Limit::NoTick => "no tick".to_owned(),
            Limit::BytesAtMost(most) => format!("≤ {}", units::bytes(most)),
            Limit::ShareAtMost(most) => format!("≤ {}", units::share(most)),
            Limit::Known => "a figure".to_owned(),
        }
    }

    /// What was seen.
    pub fn reached(&self) -> String {
        let Some(reached) = self.reached else { return "not measured".to_owned() };
        let figure = match self.limit {
            Limit::RatioAtMost(_) | Limit::RatioAtLeast(_) | Limit::Known => units::ratio(reached),
            Limit::RateAtLeast(_) => units::rate(reached),
            Limit::TimeAtMost(_) => units::duration(reached),
            Limit::NoTick => format!("{reached} ticks"),
            Limit::BytesAtMost(_) => units::bytes(reached),
            Limit::ShareAtMost(_) => units::share(reached),
        };
        format!("{figure} ({})", self.detail)
    }
}

/// All bars, in the order of their issue.
pub fn all(report: &Report) -> Vec<Bar> {
    let mut bars = vec![quiet(report)];
    sequential(report, &mut bars);
    shared::sequential(report, &mut bars);
    pipelined(report, &mut bars);
    shared::pipelined(report, &mut bars);
    payloads(report, &mut bars);
    shared::payloads(report, &mut bars);
    objects::all(report, &mut bars);
    letters::all(report, &mut bars);
    tails::all(report, &mut bars);
    peers::all(report, &mut bars);
    bars.push(idle(report, "", &Transport::ALL));
    bars.push(idle(report, ", over shared memory", &[Transport::Shm]));
    bars.push(memory(report, "over a socket", Transport::SOCKETS, 10.0 * 1024.0));
    bars.push(memory(report, "over shared memory", &[Transport::Shm], 64.0 * 1024.0));
    bars.push(size(report, "build time", |size| size.build_seconds * 1e9, units::duration));
    bars.push(size(report, "binary", |size| size.binary_bytes as f64, units::bytes));
    bars
}

/// Where others compute as well, a spinning floor is no floor, and what it lets pass means nothing.
fn quiet(report: &Report) -> Bar {
    Bar {
        what: "CPU that other programs took".to_owned(),
        limit: Limit::ShareAtMost(QUIET),
        reached: Some(report.settings.disturbance),
        detail: "of all CPUs, during the rounds".to_owned(),
    }
}

fn sequential(report: &Report, bars: &mut Vec<Bar>) {
    for transport in [Transport::Unix, Transport::Tcp] {
        for placement in [Placement::TwoCores, Placement::Free] {
            let here = Filter::new(Work::Add).over(transport);
            let floor = here.of(&["raw-spinning"]);
            bars.push(latency(report, here.at(placement).of(FARCALL), floor, 2.0));
        }
        let here = Filter::new(Work::Add).at(Placement::OneCore);
        bars.push(latency(report, here.over(transport).of(FARCALL), here.of(TARPC), 0.75));
    }
}

fn pipelined(report: &Report, bars: &mut Vec<Bar>) {
    for (depth, least) in [(64, 2.0), (256, 2.5)] {
        let ours = Filter::deep(depth).over(Transport::Tcp).of(FARCALL);
        let theirs = Filter::deep(depth).of(TARPC);
        let (our_best, their_best) = (ours.fastest(report), theirs.fastest(report));
        let rate = |cell: &Cell| cell.calls_per_second().unwrap_or(0.0);
        let wanted = least * their_best.map_or(0.0, rate);
        let our_thrifty = ours.thriftiest(report, wanted).or(our_best);
        let their_thrifty = theirs.thriftiest(report, 0.0);
        bars.push(Bar::ratio(
            format!("{depth} in flight, tcp, calls/s"),
            Limit::RatioAtLeast(least),
            our_best.map(|cell| (cell, cell.calls_per_second())),
            their_best.map(|cell| (cell, cell.calls_per_second())),
            units::rate,
        ));
        bars.push(Bar::ratio(
            format!("{depth} in flight, tcp, CPU s per million calls"),
            Limit::RatioAtMost(0.5),
            our_thrifty.map(|cell| (cell, cell.cpu_per_million())),
            their_thrifty.map(|cell| (cell, cell.cpu_per_million())),
            units::cpu,
        ));
    }
}

fn payloads(report: &Report, bars: &mut Vec<Bar>) {
    let echo = Filter::new(Work::Echo(1 << 20));
    for (transport, most) in [(Transport::Unix, 0.5), (Transport::Tcp, 0.8)] {
        let here = echo.over(transport);
        bars.push(latency(report, here.of(FARCALL_BYTES), here.of(TARPC), most));
        for placement in [Placement::TwoCores, Placement::Free] {
            let floor = here.of(&["raw-spinning"]);
            bars.push(latency(report, here.at(placement).of(FARCALL_BYTES), floor, 2.0));
        }
    }
}

fn latency(report: &Report, ours: Filter, other: Filter, most: f64) -> Bar {
    named_latency(report, ours.to_string(), ours, other, most)
}

fn named_latency(report: &Report, what: String, ours: Filter, other: Filter, most: f64) -> Bar {
    let best = |filter: Filter| filter.quickest(report).map(|cell| (cell, cell.p50()));
    Bar::ratio(what, Limit::RatioAtMost(most), best(ours), best(other), units::duration)
}

fn idle(report: &Report, how: &str, over: &[Transport]) -> Bar {
    let ours = report
        .idle
        .iter()
        .filter(|idle| idle.row.starts_with("farcall-") && over.contains(&idle.transport));
    let worst = ours.max_by_key(|idle| idle.cpu_nanoseconds.iter().max().copied());
    Bar {
        what: format!("CPU while idle for 10 s{how}"),
        limit: Limit::NoTick,
        reached: worst.filter(|idle| idle.seconds >= 10.0).map(|idle| idle.ticks() as f64),
        detail: worst.map_or_else(String::new, |idle| {
            let [server, client] = idle.cpu_nanoseconds.map(|used| units::duration(used as f64));
            let [sleeps, others] = idle.switches;
            format!(
                "{} {}, server {server} and {sleeps} sleeps, client {client} and {others}",
                idle.row, idle.transport
            )
        }),
    }
}

fn memory(report: &Report, how: &str, over: &[Transport], most: f64) -> Bar {
    let limit = Limit::BytesAtMost(most);
    let most = |each: [f64; 2]| each[0].max(each[1]);
    let ours = report
        .memory
        .iter()
        .filter(|memory| memory.row.starts_with("farcall-") && over.contains(&memory.transport));
    let worst = ours.max_by(|a, b| most(a.each()).total_cmp(&most(b.each())));
    Bar {
        what: format!("resident per idle connection and side, {how}"),
        limit,
        reached: worst.map(|memory| most(memory.each())),
        detail: worst.map_or_else(String::new, |memory| {
            let [server, client] = memory.each().map(units::bytes);
            format!("{} {}, server {server}, client {client}", memory.row, memory.transport)
        }),
    }
}

fn size(report: &Report, what: &str, figure: fn(&Size) -> f64, unit: fn(f64) -> String) -> Bar {
    let of = |peer: &str| report.sizes.iter().find(|size| size.peer == peer).map(figure);
    let (ours, theirs) = (of("farcall"), of("tarpc"));
    let words = |figure: Option<f64>| figure.map_or_else(|| "nothing".to_owned(), unit);
    Bar {
        what: format!("a trait of ten methods, {what}"),
        limit: Limit::Known,
        reached: ours.zip(theirs).map(|(ours, theirs)| ours / theirs),
        detail: format!("farcall {} to tarpc {}", words(ours), words(theirs)),
    }
}

/// A cell and the figure of it that is compared.
type Side<'a> = Option<(&'a Cell, Option<f64>)>;

impl Bar {
    fn ratio(
        what: String,
        limit: Limit,
        ours: Side<'_>,
        other: Side<'_>,
        unit: fn(f64) -> String,
    ) -> Self {
        let figure = |side: Side<'_>| side.and_then(|(_, figure)| figure);
        let words = |side: Side<'_>| match side {
            Some((cell, Some(figure))) => format!("{} {}", place(cell), unit(figure)),
            _ => "nothing".to_owned(),
        };
        let reached = figure(ours).zip(figure(other)).map(|(ours, other)| ours / other);
        Self { what, limit, reached, detail: format!("{} to {}", words(ours), words(other)) }
    }
}

fn place(cell: &Cell) -> String {
    format!("{} {}, {}, {}:", cell.row, cell.transport, cell.placement, cell.work)
}

/// Others' share of the CPUs that spoils no figure.
pub const QUIET: f64 = 0.05;

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    pub(super) fn cell(row: &str, over: Transport, work: Work, calls: u64, p50: u64) -> Value {
        let round = json!({
            "calls": calls, "nanoseconds": 1_000_000_000, "p50": p50, "p99": 3 * p50,
            "cpu_nanoseconds": 1,
        });
        json!({
            "row": row, "transport": over, "placement": Placement::TwoCores, "work": work,
            "rounds": [round],
        })
    }

    pub(super) fn report(cells: Vec<Value>) -> Report {
        let report = json!({
            "host": {
                "processor": "", "cpus": 2, "is_virtual": false, "kernel": "", "rustc": "",
            },
            "settings": {
                "date": "", "quick": false, "rounds": 1, "milliseconds": 1, "disturbance": 0.0,
            },
            "rows": [], "idle": [], "memory": [], "sizes": [], "failures": [], "cells": cells,
        });
        serde_json::from_value(report).expect("a report")
    }

    #[test]
    fn bars_look_at_their_own_rows_and_figures() {
        let shm = |row, work, calls, p50| cell(row, Transport::Shm, work, calls, p50);
        let mut waiting = shm("farcall-wait", Work::Add, 1, 600);
        waiting["rounds"][0]["p99"] = json!(1900);
        let bars = all(&report(vec![
            shm("raw-slots", Work::Add, 1, 400),
            waiting,
            shm("farcall-wait-off", Work::Add, 1, 100),
            shm("farcall-ct", Work::Oneway(64), 9_000_000, 1),
        ]));
        let check = |what: &str, want: (&str, bool)| {
            let bar = bars.iter().find(|bar| bar.what == what);
            let bar = bar.unwrap_or_else(|| panic!("no bar is called {what}"));
            let reached = bar.reached();
            let figure = reached.split(" (").next().expect("a text has a beginning");
            assert_eq!((figure, bar.is_met()), want, "{what}");
        };
        check("add, shm, two cores, wait, the bare call", ("1.50 ×", true));
        check("add, shm, two cores, wait, p99 to p50", ("3.17 ×", false));
        check("add, shm, two cores, wait, iceoryx2 spinning", ("not measured", false));
        check("one way 64 B, shm, two cores", ("9.00 M/s", true));
    }
}
