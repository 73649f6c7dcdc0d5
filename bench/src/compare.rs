//! The conductor: all rows, round by round, then the report.

use anyhow::{Result, ensure};

use crate::arguments::Options;
use crate::disturbance::Disturbance;
use crate::host::{self, Host};
use crate::measure;
use crate::report::{About, Report, Settings};
use crate::results;
use crate::row::Row;
use crate::rows;
use crate::size;
use crate::standing;
use crate::workshop::Workshop;

/// Measures, writes the report, and says whether all went well.
pub fn run(options: &Options) -> Result<bool> {
    let rows = wanted_rows(options);
    ensure!(!rows.is_empty(), "no such row; there are: {}", names(&rows::all()));
    eprintln!("rows: {}", names(&rows));
    let shop = Workshop::open()?;
    let mut report = Report {
        host: Host::look(),
        settings: Settings {
            date: host::today(),
            quick: options.quick,
            rounds: options.rounds,
            milliseconds: u64::try_from(options.time.as_millis())?,
            disturbance: 0.0,
        },
        rows: rows.iter().map(|row| about(*row)).collect(),
        cells: Vec::new(),
        idle: Vec::new(),
        memory: Vec::new(),
        sizes: Vec::new(),
        failures: Vec::new(),
    };
    let disturbance = Disturbance::watch()?;
    measure::all_rounds(&shop, &rows, options, &mut report)?;
    report.settings.disturbance = disturbance.share()?;
    standing::idle(&shop, &rows, options, &mut report);
    standing::memory(&shop, &rows, options, &mut report);
    if options.is_full() {
        report.sizes = size::all(&mut report.failures);
    }
    let name = match options {
        Options { quick: true, .. } => "quick",
        options if options.is_full() => results::FULL,
        _ => "partial",
    };
    results::write(&report, name)?;
    let met = !options.check || results::check(&report);
    for failure in &report.failures {
        eprintln!("failed: {failure}");
    }
    Ok(met && report.failures.is_empty())
}

fn wanted_rows(options: &Options) -> Vec<&'static dyn Row> {
    let wanted =
        |row: &&dyn Row| options.wants(row.name()) && !(options.quick && rows::is_peer(row.name()));
    rows::all().into_iter().filter(wanted).collect()
}

fn about(row: &dyn Row) -> About {
    About { row: row.name().to_owned(), about: row.about().to_owned() }
}

fn names(rows: &[&dyn Row]) -> String {
    rows.iter().map(|row| row.name()).collect::<Vec<_>>().join(", ")
}
