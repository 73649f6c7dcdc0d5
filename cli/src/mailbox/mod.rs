//! `farcall mailbox ..`: what can be done with mailboxes from a shell.

mod wording;

mod reach;
mod shape;

mod content;
mod look;
mod recv;
mod send;
mod serve;

pub(crate) use wording::terms_text;

use crate::{failure::Failure, output::Output};
use clap::Subcommand;

/// What can be done with mailboxes.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Hosts mailboxes until it is told to end, by SIGTERM or SIGINT.
    Serve(serve::Arguments),
    /// Lists mailboxes, with what they hold.
    Ls(look::ListArguments),
    /// Shows the letters of a mailbox without taking them.
    Peek(look::PeekArguments),
    /// Sends letters.
    Send(send::Arguments),
    /// Takes letters.
    Recv(recv::Arguments),
}

pub(crate) async fn run(command: Command, output: Output) -> Result<(), Failure> {
    match command {
        Command::Serve(arguments) => serve::run(arguments, output).await,
        Command::Ls(arguments) => look::list(arguments, output).await,
        Command::Peek(arguments) => look::peek(arguments, output).await,
        Command::Send(arguments) => send::run(arguments, output).await,
        Command::Recv(arguments) => recv::run(arguments, output).await,
    }
}
