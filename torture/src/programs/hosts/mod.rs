//! Two hosts on one machine: clients and a server in namespaces of their own, and between them a cable that delays, loses, doubles and
//! reorders packets, is cut one way or both, or goes down. They talk through the system's own TCP.
//!
//! Every call must end in time, and as is right for what became of it; none runs twice that may not. Streams and callbacks go through the
//! same cable. After each phase all clients must come back by themselves; while they are cut off, the server must notice and let go of what
//! it has of them.

mod far;
mod flow;
mod near;

mod cable;
mod namespace;
mod path;
mod phase;
mod pulse;
mod stage;

pub(crate) use far::run as serve;
pub(crate) use near::run as call;

use super::{
    arguments::Hosts,
    client::DEADLINE,
    ledger::{Server, Verdict},
};
use anyhow::Result;
use cable::Cable;
use farcall::Limits;
use phase::PHASES;
use stage::{Lived, Stage, Told};
use std::time::Duration;

/// Silence after which a peer is asked for a sign of life, and after which it is taken for dead.
const PING_AFTER: Duration = Duration::from_millis(800);
const DEAD_AFTER: Duration = Duration::from_millis(2500);

/// The bounds of both ends.
fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.deadline = DEADLINE;
    limits.ping_after = PING_AFTER;
    limits.dead_after = DEAD_AFTER;
    limits
}

/// What came of a run.
pub(crate) enum Outcome {
    /// Whether every promise was kept.
    Ran(bool),
    /// This machine, or this user, cannot have two hosts. Why.
    Impossible(anyhow::Error),
}

/// Lives through all phases.
pub(crate) fn run(options: &Hosts) -> Result<Outcome> {
    let cable = match Cable::lay(options.seed) {
        Ok(cable) => cable,
        Err(error) => return Ok(Outcome::Impossible(error)),
    };
    let mut stage = Stage::begin(options, cable)?;
    if let Err(error) = stage.play().and_then(|()| stage.end()) {
        stage.abandon(&error);
    }
    let Stage { mut scene, lived, told, .. } = stage;
    scene.close(&[])?;
    let harms = |phase: usize| match (lived.get(phase), PHASES.get(phase)) {
        (Some(lived), _) => lived.harms(),
        (None, phase) => phase.is_none_or(|phase| phase.harms),
    };
    let verdict = scene.ledger.judge(|number| match harms(number.server as usize) {
        true => Server::Mortal,
        false => Server::Unharmed,
    });
    println!(
        "hosts over tcp: {} clients, phases of {:?}, seed {}",
        options.clients, options.time, options.seed
    );
    print(&lived, &told, &verdict);
    if !verdict.is_clean() {
        println!("journals of what went wrong: {}", scene.keep().display());
    }
    Ok(Outcome::Ran(verdict.is_clean()))
}

fn print(lived: &[Lived], told: &Told, verdict: &Verdict) {
    for (number, Lived { phase, counts, back, dropped, stood }) in lived.iter().enumerate() {
        let path::Counts { arrived, lost, twice, overtaken, stopped } = counts;
        println!(
            "  {number:2} {:<24} {arrived:6} packets; {lost} lost, {twice} twice, {overtaken} overtaken, {stopped} stopped; all answered {back:.1?} later",
            phase.name
        );
        if let Some(dropped) = dropped {
            println!("     the server had dropped all clients within {dropped:.1?}");
        }
        if lived[number].harms() && !phase.harms {
            println!("     the machine stood still for {stood:.1?}: calls may have failed of that");
        }
    }
    let Told { longest, lost, streams, passed, broken } = told;
    println!("  longest    call: {longest:.1?}; {lost} failed with their connection");
    println!("  streams    {streams} to their end, {passed} callbacks; {broken} of both broke");
    println!("  (in the phase whose number is the server's below)");
    verdict.print();
}
