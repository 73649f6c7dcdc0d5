//! Times calls, one clock read each, into memory that was touched beforehand.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

/// What one client saw in one go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// Calls that were answered.
    pub calls: u64,
    /// How long they took together.
    pub nanoseconds: u64,
    /// Half of the calls took no longer; sequential work only.
    pub p50: Option<u64>,
    /// 99 of 100 calls took no longer; sequential work only.
    pub p99: Option<u64>,
    /// CPU time of both processes; filled in by the conductor.
    pub cpu_nanoseconds: u64,
}

impl Measured {
    /// `calls` since `started`, without the time of each.
    pub fn bulk(calls: u64, started: Instant) -> Self {
        Self { calls, nanoseconds: nanoseconds(started.elapsed()), ..Self::default() }
    }
}

/// Laps until its time is over.
pub struct Stopwatch {
    laps: Vec<u64>,
    time: Duration,
    started: Instant,
    last: Instant,
}

impl Stopwatch {
    /// Makes room for all laps that fit into `time`, then starts.
    pub fn start(time: Duration) -> Self {
        let room = (nanoseconds(time) / SHORTEST) as usize + 1;
        let mut laps = vec![1; room];
        laps.clear();
        let now = Instant::now();
        Self { laps, time, started: now, last: now }
    }

    /// Ends a lap and begins the next; false once the time is over.
    pub fn lap(&mut self) -> bool {
        let now = Instant::now();
        self.laps.push(nanoseconds(now - self.last));
        self.last = now;
        now - self.started < self.time
    }

    /// Times `call`, over and over, until the time is over.
    pub fn run(
        time: Duration,
        mut call: impl FnMut() -> anyhow::Result<()>,
    ) -> anyhow::Result<Measured> {
        let mut watch = Self::start(time);
        loop {
            call()?;
            if !watch.lap() {
                return Ok(watch.finish());
            }
        }
    }

    /// What was seen.
    pub fn finish(mut self) -> Measured {
        Measured {
            calls: self.laps.len() as u64,
            nanoseconds: nanoseconds(self.last - self.started),
            p50: percentile(&mut self.laps, 50),
            p99: percentile(&mut self.laps, 99),
            cpu_nanoseconds: 0,
        }
    }
}

/// The value that `percent` of 100 do not exceed.
fn percentile(values: &mut [u64], percent: usize) -> Option<u64> {
    let last = values.len().checked_sub(1)?;
    let (_, value, _) = values.select_nth_unstable(last * percent / 100);
    Some(*value)
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// No remote call is faster than this, in nanoseconds.
const SHORTEST: u64 = 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_the_sorted_values() {
        let mut values: Vec<u64> = (0..=100).rev().collect();
        assert_eq!(percentile(&mut values, 50), Some(50));
        assert_eq!(percentile(&mut values, 99), Some(99));
        assert_eq!(percentile(&mut [], 50), None);
    }

    #[test]
    fn a_run_ends_when_its_time_is_over() {
        let measured = Stopwatch::run(Duration::from_millis(2), || Ok(())).expect("nothing fails");
        assert!(measured.calls > 0 && measured.nanoseconds >= 2_000_000);
    }
}
