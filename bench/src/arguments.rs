//! The command line.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustix::process::{Signal, set_parent_process_death_signal};

use crate::placement;
use crate::row::{Address, Row, Transport};

/// What the program can be told.
pub const USAGE: &str = "\
usage: compare [--quick] [--check] [--only ROW].. [--over TRANSPORT]..
               [--rounds N] [--time MILLISECONDS]
       render [--check]
       size

compare   measures every row and writes the report into bench/results/
  --quick   a smoke run: one round, short, no peers
  --check   prints each bar and what was reached; fails on a miss
  --only    rows whose name begins with ROW; may be repeated
  --over    only inproc, shm, unix or tcp; may be repeated
  --rounds  how often everything is repeated (5)
  --time    how long each kind of work runs in a round (200)
render    writes the report again from bench/results/compare.json
size      only what a trait of ten methods costs to build";

/// What this process is to do.
pub enum Command {
    /// Measure.
    Compare(Options),
    /// Write the report again.
    Render { check: bool },
    /// Measure only what a trait of ten methods costs.
    Size,
    /// Be a row's server.
    Serve(Role),
    /// Be a row's client.
    Drive(Role),
    /// Remove what is left of the run in this directory, once it is over.
    Clean(PathBuf),
}

/// How `compare` measures.
pub struct Options {
    /// A smoke run.
    pub quick: bool,
    /// Hold the result to the bars.
    pub check: bool,
    /// Beginnings of the names of the rows; empty means all.
    pub only: Vec<String>,
    /// The transports; empty means all.
    pub over: Vec<Transport>,
    /// How often everything is repeated.
    pub rounds: usize,
    /// How long each kind of work runs in a round.
    pub time: Duration,
}

/// What a child is.
pub struct Role {
    /// The row's name.
    pub row: String,
    /// Where to listen, or what to connect to.
    pub address: Address,
    /// The CPU to stay on.
    pub cpu: Option<usize>,
}

impl Command {
    /// Reads the arguments after the program's name.
    pub fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self> {
        match arguments.next().as_deref() {
            Some("compare") => Ok(Self::Compare(Options::parse(arguments)?)),
            Some("render") => match arguments.next().as_deref() {
                None => Ok(Self::Render { check: false }),
                Some("--check") => Ok(Self::Render { check: true }),
                Some(other) => bail!("unknown argument: {other}"),
            },
            Some("size") => Ok(Self::Size),
            Some("serve") => Ok(Self::Serve(Role::parse(arguments)?)),
            Some("drive") => Ok(Self::Drive(Role::parse(arguments)?)),
            Some("clean") => Ok(Self::Clean(arguments.next().context("which directory?")?.into())),
            Some(other) => bail!("unknown command: {other}"),
            None => bail!("a command is missing"),
        }
    }
}

/// What an argument says in figures.
fn number(argument: &str, text: &str) -> Result<usize> {
    let number = text.parse::<NonZeroUsize>().ok().map(NonZeroUsize::get);
    number.with_context(|| format!("{argument} wants a number from 1 on, not `{text}`"))
}

impl Options {
    fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self> {
        let (mut quick, mut check) = (false, false);
        let (mut only, mut over) = (Vec::new(), Vec::new());
        let (mut rounds, mut milliseconds) = (None, None);
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().with_context(|| format!("{argument} of what?"));
            match argument.as_str() {
                "--quick" => quick = true,
                "--check" => check = true,
                "--only" => only.push(value()?),
                "--over" => over.push(Transport::named(&value()?)?),
                "--rounds" => rounds = Some(number(&argument, &value()?)?),
                "--time" => milliseconds = Some(number(&argument, &value()?)?),
                other => bail!("unknown argument: {other}"),
            }
        }
        let rounds = rounds.unwrap_or(if quick { 1 } else { 5 });
        let milliseconds = milliseconds.unwrap_or(if quick { 20 } else { 200 });
        Ok(Self {
            quick,
            check,
            only,
            over,
            rounds,
            time: Duration::from_millis(milliseconds as u64),
        })
    }

    /// Whether all that can be measured is.
    pub fn is_full(&self) -> bool {
        !self.quick && self.only.is_empty() && self.over.is_empty()
    }

    /// What of a row's transports is wanted.
    pub fn transports(&self, row: &dyn Row) -> impl Iterator<Item = Transport> {
        let wanted = |over: &Transport| self.over.is_empty() || self.over.contains(over);
        row.transports().iter().copied().filter(wanted)
    }

    /// Whether the row of this name is wanted.
    pub fn wants(&self, row: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| row.starts_with(only.as_str()))
    }
}

impl Role {
    fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self> {
        let row = arguments.next().context("which row?")?;
        let address = arguments.next().context("at which address?")?.parse()?;
        let cpu = arguments.next().map(|cpu| cpu.parse()).transpose()?;
        Ok(Self { row, address, cpu })
    }

    /// Binds this process to its CPU and its life to its parent's. To be called before any thread
    /// is started.
    pub fn settle(&self) -> Result<()> {
        set_parent_process_death_signal(Some(Signal::KILL))?;
        self.cpu.map_or(Ok(()), placement::bind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Options> {
        Options::parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn what_is_said_wins_over_what_quick_implies() {
        let options = parse("--quick --rounds 3").expect("good arguments");
        assert_eq!((options.rounds, options.time), (3, Duration::from_millis(20)));
        assert_eq!(parse("--over shm").expect("good arguments").over, [Transport::Shm]);
        assert!(parse("--over pigeon").is_err());
        assert!(parse("--rounds 0").is_err() && parse("--only").is_err() && parse("-x").is_err());
    }

    #[test]
    fn only_is_the_beginning_of_a_name() {
        let options = parse("--only tarpc --only raw-b").expect("good arguments");
        assert!(options.wants("tarpc-mt") && options.wants("raw-batched"));
        assert!(!options.wants("raw-spinning") && parse("").expect("none").wants("anything"));
    }
}
