//! The machine that was measured on, in words that fit any machine.

use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::placement;

/// The machine and what built the program.
#[derive(Debug, Serialize, Deserialize)]
pub struct Host {
    pub processor: String,
    pub cpus: usize,
    pub is_virtual: bool,
    pub kernel: String,
    pub rustc: String,
}

impl Host {
    /// Looks around; what cannot be found out is `unknown`.
    pub fn look() -> Self {
        let processors = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let system = rustix::system::uname();
        Self {
            processor: value(&processors, "model name").unwrap_or("unknown").to_owned(),
            cpus: placement::allowed().map_or(0, |cpus| cpus.len()),
            is_virtual: value(&processors, "flags")
                .is_some_and(|flags| flags.split_whitespace().any(|flag| flag == "hypervisor")),
            kernel: format!(
                "{} {}",
                system.sysname().to_string_lossy(),
                system.release().to_string_lossy().split(['-', '+']).next().unwrap_or("unknown"),
            ),
            rustc: rustc_version().unwrap_or_else(|| "rustc unknown".to_owned()),
        }
    }

    /// One line for a reader.
    pub fn sentence(&self) -> String {
        let kind = if self.is_virtual { "virtual machine" } else { "machine" };
        let Self { processor, cpus, kernel, rustc, .. } = self;
        format!("{processor}, {kind} with {cpus} CPUs, {kernel}, {rustc}")
    }
}

fn value<'a>(processors: &'a str, key: &str) -> Option<&'a str> {
    let line = processors.lines().find(|line| line.starts_with(key))?;
    line.split_once(':').map(|(_, value)| value.trim())
}

fn rustc_version() -> Option<String> {
    let output = Command::new("rustc").arg("--version").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    Some(text.split_whitespace().take(2).collect::<Vec<_>>().join(" "))
}

/// Today, as `2026-01-31`.
pub fn today() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    date(since.as_secs() / 86_400)
}

/// The civil date of a day since 1970-01-01 (Howard Hinnant, `chrono`-compatible low-level date
/// algorithms).
fn date(days: u64) -> String {
    let shifted = days + 719_468;
    let era_day = shifted % 146_097;
    let era_year = (era_day - era_day / 1_460 + era_day / 36_524 - era_day / 146_096) / 365;
    let year_day = era_day - (365 * era_year + era_year / 4 - era_year / 100);
    let march_month = (5 * year_day + 2) / 153;
    let day = year_day - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    let year = shifted / 146_097 * 400 + era_year + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_have_dates() {
        let table = [(0, "1970-01-01"), (11_016, "2000-02-29"), (20_454, "2026-01-01")];
        for (days, want) in table {
            assert_eq!(date(days), want);
        }
    }
}
