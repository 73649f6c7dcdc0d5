//! A web server whose requests are answered by another process: that one may die, and be started again, while the server goes on.
//!
//! ```text
//! cargo run --release --example web                       starts both, asks, kills the handler, starts it again; fails if an answer is wrong
//! cargo run --release --example web -- serve [ADDRESS]    stays, at 127.0.0.1:8080 unless told otherwise
//! ```
#![allow(
    clippy::print_stdout,
    unreachable_pub,
    reason = "an example prints, and a program exports nothing"
)]

mod front;
mod part;
mod site;
mod visit;

use part::Part;
use std::{
    env,
    process::{self, ExitCode},
};
use visit::expect;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let done = match arguments[..] {
        ["handler", service] => site::handle(service).await,
        ["front", service] => part::while_parent_lives(front::serve(service, "127.0.0.1:0")).await,
        ["serve"] => serve("127.0.0.1:8080").await,
        ["serve", address] => serve(address).await,
        _ => check().await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("web: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Serves until this process is ended, with a handler that is started again whenever it has died.
async fn serve(address: &str) -> Result<()> {
    let service = format!("web-{}", process::id());
    let name = service.clone();
    let handling = tokio::task::spawn_blocking(move || {
        loop {
            let ended = Part::start("handler", &name)?.wait()?;
            eprintln!("web: the handler has ended ({ended}), and is started again");
        }
    });
    tokio::select! {
        served = front::serve(&service, address) => served,
        failed = handling => failed?,
    }
}

/// Plays both parts and the visitor.
async fn check() -> Result<()> {
    let service = format!("web-{}", process::id());
    let mut handler = Part::start("handler", &service)?;
    let (_front, address) = Part::start("front", &service)?.line()?;
    let address = address.trim_start_matches("http://");

    expect(address, "GET /", "", 200, &format!("visit 1 to process {}", handler.id())).await?;
    expect(address, "GET /square/12", "", 200, "144").await?;
    expect(address, "GET /square/twelve", "", 400, "`twelve` is no number that can be squared")
        .await?;
    expect(address, "POST /shout", "who is there?", 200, "WHO IS THERE?").await?;
    expect(address, "GET /nowhere", "", 404, "there is nothing at /nowhere").await?;
    expect(address, "GET /bug", "", 500, "the handler has a bug").await?;
    expect(address, "GET /", "", 200, &format!("visit 2 to process {}", handler.id())).await?;

    handler.kill()?;
    expect(address, "GET /", "", 503, "nobody handles this just now: try again").await?;
    expect(address, "POST /shout", "still?", 503, "nobody handles this just now: try again")
        .await?;
    let handler = Part::start("handler", &service)?;
    // As a browser's user would.
    while visit::ask(address, "GET /nowhere", "").await?.0 == 503 {}
    expect(address, "GET /", "", 200, &format!("visit 1 to process {}", handler.id())).await?;
    println!("the handler was killed and started again, and the server went on");
    Ok(())
}
