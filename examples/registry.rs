//! Services found by name: a registry, owners that come and go, and a client that watches them. This program starts itself for each.
//!
//! `cargo run --example registry`
#![allow(clippy::print_stdout, reason = "an example prints")]

use farcall::{
    Remote, Server,
    naming::{self, Change, Names, Watcher},
};
use std::{env, error::Error, process};
use tokio::sync::mpsc;

#[farcall::remote]
trait Clock {
    async fn now(&self) -> farcall::Result<String>;
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["clock", city, name] => run_clock(city, name).await,
        _ => run_registry().await,
    }
}

/// Serves a clock wherever there is room, and binds its name.
async fn run_clock(city: &str, name: &str) -> Result<(), Box<dyn Error>> {
    let text = format!("noon in {city}, says process {}", process::id());
    let clock = Remote::<dyn Clock>::from_fn(move || {
        let text = text.clone();
        async move { Ok(text) }
    });
    let server = Server::new().export("clock", clock).listen("tcp://127.0.0.1:0").listen(name);
    Err(server.start().await?.failed().await.into())
}

async fn run_registry() -> Result<(), Box<dyn Error>> {
    let names: Remote<dyn Names> = naming::local();
    let server = Server::new().export(naming::SERVICE, names.clone());
    let running = server.listen("tcp://127.0.0.1:0").start().await?;
    let at = |name: &str| format!("{}/{name}", running.address().replace("tcp:", "registry:"));

    let (sender, mut changes) = mpsc::unbounded_channel();
    let watcher = Remote::<dyn Watcher>::from_fn(move |change: Change| {
        let _ = sender.send(change);
        async { Ok(()) }
    });
    let watch = names.watch("clock.", watcher).await?;

    let mut clocks = Vec::new();
    for city in ["oslo", "rome"] {
        let own = env::current_exe()?;
        let name = at(&format!("clock.{city}"));
        clocks.push(process::Command::new(own).args(["clock", city, &name]).spawn()?);
        print_change(changes.recv().await);
    }
    let rome = farcall::connect::<dyn Clock>(&at("clock.rome")).await?;
    println!("it is    {}", rome.now().await?);
    if let Err(error) = names.lookup("clock.roma").await {
        println!("sorry    {error}");
    }
    for mut clock in clocks {
        clock.kill()?;
        clock.wait()?;
        print_change(changes.recv().await);
    }
    drop(watch);
    Ok(())
}

fn print_change(change: Option<Change>) {
    match change {
        Some(Change::Bound(bound)) => println!("bound    {} by {}", bound.name, bound.owner),
        Some(Change::Unbound(name)) => println!("unbound  {name}"),
        other => println!("{other:?}"),
    }
}
