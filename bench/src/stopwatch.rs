//! Times calls, one clock read each, into memory that was touched beforehand.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

/// What one client saw in one go.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// Calls that were answered.
    pub calls: u64,
    /// How long they took together.
    pub nanoseconds: u64,
    /// Half of the calls took no longer; sequential work only.
    pub p50: Option<u64>,
    /// 99 of 100 calls took no longer; sequential work only.
    pub p99: Option<u64>,
    /// 999 of 1000 calls took no longer; sequential work only.
    pub p999: Option<u64>,
    /// CPU time of both processes; filled in by the conductor.
    pub cpu_nanoseconds: u64,
    /// How long each call took, where the conductor is to put those of several clients together; else nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub laps: Vec<u64>,
}

impl Measured {
    /// `calls` since `started`, without the time of each.
    pub fn bulk(calls: u64, started: Instant) -> Self {
        Self { calls, nanoseconds: nanoseconds(started.elapsed()), ..Self::default() }
    }

    /// What clients saw that did the same at once.
    pub fn together(clients: &[Self]) -> Self {
        let laps = clients.iter().flat_map(|client| &client.laps).copied().collect();
        let longest = clients.iter().map(|client| client.nanoseconds).max();
        Self::of(laps, longest.unwrap_or(0))
    }

    fn of(mut laps: Vec<u64>, nanoseconds: u64) -> Self {
        let [p50, p99, p999] = [500, 990, 999].map(|permille| quantile(&mut laps, permille));
        Self { calls: laps.len() as u64, nanoseconds, p50, p99, p999, ..Self::default() }
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
        self.lap_that_counts(true)
    }

    /// The same, where not all laps count.
    pub fn lap_that_counts(&mut self, counts: bool) -> bool {
        let now = Instant::now();
        if counts {
            self.laps.push(nanoseconds(now - self.last));
        }
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
    pub fn finish(self) -> Measured {
        Measured::of(self.laps, nanoseconds(self.last - self.started))
    }

    /// The same, for [`Measured::together`].
    pub fn finish_among_others(self) -> Measured {
        let nanoseconds = nanoseconds(self.last - self.started);
        Measured { nanoseconds, laps: self.laps, ..Measured::default() }
    }
}

/// The value that so many of 1000 do not exceed.
fn quantile(values: &mut [u64], permille: usize) -> Option<u64> {
    let last = values.len().checked_sub(1)?;
    let (_, value, _) = values.select_nth_unstable(last * permille / 1000);
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
    fn quantiles_are_of_the_sorted_values() {
        let mut values: Vec<u64> = (0..=1000).rev().collect();
        assert_eq!(quantile(&mut values, 500), Some(500));
        assert_eq!(quantile(&mut values, 990), Some(990));
        assert_eq!(quantile(&mut [], 500), None);
    }

    #[test]
    fn what_clients_saw_is_put_together_call_by_call() {
        let seen = |laps: Vec<u64>| Measured { laps, nanoseconds: 9, ..Measured::default() };
        let together = Measured::together(&[seen(vec![5, 3]), seen(vec![1])]);
        let Measured { calls, p50, p999, .. } = together;
        assert_eq!((calls, p50, p999), (3, Some(3), Some(3)));
    }

    #[test]
    fn a_run_ends_when_its_time_is_over() {
        let measured = Stopwatch::run(Duration::from_millis(2), || Ok(())).expect("nothing fails");
        assert!(measured.calls > 0 && measured.nanoseconds >= 2_000_000);
    }
}
