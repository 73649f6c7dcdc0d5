//! Where the two processes run: which CPU each of them is bound to.

use std::fmt;

use anyhow::Result;
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use serde::{Deserialize, Serialize};

/// One of the three ways to place a server and its client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Placement {
    /// Both bound to the same CPU.
    OneCore,
    /// Each bound to a CPU of its own.
    TwoCores,
    /// Wherever the scheduler puts them.
    Free,
}

impl Placement {
    /// All three, in the order of the report.
    pub const ALL: [Self; 3] = [Self::OneCore, Self::TwoCores, Self::Free];

    /// The CPU of the server and that of the client; `None` is unbound.
    pub fn cpus(self, allowed: &[usize]) -> Option<[Option<usize>; 2]> {
        let mut last = allowed.iter().rev().copied();
        match self {
            Self::OneCore => last.next().map(|cpu| [Some(cpu); 2]),
            Self::TwoCores => Some([Some(last.next()?), Some(last.next()?)]),
            Self::Free => Some([None; 2]),
        }
    }
}

impl fmt::Display for Placement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::OneCore => "one core",
            Self::TwoCores => "two cores",
            Self::Free => "free",
        })
    }
}

/// The CPUs that this process may use.
pub fn allowed() -> Result<Vec<usize>> {
    let set = sched_getaffinity(None)?;
    Ok((0..CpuSet::MAX_CPU).filter(|cpu| set.is_set(*cpu)).collect())
}

/// Binds this thread, and all that it will start, to `cpu`.
pub fn bind(cpu: usize) -> Result<()> {
    let mut set = CpuSet::new();
    set.set(cpu);
    Ok(sched_setaffinity(None, &set)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placements_take_the_last_cpus() {
        assert_eq!(Placement::OneCore.cpus(&[0, 1, 2]), Some([Some(2), Some(2)]));
        assert_eq!(Placement::TwoCores.cpus(&[0, 1, 2]), Some([Some(2), Some(1)]));
        assert_eq!(Placement::TwoCores.cpus(&[0]), None);
        assert_eq!(Placement::Free.cpus(&[0]), Some([None, None]));
    }
}
