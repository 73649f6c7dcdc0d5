//! Producers and consumers of a mailbox are killed at random instants, and sometimes its host; every letter is accounted for.
//!
//! In each round a process hosts a mailbox, three send letters to it and three receive, with two threads each. What they do they note in
//! journals: who is killed leaves one too. When all is over the mailbox must be empty and take a full load at once, and its counts and its
//! dead letters must be what the journals say. None that was accepted is lost; none comes twice unless it says so, and unless somebody died
//! with it or gave it back; those of a sender come in order. What a letter encloses is whole whoever has died, and its sender can be called
//! as long as it lives. Capacity, policy, what a crash does and who is killed differ from round to round.
//!
//! Some mailboxes are for two processes. A third knocks at these all the time, and is told who has them; the place of one that was killed is
//! free, and another one takes it.

mod consumer;
mod host;
mod producer;
mod reply;
mod role;
mod sink;
mod stream;

mod audit;
mod deal;
mod item;
mod pair;
mod plan;
mod round;

mod books;
mod calls;
mod judge;
mod order;
mod records;
mod tally;
mod told;

pub(crate) use consumer::run as consume;
pub(crate) use host::run as host;
pub(crate) use producer::run as produce;

use super::arguments::{Options, Transport};
use anyhow::{Result, anyhow};
use fastrand::Rng;
use round::Round;
use std::{fs, thread};
use tally::Tally;

/// Runs the rounds of each transport, all transports at a time. Whether every promise was kept.
pub(crate) fn run(options: &Options) -> Result<bool> {
    let shares: Vec<_> = options.shares().collect();
    let played = thread::scope(|scope| {
        let play = |(transport, rounds)| {
            (transport, rounds, scope.spawn(move || play(transport, rounds, options.seed)))
        };
        let playing: Vec<_> = shares.into_iter().map(play).collect();
        let played = playing.into_iter().map(|(transport, rounds, playing)| {
            let tally = playing.join().map_err(|_| anyhow!("a stage panicked"))??;
            Ok((transport, rounds, tally))
        });
        played.collect::<Result<Vec<_>>>()
    })?;
    let mut clean = true;
    for (transport, rounds, tally) in played {
        println!("letters over {}: {rounds} rounds, seed {}", transport.scheme(), options.seed);
        tally.print();
        clean &= tally.is_clean();
    }
    Ok(clean)
}

/// What breaks off a round is a broken promise too, and the end of the rounds.
fn play(transport: Transport, rounds: usize, seed: u64) -> Result<Tally> {
    let folder = tempfile::Builder::new().prefix("torture-").tempdir()?;
    let mut random = Rng::with_seed(seed);
    let mut tally = Tally::default();
    for number in 0..rounds {
        let own = folder.path().join(number.to_string());
        fs::create_dir(&own)?;
        let round = Round::begin(number, transport, &own, &mut random);
        if let Err(error) = round.and_then(|round| round.play(&mut tally)) {
            tally.object(format!("round {number} ({}): {error:#}", deal::Deal::of(number)));
            break;
        }
        if tally.is_clean() {
            fs::remove_dir_all(own)?;
        }
    }
    tally.end();
    if !tally.is_clean() {
        println!("its journals: {}", folder.keep().display());
    }
    Ok(tally)
}
