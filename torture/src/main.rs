//! Programs that hurt farcall and keep a ledger of every call: `kills`, `objects`, `letters`, `hostile`, `storm`, `polls`, `faults`, `soak`,
//! `hosts`.
//! Each exits with 1 if a promise was broken.
//!
//! But for `polls` and `faults`, a program starts this same program again as servers and clients, in processes of their own, and tells them what to do line by
//! line. What they do they write into journals, which survive their death; the ledger is what the journals say in the end.
#![cfg_attr(
    target_os = "linux",
    allow(clippy::print_stdout, reason = "a program prints its ledger")
)]

#[cfg(target_os = "linux")]
mod programs;

use std::process::ExitCode;

#[cfg(target_os = "linux")]
fn main() -> ExitCode {
    programs::run(std::env::args().skip(1))
}

#[cfg(not(target_os = "linux"))]
fn main() -> ExitCode {
    eprintln!("the processes are looked at through /proc: run this on Linux");
    ExitCode::FAILURE
}
