//! What a process holds, and what processes leave behind.

use anyhow::{Context, Result};
use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    thread,
    time::{Duration, Instant},
};

/// Where named shared memory would be.
const NAMED_MEMORY: &str = "/dev/shm";
/// What `/proc` calls a segment of a connection.
const SEGMENT: &str = "/memfd:farcall";

/// How soon everything that a dead process has left with another must be gone.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a process holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Holds {
    pub(crate) descriptors: usize,
    /// Mappings of connections' segments.
    pub(crate) mappings: usize,
    /// Bytes of memory of its own.
    pub(crate) memory: usize,
}

impl Holds {
    /// What that process holds now.
    pub(crate) fn of(process: u32) -> Result<Self> {
        let descriptors = fs::read_dir(format!("/proc/{process}/fd"))?.count();
        let maps = fs::read_to_string(format!("/proc/{process}/maps"))?;
        let mappings = maps.lines().filter(|line| line.contains(SEGMENT)).count();
        let status = fs::read_to_string(format!("/proc/{process}/status"))?;
        let own = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
        let own = own.context("no `RssAnon` in /proc")?.trim().trim_end_matches(" kB");
        Ok(Self { descriptors, mappings, memory: own.parse::<usize>()? << 10 })
    }

    /// What that process holds as soon as it holds no more than before, or after a while.
    pub(crate) fn settled(process: u32, before: Self) -> Result<Self> {
        let until = Instant::now() + PATIENCE;
        loop {
            let after = Self::of(process)?;
            let more = after.descriptors > before.descriptors || after.mappings > before.mappings;
            if !more || Instant::now() > until {
                return Ok(after);
            }
            thread::sleep(Duration::from_millis(10));
        }
    }
}

/// Where the segments that a process owns are mapped in it: offset and length.
pub(crate) fn segments(process: u32) -> Result<Vec<(u64, u64)>> {
    let maps = fs::read_to_string(format!("/proc/{process}/maps"))?;
    let owned = maps.lines().filter(|line| line.contains(SEGMENT) && line.contains(" rw-s "));
    owned
        .map(|line| {
            let (range, _) = line.split_once(' ').context("no range in /proc")?;
            let (start, end) = range.split_once('-').context("no range in /proc")?;
            let (start, end) = (u64::from_str_radix(start, 16)?, u64::from_str_radix(end, 16)?);
            Ok((start, end - start))
        })
        .collect()
}

/// The names in a folder; none if there is no such folder.
pub(crate) fn names(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

/// The names of shared memory on this host.
pub(crate) fn named_memory() -> BTreeSet<String> {
    names(Path::new(NAMED_MEMORY))
}
