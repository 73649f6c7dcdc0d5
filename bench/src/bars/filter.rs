//! Which cells a bar looks at.

use std::fmt;

use crate::placement::Placement;
use crate::report::{Cell, Report};
use crate::row::Transport;
use crate::rows;
use crate::work::Work;

/// farcall as it is if an address says nothing.
pub const FARCALL: &[&str] = &["farcall-wait", "farcall-ct", "farcall-mt"];
/// The same, and where arguments and results are `Bytes`.
pub const FARCALL_BYTES: &[&str] = &["farcall-wait", "farcall-ct", "farcall-mt", "farcall-bytes"];
/// `FARCALL` where a task awaits.
pub const FARCALL_TASKS: &[&str] = &["farcall-ct", "farcall-mt"];
/// farcall with `?spin=off`.
pub const FARCALL_OFF: &[&str] = &["farcall-wait-off", "farcall-ct-off"];
/// All of tarpc.
pub const TARPC: &[&str] = &["tarpc-ct", "tarpc-mt"];
/// iceoryx2 at its fastest.
pub const ICEORYX2: &[&str] = &["iceoryx2-spin"];

/// Which cells of a report are looked at.
#[derive(Clone, Copy, Default)]
pub struct Filter {
    rows: Rows,
    works: [Option<Work>; 2],
    transport: Option<Transport>,
    sockets: bool,
    placement: Option<Placement>,
}

#[derive(Clone, Copy)]
enum Rows {
    Named(&'static [&'static str]),
    /// All of farcall's that cross the border of a process.
    Ours,
    /// All that are neither farcall's nor a floor.
    Peers,
}

impl Default for Rows {
    fn default() -> Self {
        Self::Named(&[])
    }
}

impl Rows {
    fn contain(self, cell: &Cell) -> bool {
        match self {
            Self::Named(names) => names.contains(&cell.row.as_str()),
            Self::Ours => rows::is_ours(&cell.row) && cell.transport != Transport::Inproc,
            Self::Peers => rows::is_peer(&cell.row),
        }
    }
}

impl Filter {
    /// Those of this work; [`Filter::of`] says of which rows.
    pub fn new(work: Work) -> Self {
        Self { works: [Some(work), None], ..Self::default() }
    }

    /// As tasks or as held calls, whichever is better.
    pub fn deep(depth: usize) -> Self {
        Self { works: [Some(Work::Tasks(depth)), Some(Work::Held(depth))], ..Self::default() }
    }

    /// Those of these rows.
    pub fn of(self, rows: &'static [&'static str]) -> Self {
        Self { rows: Rows::Named(rows), ..self }
    }

    /// Those of all rows of farcall's between two processes.
    pub fn ours(self) -> Self {
        Self { rows: Rows::Ours, ..self }
    }

    /// Those of all peers.
    pub fn peers(self) -> Self {
        Self { rows: Rows::Peers, ..self }
    }

    /// Those over this transport.
    pub fn over(self, transport: Transport) -> Self {
        Self { transport: Some(transport), ..self }
    }

    /// Those over a socket, of either kind.
    pub fn over_sockets(self) -> Self {
        Self { sockets: true, ..self }
    }

    /// Those in this placement.
    pub fn at(self, placement: Placement) -> Self {
        Self { placement: Some(placement), ..self }
    }

    fn cells(self, report: &Report) -> impl Iterator<Item = &Cell> {
        report.cells.iter().filter(move |cell| {
            self.rows.contain(cell)
                && self.works.contains(&Some(cell.work))
                && self.transport.is_none_or(|transport| transport == cell.transport)
                && (!self.sockets || Transport::SOCKETS.contains(&cell.transport))
                && self.placement.is_none_or(|placement| placement == cell.placement)
        })
    }

    /// The one with the least median.
    pub fn quickest(self, report: &Report) -> Option<&Cell> {
        let p50 = |cell: &Cell| cell.p50().unwrap_or(f64::INFINITY);
        self.cells(report).min_by(|a, b| p50(a).total_cmp(&p50(b)))
    }

    /// The one with the most calls per second.
    pub fn fastest(self, report: &Report) -> Option<&Cell> {
        let rate = |cell: &Cell| cell.calls_per_second().unwrap_or(0.0);
        self.cells(report).max_by(|a, b| rate(a).total_cmp(&rate(b)))
    }

    /// The one that takes the least CPU per call, of those that are as fast as this.
    pub fn thriftiest(self, report: &Report, calls_per_second: f64) -> Option<&Cell> {
        let cpu = |cell: &Cell| cell.cpu_per_million().unwrap_or(f64::INFINITY);
        self.cells(report)
            .filter(|cell| cell.calls_per_second().is_some_and(|rate| rate >= calls_per_second))
            .min_by(|a, b| cpu(a).total_cmp(&cpu(b)))
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let work = self.works[0].map(|work| work.to_string());
        let transport = self.transport.map(|transport| transport.to_string());
        let placement = self.placement.map(|placement| placement.to_string());
        let words: Vec<String> = [work, transport, placement].into_iter().flatten().collect();
        f.write_str(&words.join(", "))
    }
}
