//! What was seen of one thing, look by look, and whether it grows.

/// Bytes that a process may gain, whatever it does: how much of malloc's memory is in use changes all the time.
const GROWTH: u64 = 16 << 20;
/// How many times slower calls may be in the second half, and below how many microseconds it does not matter.
const SLOWER: (u64, u64) = (4, 20_000);

/// Values in the order of time.
#[derive(Default, Debug)]
pub(super) struct Series(Vec<u64>);

impl Series {
    pub(super) fn push(&mut self, value: u64) {
        self.0.push(value);
    }

    pub(super) fn last(&self) -> u64 {
        self.0.last().copied().unwrap_or_default()
    }

    /// By how much it grows from the first look to the last, on the straight line that is nearest to all of them (least squares).
    pub(super) fn growth(&self) -> f64 {
        let count = self.0.len() as f64;
        if self.0.len() < 2 {
            return 0.0;
        }
        let (middle, mean) = ((count - 1.0) / 2.0, self.0.iter().sum::<u64>() as f64 / count);
        let points = self.0.iter().enumerate();
        let (mut up, mut along) = (0.0, 0.0);
        for (look, value) in points {
            let step = look as f64 - middle;
            up += step * (*value as f64 - mean);
            along += step * step;
        }
        up / along * (count - 1.0)
    }

    /// The same of bytes, for people.
    pub(super) fn told_growth(&self) -> String {
        format!("{:+.0} KiB over all looks", self.growth() / 1024.0)
    }

    /// What is wrong with bytes that grow.
    pub(super) fn grows(&self) -> Option<String> {
        let growth = self.growth();
        (growth > GROWTH as f64).then(|| format!("grows: {}", self.told_growth()))
    }

    /// The middle value of the first half.
    pub(super) fn first_half(&self) -> u64 {
        median(&self.0[..self.0.len().div_ceil(2)])
    }

    /// The middle value of the second half.
    pub(super) fn last_half(&self) -> u64 {
        median(&self.0[self.0.len() / 2..])
    }

    /// What is wrong with microseconds that become more.
    pub(super) fn slows(&self) -> Option<String> {
        let (before, after) = (self.first_half(), self.last_half());
        let slower = after > SLOWER.1 && after > before.saturating_mul(SLOWER.0);
        slower.then(|| format!("calls become slow: {before} us became {after} us"))
    }
}

fn median(values: &[u64]) -> u64 {
    let mut values = values.to_vec();
    values.sort_unstable();
    values.get(values.len() / 2).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(values: impl IntoIterator<Item = u64>) -> Series {
        Series(values.into_iter().collect())
    }

    #[test]
    fn what_stays_as_it_is_is_good() {
        let noisy = series([50, 30, 60, 40, 50, 30, 60, 40].map(|mega| mega << 20));
        assert_eq!(noisy.grows(), None);
        assert_eq!(series([]).grows(), None);
        assert_eq!(series([7 << 30]).grows(), None);
        assert_eq!(series([90 << 20, 20 << 20]).grows(), None);
    }

    #[test]
    fn what_grows_is_found() {
        let leak = series((0..11).map(|look| (100 + 3 * look) << 20));
        assert!((leak.growth() - f64::from(30 << 20)).abs() < 1.0);
        assert_eq!(leak.grows().as_deref(), Some("grows: +30720 KiB over all looks"));
    }

    #[test]
    fn calls_that_become_slow_are_found() {
        assert_eq!(series([9000, 9000, 30_000, 9000, 30_000]).slows(), None);
        assert_eq!(series([100, 100, 19_000, 19_000]).slows(), None);
        assert_eq!(
            series([9000, 9000, 90_000, 90_000]).slows().as_deref(),
            Some("calls become slow: 9000 us became 90000 us")
        );
    }
}
