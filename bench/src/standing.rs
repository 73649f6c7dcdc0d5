//! What a connection costs that is not used: CPU while idle, memory while open.

use std::time::Duration;

use anyhow::Result;

use crate::arguments::Options;
use crate::pair::Pair;
use crate::report::{Idle, Memory, Report};
use crate::row::{Row, Transport};
use crate::words::Order;
use crate::work::Work;
use crate::workshop::Workshop;

/// Watches all rows do nothing, at the same time.
pub fn idle(shop: &Workshop, rows: &[&'static dyn Row], options: &Options, report: &mut Report) {
    let time = Duration::from_secs(if options.quick { 1 } else { 10 });
    if standing_rows(rows, options).is_empty() {
        return;
    }
    eprintln!("idle for {} s", time.as_secs());
    let mut pairs = Vec::new();
    for (row, transport) in standing_rows(rows, options) {
        match warm_pair(shop, row, transport) {
            Ok(pair) => pairs.push((row, transport, pair)),
            Err(error) => report.failures.push(format!("{} idle: {error:#}", row.name())),
        }
    }
    // The first rest lets them come to rest; only the second one counts.
    for (_, _, pair) in &mut pairs {
        note(report, "idle", pair.begin(rest(SETTLE)));
    }
    for (_, _, pair) in &mut pairs {
        note(report, "idle", pair.end(SETTLE));
    }
    let mut before = Vec::new();
    for (_, _, pair) in &mut pairs {
        before.push(used(pair).and_then(|used| {
            pair.begin(rest(time))?;
            Ok(used)
        }));
    }
    for ((row, transport, mut pair), before) in pairs.into_iter().zip(before) {
        let spent = before.and_then(|before| {
            pair.end(time)?;
            let after = used(&mut pair)?;
            let spent =
                |of: usize| [0, 1].map(|side| after[of][side].saturating_sub(before[of][side]));
            Ok((spent(0), spent(1)))
        });
        match spent {
            Ok((cpu_nanoseconds, switches)) => report.idle.push(Idle {
                row: row.name().to_owned(),
                transport,
                seconds: time.as_secs_f64(),
                cpu_nanoseconds,
                switches,
            }),
            Err(error) => report.failures.push(format!("{} idle: {error:#}", row.name())),
        }
    }
}

/// CPU that a pair has used, and how often it went to sleep.
fn used(pair: &mut Pair) -> Result<[[u64; 2]; 2]> {
    Ok([pair.used(Order::Cpu)?, pair.used(Order::Switches)?])
}

/// Opens many connections per row and sees by how much both processes grow.
pub fn memory(shop: &Workshop, rows: &[&'static dyn Row], options: &Options, report: &mut Report) {
    let connections = if options.quick { 100 } else { 1000 };
    for (row, transport) in standing_rows(rows, options) {
        if transport == Transport::Inproc {
            continue;
        }
        eprintln!("{connections} idle connections: {}, {transport}", row.name());
        match grown(shop, row, transport, connections) {
            Ok(grown_bytes) => report.memory.push(Memory {
                row: row.name().to_owned(),
                transport,
                connections,
                grown_bytes,
            }),
            Err(error) => report.failures.push(format!("{} memory: {error:#}", row.name())),
        }
    }
}

fn grown(
    shop: &Workshop,
    row: &dyn Row,
    transport: Transport,
    connections: usize,
) -> Result<[u64; 2]> {
    let mut pair = warm_pair(shop, row, transport)?;
    pair.order(rest(SETTLE), SETTLE)?;
    let before = pair.used(Order::Resident)?;
    pair.order(Order::Widen { count: connections }, WIDEN)?;
    pair.order(rest(SETTLE), SETTLE)?;
    let after = pair.used(Order::Resident)?;
    Ok([after[0].saturating_sub(before[0]), after[1].saturating_sub(before[1])])
}

fn standing_rows(
    rows: &[&'static dyn Row],
    options: &Options,
) -> Vec<(&'static dyn Row, Transport)> {
    let standing = rows.iter().filter(|row| row.stands());
    standing.flat_map(|row| options.transports(*row).map(|over| (*row, over))).collect()
}

/// A pair that has made calls, so that what it needs once is there.
fn warm_pair(shop: &Workshop, row: &dyn Row, transport: Transport) -> Result<Pair> {
    let mut pair = Pair::start(shop, row, transport, [None; 2])?;
    pair.measure(Work::Add, Duration::from_millis(20))?;
    Ok(pair)
}

fn rest(time: Duration) -> Order {
    Order::Rest { nanoseconds: u64::try_from(time.as_nanos()).unwrap_or(u64::MAX) }
}

fn note(report: &mut Report, what: &str, outcome: Result<()>) {
    if let Err(error) = outcome {
        report.failures.push(format!("{what}: {error:#}"));
    }
}

const SETTLE: Duration = Duration::from_millis(500);
/// How long all those connections may take to open.
const WIDEN: Duration = Duration::from_secs(30);
