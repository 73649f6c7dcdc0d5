//! A trait, called in another process: `cargo run --example hello`
#![allow(clippy::print_stdout, reason = "an example prints")]

use farcall::Remote;
use std::{env, process};

#[farcall::remote]
trait Greeter {
    async fn greet(&self, name: &str) -> farcall::Result<String>;
}

struct Polite;

impl Greeter for Polite {
    async fn greet(&self, name: &str) -> farcall::Result<String> {
        Ok(format!("Hello, {name}! I am process {}.", process::id()))
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    if env::args().nth(1).as_deref() == Some("serve") {
        return Ok(farcall::serve("greeter", Remote::<dyn Greeter>::new(Polite)).await?);
    }
    let mut server = process::Command::new(env::current_exe()?).arg("serve").spawn()?;
    let greeting = greet().await;
    server.kill()?;
    println!("{}", greeting?);
    Ok(())
}

async fn greet() -> farcall::Result<String> {
    let greeter = farcall::connect::<dyn Greeter>("greeter").await?;
    greeter.greet(&format!("process {}", process::id())).await
}
