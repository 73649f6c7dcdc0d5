//! Figures as people read them: three digits and a unit.

/// `n` in three significant digits, without an exponent.
fn digits(n: f64) -> String {
    match n.abs() {
        n if n >= 99.95 => format!("{n:.0}"),
        n if n >= 9.995 => format!("{n:.1}"),
        n => format!("{n:.2}"),
    }
}

/// `0.43 µs`, `2.60 ms`.
pub fn duration(nanoseconds: f64) -> String {
    match nanoseconds {
        n if n < 999.5e3 => format!("{} µs", digits(n / 1e3)),
        n if n < 999.5e6 => format!("{} ms", digits(n / 1e6)),
        n => format!("{} s", digits(n / 1e9)),
    }
}

/// `331 k/s`, `7.80 M/s`.
pub fn rate(per_second: f64) -> String {
    match per_second {
        n if n < 999.5e3 => format!("{} k/s", digits(n / 1e3)),
        n => format!("{} M/s", digits(n / 1e6)),
    }
}

/// `64 B`, `4 KiB`, `1 MiB`: exact where it is a whole number.
pub fn bytes(n: f64) -> String {
    let (n, unit) = match n {
        n if n < 1024.0 => (n, "B"),
        n if n < 1048576.0 => (n / 1024.0, "KiB"),
        n => (n / 1048576.0, "MiB"),
    };
    if n.fract() == 0.0 { format!("{n:.0} {unit}") } else { format!("{} {unit}", digits(n)) }
}

/// CPU seconds per million calls.
pub fn cpu(seconds_per_million: f64) -> String {
    digits(seconds_per_million)
}

/// `0.75 ×`.
pub fn ratio(n: f64) -> String {
    format!("{} ×", digits(n))
}

/// `5 %`.
pub fn share(n: f64) -> String {
    format!("{:.0} %", n * 100.0)
}

/// The middle of `values`; the mean of the two middle ones where their number is even.
pub fn median(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        n if n % 2 == 1 => Some(values[middle]),
        _ => Some((values[middle - 1] + values[middle]) / 2.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_three_digits() {
        let table = [
            (duration(431.0), "0.43 µs"),
            (duration(84_249.0), "84.2 µs"),
            (duration(999_499.0), "999 µs"),
            (duration(2.6e6), "2.60 ms"),
            (rate(331_000.0), "331 k/s"),
            (rate(7.8e6), "7.80 M/s"),
            (bytes(65536.0), "64 KiB"),
            (bytes(9_984.0), "9.75 KiB"),
        ];
        for (got, want) in table {
            assert_eq!(got, want);
        }
    }

    #[test]
    fn the_median_is_the_middle() {
        assert_eq!(median([]), None);
        assert_eq!(median([3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median([4.0, 1.0]), Some(2.5));
    }
}
