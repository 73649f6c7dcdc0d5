//! What there is to run: one file per program, and what they share.

mod arguments;
mod flags;
mod roles;

mod faults;
mod hostile;
mod hosts;
mod kills;
mod letters;
mod objects;
mod polls;
mod soak;
mod storm;

mod child;
mod leftovers;
mod orders;
mod panics;
mod scene;

mod bench;
mod caller;
mod client;
mod crowd;
mod gate;
mod server;

mod journal;
mod ledger;
mod loans;
mod work;

use arguments::Command;
use std::process::ExitCode;

/// What a program exits with that cannot run on this machine.
const SKIPPED: u8 = 3;

/// Runs what the arguments say.
pub(crate) fn run(arguments: impl Iterator<Item = String>) -> ExitCode {
    let outcome = match Command::parse(arguments) {
        Ok(Command::Kills(options)) => kills::run(&options),
        Ok(Command::Objects(options)) => objects::run(&options),
        Ok(Command::Letters(options)) => letters::run(&options),
        Ok(Command::Hostile(options)) => hostile::run(&options),
        Ok(Command::Soak(options)) => soak::run(&options),
        Ok(Command::Faults(options)) => faults::run(&options),
        Ok(Command::Polls(options)) => polls::run(&options),
        Ok(Command::Storm(options)) => storm::run(&options),
        Ok(Command::Hosts(options)) => match hosts::run(&options) {
            Ok(hosts::Outcome::Ran(clean)) => Ok(clean),
            Ok(hosts::Outcome::Impossible(why)) => {
                println!("SKIPPED: there can be no two hosts here: {why:#}");
                return ExitCode::from(SKIPPED);
            }
            Err(error) => Err(error),
        },
        Ok(Command::Far(role)) => hosts::serve(&role).map(|()| true),
        Ok(Command::Near(role)) => hosts::call(role).map(|()| true),
        Ok(Command::Serve(role)) => server::run(&role).map(|()| true),
        Ok(Command::Call(role)) => client::run(role).map(|()| true),
        Ok(Command::Crowd(role)) => crowd::run(role).map(|()| true),
        Ok(Command::Peer(role)) => objects::be(role).map(|()| true),
        Ok(Command::Host(role)) => letters::host(&role).map(|()| true),
        Ok(Command::Produce(role)) => letters::produce(role).map(|()| true),
        Ok(Command::Consume(role)) => letters::consume(role).map(|()| true),
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
