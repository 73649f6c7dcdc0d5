//! The textbook's means of communication between processes, compared on this machine: how long a round trip takes, how many messages go in a
//! second, what they cost, and who keeps order. Then the race that shared memory alone does not prevent, and three ways to prevent it.
//!
//! `cargo run --release --example ipc_tour` starts itself as the other process of each. It takes a few seconds.
#![allow(
    clippy::print_stdout,
    unreachable_pub,
    reason = "an example prints, and a program exports nothing"
)]

#[cfg(target_os = "linux")]
#[path = "tour.rs"]
mod tour;

use std::process::ExitCode;

#[cfg(target_os = "linux")]
fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match tour::run(&arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("ipc_tour: {error}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(not(target_os = "linux"))]
fn main() -> ExitCode {
    println!("half of these means are Linux's: run this there");
    ExitCode::SUCCESS
}
