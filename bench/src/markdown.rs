//! The report as a page for people.

use std::fmt::Write;

use crate::bars;
use crate::placement::Placement;
use crate::report::{Cell, Report, Size};
use crate::row::Transport;
use crate::units;
use crate::work::{
    CHAIN, CROWD, DEPTHS, ECHOES, HEAVY, LETTERS, MIXED, ONEWAY, PAUSE, STREAMS, SUMS, Work,
};

/// The whole page. `name` is that of the picture beside it.
pub fn page(report: &Report, name: &str) -> String {
    let mut page = String::new();
    // Writing into a `String` cannot fail.
    let _ = write_page(&mut page, report, name);
    page
}

fn write_page(out: &mut String, report: &Report, name: &str) -> std::fmt::Result {
    let settings = &report.settings;
    writeln!(out, "# Measured side by side\n\n![All rows, on a logarithmic scale]({name}.svg)\n")?;
    writeln!(
        out,
        "{}. {}; medians of {} interleaved rounds of {} ms for each kind of work. Client and \
         server are two processes, except for `inproc`. Absolute figures depend on the machine \
         and its day: look at the ratios.\n",
        settings.date,
        report.host.sentence(),
        settings.rounds,
        settings.milliseconds
    )?;
    if settings.disturbance > bars::QUIET {
        writeln!(
            out,
            "**Other programs took {} of the CPUs meanwhile**; measure again on a quiet \
             machine.\n",
            units::share(settings.disturbance)
        )?;
    }
    writeln!(
        out,
        "*one core*: both processes are bound to the same CPU; *two cores*: each to one of its own; \
         *free*: unbound.\n"
    )?;
    write_bars(out, report)?;
    write_sequential(out, report)?;
    for placement in Placement::ALL {
        write_payloads(out, report, placement)?;
    }
    for placement in Placement::ALL {
        write_pipelined(out, report, placement)?;
    }
    write_oneway(out, report)?;
    write_objects(out, report, Placement::TwoCores)?;
    write_streams(out, report)?;
    write_letters(out, report)?;
    write_mixed(out, report)?;
    write_light(out, report)?;
    write_standing(out, report)?;
    write_sizes(out, &report.sizes)?;
    writeln!(out, "## The rows\n")?;
    for about in &report.rows {
        writeln!(out, "* `{}`: {}", about.row, about.about)?;
    }
    for failure in &report.failures {
        writeln!(out, "\n**Failed**: {}", failure.replace('\n', " "))?;
    }
    Ok(())
}

fn write_bars(out: &mut String, report: &Report) -> std::fmt::Result {
    writeln!(out, "## The bars\n")?;
    header(out, &["bar", "", "wanted", "reached"])?;
    for bar in bars::all(report) {
        let met = if bar.is_met() { "met" } else { "**missed**" };
        writeln!(out, "| {} | {met} | {} | {} |", bar.what, bar.wanted(), bar.reached())?;
    }
    writeln!(out)
}

fn write_sequential(out: &mut String, report: &Report) -> std::fmt::Result {
    writeln!(out, "## `add(u64, u64)`, one call after the other: p50 (p99)\n")?;
    let titles: Vec<String> = Placement::ALL.iter().map(Placement::to_string).collect();
    table(out, report, &titles, |row, transport| {
        let cell = |placement| report.cell(row, transport, placement, Work::Add);
        Placement::ALL.map(|placement| cell(placement).and_then(quantiles)).to_vec()
    })
}

fn write_payloads(out: &mut String, report: &Report, placement: Placement) -> std::fmt::Result {
    writeln!(out, "## Payloads, {placement}: p50\n")?;
    let mut works = ECHOES.map(Work::Echo).to_vec();
    works.extend(SUMS.map(Work::Sum));
    let titles: Vec<String> = works.iter().map(Work::to_string).collect();
    table(out, report, &titles, |row, transport| {
        let p50 = |work: &Work| report.cell(row, transport, placement, *work)?.p50();
        works.iter().map(|work| p50(work).map(units::duration)).collect()
    })
}

fn write_pipelined(out: &mut String, report: &Report, placement: Placement) -> std::fmt::Result {
    writeln!(
        out,
        "## Pipelined `add`, {placement}: calls per second (CPU seconds per million calls)\n\n\
         *tasks*: as many tasks (threads, for a blocking client), one call each at a time; \
         *held*: one task or thread that holds as many unfinished calls.\n"
    )?;
    let works: Vec<Work> =
        DEPTHS.map(Work::Tasks).into_iter().chain(DEPTHS.map(Work::Held)).collect();
    let titles: Vec<String> = works.iter().map(Work::to_string).collect();
    table(out, report, &titles, |row, transport| {
        let cell = |work: &Work| report.cell(row, transport, placement, *work);
        works.iter().map(|work| cell(work).and_then(throughput)).collect()
    })
}

fn write_oneway(out: &mut String, report: &Report) -> std::fmt::Result {
    let work = Work::Oneway(ONEWAY);
    writeln!(
        out,
        "## One-way calls of {}: received per second (CPU seconds per million calls)\n\n\
         One task or thread sends; the callee counts, and what it has counted comes back.\n",
        units::bytes(ONEWAY as f64)
    )?;
    let titles: Vec<String> = Placement::ALL.iter().map(Placement::to_string).collect();
    table(out, report, &titles, |row, transport| {
        let cell = |placement| report.cell(row, transport, placement, work);
        Placement::ALL.map(|placement| cell(placement).and_then(throughput)).to_vec()
    })
}

fn write_objects(out: &mut String, report: &Report, placement: Placement) -> std::fmt::Result {
    writeln!(
        out,
        "## Objects, {placement}: p50\n\n\
         *callback*: a call that calls an object of the caller's before it returns; *chain*: calls on what the call before \
         returns, over a way that takes 1 ms there and back; *step by step*: each made when the one before has returned.\n"
    )?;
    let mut works = vec![Work::Add, Work::Member, Work::Callback, Work::Life];
    works.extend([Work::Chain(CHAIN), Work::Steps(CHAIN)]);
    let titles: Vec<String> = works.iter().map(Work::to_string).collect();
    table(out, report, &titles, |row, transport| {
        let p50 = |work: &Work| report.cell(row, transport, placement, *work)?.p50();
        // Only rows that have objects at all.
        let has = p50(&Work::Member).is_some();
        works.iter().map(|work| p50(work).filter(|_| has).map(units::duration)).collect()
    })
}

fn write_streams(out: &mut String, report: &Report) -> std::fmt::Result {
    writeln!(out, "## Streams: items received per second (CPU seconds per million items)\n")?;
    let works = STREAMS.map(Work::Stream);
    let columns: Vec<(Work, Placement)> = works
        .into_iter()
        .flat_map(|work| Placement::ALL.map(|placement| (work, placement)))
        .collect();
    let titles: Vec<String> =
        columns.iter().map(|(work, placement)| format!("{work}, {placement}")).collect();
    table(out, report, &titles, |row, transport| {
        let cell =
            |(work, placement): &(Work, Placement)| report.cell(row, transport, *placement, *work);
        columns.iter().map(|column| cell(column).and_then(throughput)).collect()
    })
}

fn write_letters(out: &mut String, report: &Report) -> std::fmt::Result {
    writeln!(
        out,
        "## Letters: received per second (CPU seconds per million letters)\n\n\
         Through a mailbox or a message queue; *rendezvous*, p50: sent and taken, one after the other.\n"
    )?;
    for placement in Placement::ALL {
        let meetings = LETTERS.map(Work::Rendezvous);
        let works = [LETTERS.map(Work::Letters), LETTERS.map(Work::Crossed)].concat();
        let mut titles: Vec<String> = meetings.iter().chain(&works).map(Work::to_string).collect();
        titles[0] = format!("{placement}: {}", titles[0]);
        table(out, report, &titles, |row, transport| {
            let cell = |work: &Work| report.cell(row, transport, placement, *work);
            let meetings = meetings.iter().map(|work| cell(work)?.p50().map(units::duration));
            let rates = works.iter().map(|work| cell(work).and_then(throughput));
            meetings.chain(rates).collect()
        })?;
    }
    Ok(())
}

fn write_mixed(out: &mut String, report: &Report) -> std::fmt::Result {
    let [small, large] = MIXED.map(|length| units::bytes(length as f64));
    writeln!(
        out,
        "## Mixed calls of {CROWD} client processes at once: p50 (p99, p99.9)\n\n\
         Each makes one call after the other, nine echoes of {small} and one of {large}.\n"
    )?;
    write_tails(out, report, &MIXED.map(Work::Mixed))
}

fn write_light(out: &mut String, report: &Report) -> std::fmt::Result {
    let [pause, heavy] = [PAUSE, HEAVY].map(|time| units::duration(time.as_nanos() as f64));
    writeln!(
        out,
        "## Light calls beside heavy ones: p50 (p99, p99.9)\n\n\
         *light*: `add`, a call after each pause of {pause}; *beside heavy*: while the same client always has a call of \
         another method under way, for which the server computes for {heavy}.\n"
    )?;
    write_tails(out, report, &[Work::Light, Work::Beside])
}

/// How slow the slowest calls are.
fn write_tails(out: &mut String, report: &Report, works: &[Work; 2]) -> std::fmt::Result {
    let columns = Placement::ALL.map(|placement| works.map(|work| (work, placement))).concat();
    let titles: Vec<String> =
        columns.iter().map(|(work, placement)| format!("{work}, {placement}")).collect();
    table(out, report, &titles, |row, transport| {
        let cell = |work, placement| report.cell(row, transport, placement, work);
        let figures =
            columns.iter().map(|(work, placement)| cell(*work, *placement).and_then(tails));
        figures.collect()
    })
}

fn write_standing(out: &mut String, report: &Report) -> std::fmt::Result {
    writeln!(out, "## Standing still\n")?;
    header(
        out,
        &[
            "row",
            "",
            "CPU while idle: server",
            "client",
            "resident per idle connection: server",
            "client",
        ],
    )?;
    for (row, transport) in report.lines() {
        let idle = report.idle.iter().find(|idle| idle.row == row && idle.transport == transport);
        let memory =
            report.memory.iter().find(|memory| memory.row == row && memory.transport == transport);
        if idle.is_none() && memory.is_none() {
            continue;
        }
        let cpu = |side: usize| {
            idle.map_or_else(String::new, |idle| {
                let used = units::duration(idle.cpu_nanoseconds[side] as f64);
                format!("{used} and {} sleeps in {:.0} s", idle.switches[side], idle.seconds)
            })
        };
        let resident = |side: usize| {
            memory.map_or_else(String::new, |memory| units::bytes(memory.each()[side]))
        };
        let [cpus, bytes] = [[cpu(0), cpu(1)], [resident(0), resident(1)]];
        writeln!(out, "| {row} | {transport} | {} | {} |", cpus.join(" | "), bytes.join(" | "))?;
    }
    writeln!(out)
}

/// Only the table of what a trait of ten methods costs.
pub fn sizes(sizes: &[Size]) -> String {
    let mut table = String::new();
    // Writing into a `String` cannot fail.
    let _ = write_sizes(&mut table, sizes);
    table
}

fn write_sizes(out: &mut String, sizes: &[Size]) -> std::fmt::Result {
    if sizes.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "## A program around a trait of ten methods\n\n\
         Time from a change in the program, dependencies compiled before; stripped executable.\n"
    )?;
    header(out, &["", "release build", "check", "executable", "packages compiled"])?;
    for size in sizes {
        let [build, check] = [size.build_seconds, size.check_seconds];
        writeln!(
            out,
            "| {} | {build:.2} s | {check:.2} s | {} | {} |",
            size.peer,
            units::bytes(size.binary_bytes as f64),
            size.packages
        )?;
    }
    writeln!(out)
}

/// A line for each row and transport that has at least one of its figures.
fn table(
    out: &mut String,
    report: &Report,
    titles: &[String],
    figures: impl Fn(&str, Transport) -> Vec<Option<String>>,
) -> std::fmt::Result {
    let mut columns = vec!["row", ""];
    columns.extend(titles.iter().map(String::as_str));
    header(out, &columns)?;
    for (row, transport) in report.lines() {
        let figures = figures(row, transport);
        if figures.iter().any(Option::is_some) {
            let figures: Vec<String> = figures.into_iter().map(Option::unwrap_or_default).collect();
            writeln!(out, "| {row} | {transport} | {} |", figures.join(" | "))?;
        }
    }
    writeln!(out)
}

fn header(out: &mut String, columns: &[&str]) -> std::fmt::Result {
    writeln!(out, "| {} |\n|{}", columns.join(" | "), "---|".repeat(columns.len()))
}

fn quantiles(cell: &Cell) -> Option<String> {
    let [p50, p99] = [cell.p50()?, cell.p99()?].map(units::duration);
    Some(format!("{p50} ({p99})"))
}

fn tails(cell: &Cell) -> Option<String> {
    let [p50, p99, p999] = [cell.p50()?, cell.p99()?, cell.p999()?].map(units::duration);
    Some(format!("{p50} ({p99}, {p999})"))
}

fn throughput(cell: &Cell) -> Option<String> {
    let rate = units::rate(cell.calls_per_second()?);
    Some(format!("{rate} ({})", units::cpu(cell.cpu_per_million()?)))
}
