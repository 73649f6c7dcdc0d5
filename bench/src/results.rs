//! Where the report goes: Markdown, JSON and a picture in `bench/results/`.

use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::bars;
use crate::chart;
use crate::markdown;
use crate::report::Report;

/// The name of a full run's report; others go beside it.
pub const FULL: &str = "compare";

/// Writes `name.md`, `name.json` and `name.svg`.
pub fn write(report: &Report, name: &str) -> Result<()> {
    std::fs::create_dir_all(directory())?;
    let path = |ending: &str| directory().join(name).with_extension(ending);
    std::fs::write(path("json"), serde_json::to_string_pretty(report)? + "\n")?;
    std::fs::write(path("md"), markdown::page(report, name))?;
    std::fs::write(path("svg"), chart::picture(report))?;
    eprintln!("written: bench/results/{name}.md, .json, .svg");
    Ok(())
}

/// Writes the pages of the last full run again; with `check`, also holds it to the bars.
pub fn render_again(check: bool) -> Result<bool> {
    let path = directory().join(FULL).with_extension("json");
    let text = std::fs::read_to_string(path).context("there is no results/compare.json yet")?;
    let report: Report = serde_json::from_str(&text)
        .context("results/compare.json is another version's: `compare` writes it anew")?;
    write(&report, FULL)?;
    Ok(!check || self::check(&report))
}

/// Prints each bar and what was reached; whether all were met.
pub fn check(report: &Report) -> bool {
    let bars = bars::all(report);
    for bar in &bars {
        println!(
            "{} {}: wanted {}, reached {}",
            bar.verdict(),
            bar.what,
            bar.wanted(),
            bar.reached()
        );
    }
    let missed = bars.iter().filter(|bar| !bar.is_met()).count();
    println!("{} bars, {missed} missed", bars.len());
    missed == 0
}

fn directory() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("results")
}
