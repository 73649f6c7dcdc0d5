//! What a trait of ten methods costs: time to build a program around it, and the program's size.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Instant, SystemTime};

use anyhow::{Context, Result, ensure};

use crate::markdown;
use crate::report::Size;
use crate::rows;
use crate::units;

/// Builds the programs of all peers whose rows were compiled in; those that fail are noted.
pub fn all(failures: &mut Vec<String>) -> Vec<Size> {
    let mut sizes = Vec::new();
    for peer in PEERS {
        if rows::all().iter().any(|row| row.name().starts_with(peer)) {
            eprintln!("a trait of ten methods: {peer}");
            match one(peer) {
                Ok(size) => sizes.push(size),
                Err(error) => failures.push(format!("{peer} size: {error:#}")),
            }
        }
    }
    sizes
}

/// Prints only this table.
pub fn run() -> Result<bool> {
    let mut failures = Vec::new();
    println!("{}", markdown::sizes(&all(&mut failures)));
    ensure!(failures.is_empty(), "{}", failures.join("; "));
    Ok(true)
}

fn one(peer: &str) -> Result<Size> {
    let source = bench().join("size").join(peer).join("src/main.rs");
    let binary = target().join("size").join(format!("size-{peer}"));
    Ok(Size {
        peer: peer.to_owned(),
        build_seconds: seconds(peer, &source, &["build", "--profile", "size"])?,
        check_seconds: seconds(peer, &source, &["check"])?,
        binary_bytes: std::fs::metadata(binary)?.len(),
        packages: packages(peer)?,
    })
}

/// The median time of a command after a change in `source`; everything else is warm.
fn seconds(peer: &str, source: &Path, command: &[&str]) -> Result<f64> {
    cargo(peer, command)?;
    let mut times = Vec::new();
    for _ in 0..BUILDS {
        std::fs::File::options().append(true).open(source)?.set_modified(SystemTime::now())?;
        let started = Instant::now();
        cargo(peer, command)?;
        times.push(started.elapsed().as_secs_f64());
    }
    units::median(times).context("nothing was built")
}

fn packages(peer: &str) -> Result<usize> {
    let tree =
        cargo(peer, &["tree", "--edges", "normal,build", "--prefix", "none", "--no-dedupe"])?;
    let mut lines: Vec<&str> = tree.lines().filter(|line| !line.is_empty()).collect();
    lines.sort_unstable();
    lines.dedup();
    Ok(lines.len())
}

/// Runs cargo for one of the programs; its output.
fn cargo(peer: &str, command: &[&str]) -> Result<String> {
    let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(command)
        .args(["--package", &format!("size-{peer}"), "--manifest-path"])
        .arg(bench().join("Cargo.toml"))
        .env("CARGO_TARGET_DIR", target())
        .output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "cargo {}: {}", command.join(" "), said.trim());
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| bench().join("target"), PathBuf::from)
}

fn bench() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

const PEERS: [&str; 2] = ["farcall", "tarpc"];
const BUILDS: usize = 3;
