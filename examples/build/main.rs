//! Packs a directory tree with several worker processes: each file goes to one of them as a stream, which hands what it packed to another
//! one to check, and comes back as a stream. The coordinator unpacks and compares everything itself. A worker may be killed meanwhile.
//!
//! ```text
//! cargo run --release --example build [-- [--workers N] [--lose] [PATH]]    packs PATH (this project); --lose kills a worker
//! cargo run --release --example build -- worker                            one more worker, for the configured address
//! ```
//!
//! `FARCALL__SERVICES__BUILD__LISTEN=tcp://127.0.0.1:0` moves all of it from shared memory to TCP.
#![allow(
    clippy::print_stdout,
    unreachable_pub,
    reason = "an example prints, and a program exports nothing"
)]

mod bar;
mod build;
mod coordinator;
mod crew;
mod files;
mod job;
mod packer;

use coordinator::{Built, Coordinator};
use std::{
    env,
    path::PathBuf,
    process::{self, ExitCode},
};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

#[tokio::main]
async fn main() -> ExitCode {
    let done = match env::args().nth(1).as_deref() {
        Some("worker") => packer::work().await.map_err(Into::into),
        _ => coordinate().await.map(|built| println!("{built}")),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("build: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn coordinate() -> Result<Built> {
    let (mut root, mut workers, mut lose) = (env!("CARGO_MANIFEST_DIR").into(), 3, false);
    let mut arguments = env::args_os().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.to_str() {
            Some("--lose") => lose = true,
            Some("--workers") => {
                let number = arguments.next().and_then(|number| number.to_str()?.parse().ok());
                workers = number.ok_or("after --workers goes how many")?;
            }
            _ => root = PathBuf::from(argument),
        }
    }
    let configured = env::var_os("FARCALL__SERVICES__BUILD__LISTEN").is_some();
    let address = if configured { "build".to_owned() } else { format!("build-{}", process::id()) };
    Coordinator { parts: files::below(&root)?, workers, lose }.run(&address).await
}
