//! The command `farcall`. What it finds goes to standard output, what it has to say to standard error, and its exit code says how it
//! went.

mod failure;
mod mailbox;
mod output;
mod store;

use clap::{Parser, Subcommand, ValueEnum};
use failure::Failure;
use std::process::ExitCode;
use tracing_subscriber::filter::LevelFilter;

/// What the exit codes mean, as `--help` says it.
const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  it failed: standard error says why, and what to do
  2  the command line is wrong
  3  nothing was there, or nothing happened in time

Where names stand for mailboxes: FARCALL_CONFIG, the first farcall.toml above the current folder, and FARCALL__SERVICES__.. variables.";

/// Hosts mailboxes that outlive their users, and looks into, sends to and receives from any.
#[derive(Parser)]
#[command(name = "farcall", version, after_help = EXIT_CODES)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// What is logged on standard error.
    #[arg(long, global = true, value_enum, default_value_t = Log::Warn)]
    log: Log,
    /// Writes what is found as lines of JSON.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Subcommand)]
enum Command {
    /// Mailboxes: letters between processes.
    #[command(subcommand, after_help = EXIT_CODES)]
    Mailbox(mailbox::Command),
}

/// How much is logged.
#[derive(Clone, Copy, ValueEnum)]
enum Log {
    Off,
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    log(arguments.log);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let done = match runtime {
        Ok(runtime) => {
            let done = runtime.block_on(run(arguments));
            // A thread that waits for standard input would hold it up.
            runtime.shutdown_background();
            done
        }
        Err(error) => Err(Failure::Failed(format!("no threads for it: {error}"))),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("farcall: {failure}");
            failure.exit_code()
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), Failure> {
    let output = output::Output::new(arguments.json);
    match arguments.command {
        Command::Mailbox(command) => mailbox::run(command, output).await,
    }
}

fn log(log: Log) {
    let level = match log {
        Log::Off => LevelFilter::OFF,
        Log::Error => LevelFilter::ERROR,
        Log::Warn => LevelFilter::WARN,
        Log::Info => LevelFilter::INFO,
        Log::Debug => LevelFilter::DEBUG,
        Log::Trace => LevelFilter::TRACE,
    };
    tracing_subscriber::fmt().with_max_level(level).with_writer(std::io::stderr).init();
}
