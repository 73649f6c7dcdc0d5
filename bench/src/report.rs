//! Everything that one run has found out. It is what `compare.json` holds.

use serde::{Deserialize, Serialize};

use crate::host::Host;
use crate::placement::Placement;
use crate::row::Transport;
use crate::stopwatch::Measured;
use crate::units;
use crate::work::Work;

/// One run.
#[derive(Debug, Serialize, Deserialize)]
pub struct Report {
    pub host: Host,
    pub settings: Settings,
    pub rows: Vec<About>,
    pub cells: Vec<Cell>,
    pub idle: Vec<Idle>,
    pub memory: Vec<Memory>,
    pub sizes: Vec<Size>,
    pub failures: Vec<String>,
}

/// How it was measured.
#[derive(Debug, Serialize, Deserialize)]
pub struct Settings {
    pub date: String,
    pub quick: bool,
    pub rounds: usize,
    pub milliseconds: u64,
    /// The share of all CPUs that other programs took meanwhile.
    pub disturbance: f64,
}

/// What a row is.
#[derive(Debug, Serialize, Deserialize)]
pub struct About {
    pub row: String,
    pub about: String,
}

/// One row, one transport, one placement, one kind of work.
#[derive(Debug, Serialize, Deserialize)]
pub struct Cell {
    pub row: String,
    pub transport: Transport,
    pub placement: Placement,
    pub work: Work,
    pub rounds: Vec<Measured>,
}

/// CPU that a connected pair used while it did nothing.
#[derive(Debug, Serialize, Deserialize)]
pub struct Idle {
    pub row: String,
    pub transport: Transport,
    pub seconds: f64,
    /// The server, then the client.
    pub cpu_nanoseconds: [u64; 2],
    /// How often their threads went to sleep, a few times of them for the conductor's questions.
    #[serde(default)]
    pub switches: [u64; 2],
}

/// How much a process grew by its idle connections.
#[derive(Debug, Serialize, Deserialize)]
pub struct Memory {
    pub row: String,
    pub transport: Transport,
    pub connections: usize,
    /// The server, then the client.
    pub grown_bytes: [u64; 2],
}

/// A program around a trait of ten methods.
#[derive(Debug, Serialize, Deserialize)]
pub struct Size {
    pub peer: String,
    /// From a change in the program to its optimized executable, dependencies compiled before.
    pub build_seconds: f64,
    /// The same for `cargo check`.
    pub check_seconds: f64,
    /// The executable without symbols.
    pub binary_bytes: u64,
    /// Packages that are compiled for it, its own included.
    pub packages: usize,
}

impl Report {
    /// The cell of exactly this kind.
    pub fn cell(
        &self,
        row: &str,
        transport: Transport,
        placement: Placement,
        work: Work,
    ) -> Option<&Cell> {
        self.cells.iter().find(|cell| {
            cell.row == row
                && cell.transport == transport
                && cell.placement == placement
                && cell.work == work
        })
    }

    /// Each row with each transport it was measured over, in the order of the table of rows.
    pub fn lines(&self) -> Vec<(&str, Transport)> {
        let mut lines: Vec<(&str, Transport)> = Vec::new();
        for About { row, .. } in &self.rows {
            for cell in self.cells.iter().filter(|cell| cell.row == *row) {
                if !lines.contains(&(row, cell.transport)) {
                    lines.push((row, cell.transport));
                }
            }
        }
        lines
    }
}

impl Cell {
    /// Median over the rounds, in nanoseconds.
    pub fn p50(&self) -> Option<f64> {
        units::median(self.rounds.iter().filter_map(|round| round.p50).map(|ns| ns as f64))
    }

    /// Median over the rounds, in nanoseconds.
    pub fn p99(&self) -> Option<f64> {
        units::median(self.rounds.iter().filter_map(|round| round.p99).map(|ns| ns as f64))
    }

    /// Median over the rounds, in nanoseconds.
    pub fn p999(&self) -> Option<f64> {
        units::median(self.rounds.iter().filter_map(|round| round.p999).map(|ns| ns as f64))
    }

    /// Median over the rounds.
    pub fn calls_per_second(&self) -> Option<f64> {
        let rate = |round: &Measured| round.calls as f64 / round.nanoseconds as f64 * 1e9;
        units::median(self.rounds.iter().map(rate))
    }

    /// CPU seconds of both processes per million calls, median over the rounds.
    pub fn cpu_per_million(&self) -> Option<f64> {
        let cpu = |round: &Measured| round.cpu_nanoseconds as f64 / round.calls as f64 / 1e3;
        units::median(self.rounds.iter().map(cpu))
    }
}

impl Idle {
    /// Whole ticks of the busier side; a tick is 10 ms of CPU.
    pub fn ticks(&self) -> u64 {
        self.cpu_nanoseconds.iter().max().map_or(0, |most| most / 10_000_000)
    }
}

impl Memory {
    /// Bytes per connection: the server, then the client.
    pub fn each(&self) -> [f64; 2] {
        self.grown_bytes.map(|bytes| bytes as f64 / self.connections as f64)
    }
}
