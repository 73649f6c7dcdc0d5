//! Every future that the library gives out is dropped after k polls, for every k until it is ready.
//!
//! Client and server are in this process, with a transport between them. Futures are dropped in three manners: between two polls, at some
//! time after one when what they wait for may have come, and after polls that nothing has asked for. After each, the connection must be at
//! rest as before: nothing lent, borrowed, served, held or open that was not, and the next call is answered. What the library says about
//! dropping that future must hold, too.

mod act;
mod calls;
mod cut;
mod letters;
mod places;
mod stage;
mod streams;
mod tally;

use super::{
    arguments::{Options, Transport},
    panics,
};
use act::ACTS;
use anyhow::{Context, Result};
use cut::{Cut, End, MANNERS};
use fastrand::Rng;
use stage::Stage;
use std::sync::atomic::Ordering;
use tally::Tally;
use tokio::runtime::Builder;

/// How those wait that are polled: a call whose answer comes while they spin is ready in its first poll.
const SPINS: [&str; 2] = ["off", "adaptive"];

/// Runs the rounds over each transport in turn. Whether every promise was kept.
pub(crate) fn run(options: &Options) -> Result<bool> {
    let panics = panics::count();
    let mut clean = true;
    for (transport, rounds) in options.shares() {
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let mut tally = Tally::default();
        for (number, spin) in SPINS.into_iter().enumerate() {
            let rounds = (rounds + 1 - number) / SPINS.len();
            runtime.block_on(play(transport, spin, (rounds, options.seed), &mut tally))?;
        }
        let panicked = panics.swap(0, Ordering::Relaxed);
        if panicked > 0 {
            tally.object(format!("{panicked} panics"));
        }
        tally.end();
        println!("polls over {}: {rounds} rounds, seed {}", transport.scheme(), options.seed);
        tally.print();
        clean &= tally.is_clean();
    }
    Ok(clean)
}

async fn play(
    transport: Transport,
    spin: &'static str,
    (rounds, seed): (usize, u64),
    tally: &mut Tally,
) -> Result<()> {
    let mut random = Rng::with_seed(seed);
    let stage = Stage::new(transport, spin).await?;
    for round in 0..rounds {
        for (number, act) in ACTS.iter().enumerate() {
            for manner in MANNERS {
                for polls in 0..=manner.most() {
                    let cut = Cut { polls, manner, pause: random.u64(..400) };
                    let told = || format!("round {round}, spin {spin}, {} after {cut}", act.name);
                    match (act.run)(&stage, cut).await.with_context(told) {
                        Ok(end) => tally.take(number, polls, end),
                        Err(error) => tally.object(format!("{error:#}")),
                    }
                    if let Err(error) = stage.rest().await.with_context(told) {
                        tally.object(format!("{error:#}"));
                        // What is left of it would be blamed on the next.
                        return Ok(());
                    }
                    if tally.last(number) != Some(End::Dropped) {
                        break;
                    }
                }
            }
        }
        if round == 0 {
            stage.remember_memory()?;
        }
    }
    if let Err(error) = stage.end().await {
        tally.object(format!("in the end: {error:#}"));
    }
    Ok(())
}
