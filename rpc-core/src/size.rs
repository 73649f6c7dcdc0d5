//! Sizes as people write them: `16MiB`.

/// The units of a size, and their bytes.
const UNITS: [(&str, usize); 4] = [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("B", 1)];

/// The bytes that `text` names: a number, in digits of that radix, and a unit where it is not bytes.
#[must_use]
pub fn parse(text: &str, radix: u32) -> Option<usize> {
    let (number, unit) = UNITS
        .iter()
        .find_map(|(unit, bytes)| Some((text.strip_suffix(unit)?, *bytes)))
        .unwrap_or((text, 1));
    usize::from_str_radix(number.trim_end(), radix).ok()?.checked_mul(unit)
}
