//! farcall beside raw sockets and its peers: the same work, side by side, in one run.
//!
//! `compare` is the conductor. It starts this same program again as `serve` (one row's server) and
//! `drive` (its client), tells the client what to do line by line, and writes what it saw into
//! `results/`. A peer is one file in `rows/` and one line in `rows.rs`.

mod arguments;

mod child;
mod compare;
mod measure;
mod pair;
mod standing;
mod workshop;

mod drive;
mod serve;
mod words;

mod rows;

mod calls;
mod client;
mod driver;
#[cfg(any(feature = "capnp", feature = "farcall-rows", feature = "remoc"))]
mod objects;
mod placement;
#[cfg(any(feature = "capnp", feature = "farcall-rows", feature = "remoc"))]
mod relay;
mod row;
mod stopwatch;
mod usage;
mod work;

mod bars;
mod chart;
mod disturbance;
mod host;
mod markdown;
mod report;
mod results;
mod size;
mod units;

use std::process::ExitCode;

use arguments::Command;

fn main() -> ExitCode {
    let outcome = match Command::parse(std::env::args().skip(1)) {
        Ok(Command::Compare(options)) => compare::run(&options),
        Ok(Command::Render { check }) => results::render_again(check),
        Ok(Command::Size) => size::run(),
        Ok(Command::Serve(role)) => serve::run(&role).map(|()| true),
        Ok(Command::Drive(role)) => drive::run(&role).map(|()| true),
        Ok(Command::Clean(directory)) => workshop::clean(&directory),
        Err(error) => {
            eprintln!("{error:#}\n\n{}", arguments::USAGE);
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
