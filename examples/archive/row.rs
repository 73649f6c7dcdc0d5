//! A row of the table: one reading, beside the others.

use crate::reading::Reading;
use std::{fmt, time::Duration};

pub struct Row<'a> {
    pub address: &'a str,
    pub reading: &'a Reading,
    pub equal: bool,
}

impl Row<'_> {
    /// What stands above the rows.
    pub const HEAD: &'static str = "\
transport    files        bytes     calls   p50/call   p99/call   calls/s, 64 in flight   digest
---------   ------   ----------   -------   --------   --------   ---------------------   ------";
}

impl fmt::Display for Row<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let transport = self.address.split("://").next().unwrap_or_default();
        let Reading { total, calls, rate, .. } = self.reading;
        let micros = |time: Duration| format!("{:.1} us", time.as_secs_f64() * 1e6);
        let (p50, p99) = (micros(self.reading.percentile(50)), micros(self.reading.percentile(99)));
        let digest = if self.equal { "equal" } else { "DIFFERS" };
        write!(
            f,
            "{transport:<9}   {:>6}   {:>10}   {:>7}   {p50:>8}   {p99:>8}   {rate:>21.0}   {digest}",
            total.files,
            total.bytes,
            calls.len(),
        )
    }
}
