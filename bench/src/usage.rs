//! What this process has used: CPU time, sleeps and resident memory. Room for many descriptors.

use std::time::Duration;

use anyhow::{Context, Result};
use nix::sys::time::TimeSpec;
use nix::time::ClockId;
use nix::unistd::Pid;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Nanoseconds of CPU that all threads of this process have used, also those that have ended, and those of the
/// processes it has started.
pub fn cpu_nanoseconds() -> Result<u64> {
    let mut all = nanoseconds(ClockId::CLOCK_PROCESS_CPUTIME_ID.now()?);
    for thread in std::fs::read_dir("/proc/self/task")? {
        // A thread may end meanwhile, and its children are another's then.
        let children = std::fs::read_to_string(thread?.path().join("children")).unwrap_or_default();
        for child in children.split_whitespace() {
            let clock = ClockId::pid_cpu_clock_id(Pid::from_raw(child.parse()?))?;
            all += nanoseconds(clock.now()?);
        }
    }
    Ok(all)
}

fn nanoseconds(used: TimeSpec) -> u64 {
    Duration::from(used).as_nanos() as u64
}

/// How often a thread of this process that is still there has gone to sleep. Each question of the conductor's is one or two of them.
pub fn voluntary_switches() -> Result<u64> {
    let mut switches = 0;
    for thread in std::fs::read_dir("/proc/self/task")? {
        let status = std::fs::read_to_string(thread?.path().join("status"))?;
        let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
        switches += line.context("no switches in status")?.trim().parse::<u64>()?;
    }
    Ok(switches)
}

/// Bytes of this process that are in memory, counted exactly.
pub fn resident_bytes() -> Result<u64> {
    let rollup = std::fs::read_to_string("/proc/self/smaps_rollup")?;
    let line = rollup.lines().find_map(|line| line.strip_prefix("Rss:"));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB"));
    Ok(kilobytes.context("no Rss in smaps_rollup")?.parse::<u64>()? * 1024)
}

/// Raises the limit of open descriptors as far as it goes.
pub fn allow_many_descriptors() -> Result<()> {
    let limit = getrlimit(Resource::Nofile);
    Ok(setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit })?)
}
