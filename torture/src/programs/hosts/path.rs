//! What becomes of packets on their way: they are delayed, overtaken, lost, doubled, or do not come through at all.

use fastrand::Rng;
use std::time::Duration;

/// Which way packets go.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Way {
    /// From the clients to the server.
    There,
    Back,
}

/// How packets fare.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Path {
    /// What each takes at least.
    pub(super) delay: Duration,
    /// What it takes longer, at most: whoever takes less overtakes others.
    pub(super) jitter: Duration,
    /// The part of them that is lost.
    pub(super) lost: f64,
    /// The part of them that comes twice.
    pub(super) twice: f64,
    /// Nothing goes there, nor back.
    pub(super) closed: [bool; 2],
}

/// How many packets have fared how.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(super) struct Counts {
    pub(super) arrived: u64,
    pub(super) lost: u64,
    pub(super) twice: u64,
    pub(super) overtaken: u64,
    /// Those that met a closed path.
    pub(super) stopped: u64,
}

impl Path {
    /// Nothing happens to them.
    pub(super) const CLEAN: Self = Self {
        delay: Duration::ZERO,
        jitter: Duration::ZERO,
        lost: 0.0,
        twice: 0.0,
        closed: [false, false],
    };

    /// After which times a packet arrives: never, once or twice.
    pub(super) fn fate(
        &self,
        way: Way,
        random: &mut Rng,
        counts: &mut Counts,
    ) -> [Option<Duration>; 2] {
        if self.closed[way as usize] {
            counts.stopped += 1;
            return [None, None];
        }
        if random.f64() < self.lost {
            counts.lost += 1;
            return [None, None];
        }
        let is_doubled = random.f64() < self.twice;
        counts.twice += u64::from(is_doubled);
        let mut time = || self.delay + self.jitter.mul_f64(random.f64());
        [Some(time()), is_doubled.then(time)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACKETS: u64 = 10_000;

    /// What becomes of many packets: how many times they arrive, and their counts.
    fn sent(path: Path, way: Way) -> (Vec<Duration>, Counts) {
        let (mut random, mut counts) = (Rng::with_seed(7), Counts::default());
        let fates = (0..PACKETS).flat_map(|_| path.fate(way, &mut random, &mut counts));
        (fates.flatten().collect(), counts)
    }

    #[test]
    fn a_clean_path_does_nothing() {
        let (times, counts) = sent(Path::CLEAN, Way::There);
        assert_eq!((times.len() as u64, counts), (PACKETS, Counts::default()));
        assert!(times.iter().all(Duration::is_zero));
    }

    #[test]
    fn a_closed_way_is_closed_one_way() {
        let path = Path { closed: [true, false], ..Path::CLEAN };
        let (times, counts) = sent(path, Way::There);
        assert!(times.is_empty());
        assert_eq!(counts, Counts { stopped: PACKETS, ..Counts::default() });
        assert_eq!(sent(path, Way::Back).0.len() as u64, PACKETS);
    }

    #[test]
    fn about_as_many_are_lost_and_doubled_as_was_said() {
        let (times, counts) = sent(Path { lost: 0.05, twice: 0.2, ..Path::CLEAN }, Way::Back);
        assert!((400..600).contains(&counts.lost), "{counts:?}");
        assert!((1700..2100).contains(&counts.twice), "{counts:?}");
        assert_eq!(times.len() as u64, PACKETS - counts.lost + counts.twice);
    }

    #[test]
    fn delays_lie_within_the_jitter() {
        let (delay, jitter) = (Duration::from_millis(20), Duration::from_millis(5));
        let (times, _) = sent(Path { delay, jitter, ..Path::CLEAN }, Way::There);
        assert!(times.iter().all(|time| (delay..=delay + jitter).contains(time)));
        assert!(times.iter().any(|time| *time < delay + jitter / 10));
        assert!(times.iter().any(|time| *time > delay + jitter * 9 / 10));
    }
}
