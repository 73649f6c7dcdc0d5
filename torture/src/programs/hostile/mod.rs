//! A client and a server whose shared memory says what nobody should say, and strangers at the door; the others do not notice.
//!
//! The liars are honest processes: what is written into their segments comes from here, through `/proc`, word by word and at
//! random, while their peers work. So both sides of a connection are lied to, and nothing in the product has to know how to lie.

mod door;
mod segment;
mod victims;

use super::{
    arguments::{Options, Transport},
    ledger::{Number, Server},
};
use anyhow::Result;
use victims::Victims;

/// Plays the rounds. Whether every promise was kept.
pub(crate) fn run(options: &Options) -> Result<bool> {
    let mut victims = Victims::new(Transport::Shm, options.seed)?;
    let played = victims.play(options.rounds);
    let (mut scene, counts) = victims.end(played.err());
    println!("hostile over shm: {} rounds, seed {}", options.rounds, options.seed);
    counts.print();
    scene.close(&counts.liars)?;
    let verdict = scene.ledger.judge(|number| match number {
        Number { server: 0, .. } => Server::Unharmed,
        _ => Server::Liar,
    });
    verdict.print();
    if !verdict.is_clean() {
        println!("  journals   {}", scene.keep().display());
    }
    Ok(verdict.is_clean())
}
