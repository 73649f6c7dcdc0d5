//! A server is killed again and again and started again at its address, under many clients, which must all come back by themselves.
//!
//! The clients are connections of a few processes, each with a caller of its own. After each start every one of them must be answered, and
//! in the end the processes hold no more than after the first starts. No call may last longer than its deadline.

mod weather;

use super::{
    arguments::{Storm, Transport},
    ledger::{Server, Verdict},
};
use anyhow::Result;
use std::time::Duration;
use weather::Weather;

/// Runs the storm over each transport in turn. Whether every promise was kept.
pub(crate) fn run(storm: &Storm) -> Result<bool> {
    let mut clean = true;
    for &transport in &storm.transports {
        let blown = blow(storm, transport)?;
        println!(
            "storm over {}: {} clients, {} restarts in {:?}, seed {}",
            transport.scheme(),
            storm.clients,
            storm.restarts,
            storm.time,
            storm.seed
        );
        blown.print();
        clean &= blown.verdict.is_clean();
    }
    Ok(clean)
}

/// What came of a storm.
struct Blown {
    verdict: Verdict,
    /// From the start of a server until all clients were answered, at most.
    back: Duration,
    /// The longest call.
    longest: Duration,
    /// Bytes that a process of clients has gained at most.
    grown: usize,
}

impl Blown {
    fn print(&self) {
        println!("  clients    all back within {:.1?} at most", self.back);
        println!("  longest    call: {:.1?}", self.longest);
        println!("  memory     at most {} KiB more", self.grown >> 10);
        self.verdict.print();
    }
}

fn blow(storm: &Storm, transport: Transport) -> Result<Blown> {
    let mut weather = Weather::begin(storm, transport)?;
    let blown = weather.blow(storm);
    let Weather { mut scene, back, longest, grown, .. } = match blown {
        Ok(()) => weather.end(),
        Err(error) => weather.abandon(&error),
    };
    scene.close(&[])?;
    let verdict = scene.ledger.judge(|_| Server::Mortal);
    if !verdict.is_clean() {
        println!("journals of what went wrong: {}", scene.keep().display());
    }
    Ok(Blown { verdict, back, longest, grown })
}
