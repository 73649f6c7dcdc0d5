//! How much CPU others took while this run measured: what tells a figure from a guess.

use anyhow::{Context, Result};

/// A moment in the life of the machine.
pub struct Disturbance {
    all: Ticks,
    own: u64,
}

#[derive(Clone, Copy)]
struct Ticks {
    busy: u64,
    total: u64,
}

impl Disturbance {
    /// Begins to watch.
    pub fn watch() -> Result<Self> {
        let stat = std::fs::read_to_string("/proc/stat")?;
        let own = std::fs::read_to_string("/proc/self/stat")?;
        Ok(Self { all: machine(&stat)?, own: family(&own)? })
    }

    /// The share of all CPUs since then that neither this process nor its ended children used.
    pub fn share(&self) -> Result<f64> {
        let now = Self::watch()?;
        let busy = now.all.busy.saturating_sub(self.all.busy) as f64;
        let own = now.own.saturating_sub(self.own) as f64;
        let total = now.all.total.saturating_sub(self.all.total) as f64;
        Ok(if total > 0.0 { ((busy - own) / total).max(0.0) } else { 0.0 })
    }
}

/// The first line of `/proc/stat`: user, nice, system, idle, iowait, irq, softirq, steal.
fn machine(stat: &str) -> Result<Ticks> {
    let line = stat.lines().next().context("an empty /proc/stat")?;
    let fields: Vec<u64> =
        line.split_whitespace().skip(1).take(8).map(str::parse).collect::<Result<_, _>>()?;
    let total = fields.iter().sum();
    let still: u64 = fields.iter().skip(3).take(2).sum();
    Ok(Ticks { busy: total - still, total })
}

/// A process's own user and system time and that of its ended children, from its `stat`.
fn family(stat: &str) -> Result<u64> {
    let (_, fields) = stat.rsplit_once(')').context("no name in /proc/self/stat")?;
    let times = fields.split_whitespace().skip(11).take(4);
    Ok(times.map(str::parse::<u64>).sum::<Result<u64, _>>()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_read_from_the_kernel_s_lines() {
        let ticks = machine("cpu  10 1 5 100 4 0 2 3 0 0\n").expect("a good line");
        assert_eq!((ticks.busy, ticks.total), (21, 125));
        let line = "7 (a) b) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 20 0";
        assert_eq!(family(line).expect("a good line"), 11 + 12 + 13 + 14);
    }
}
