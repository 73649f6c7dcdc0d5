//! The textbook's producers and consumers: one, two and four of each, every one of them a process, around a mailbox that holds 16 items.
//!
//! `cargo run --release --example producers_consumers` starts them all, and checks that each item was taken exactly once.
#![allow(clippy::print_stdout, reason = "an example prints")]

use farcall::mailbox::{Capacity, Mailbox};
use serde::{Deserialize, Serialize};
use std::{
    env,
    process::{Child, Command},
};

/// Items of each producer.
const ITEMS: u64 = 100;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

#[derive(Serialize, Deserialize)]
enum Parcel {
    Item(u64),
    /// No more will come.
    End,
}

/// Puts numbers on the belt, and waits while it is full.
async fn produce(belt: &str, first: u64) -> Result<()> {
    let belt = Mailbox::<Parcel>::attach(belt).await?;
    for number in first..first + ITEMS {
        belt.send(&Parcel::Item(number)).await?;
    }
    Ok(())
}

/// Takes what comes, waits while nothing does, and says at the end what it was.
async fn consume(belt: &str, reports: &str) -> Result<()> {
    let belt = Mailbox::<Parcel>::attach(belt).await?;
    let mut taken = Vec::new();
    while let Parcel::Item(number) = belt.recv_now().await? {
        taken.push(number);
    }
    Mailbox::<Vec<u64>>::attach(reports).await?.send(&taken).await?;
    Ok(())
}

fn start(arguments: &[&str]) -> Result<Child> {
    Ok(Command::new(env::current_exe()?).args(arguments).spawn()?)
}

async fn run(count: u64) -> Result<()> {
    let names = ["belt", "reports"].map(|what| format!("{what}-{count}-{}", std::process::id()));
    let [belt, reports] = &names;
    let host = Mailbox::<Parcel>::host(belt).capacity(Capacity::Bounded(16)).open().await?;
    let told = Mailbox::<Vec<u64>>::host(reports).open().await?;
    let mut producers = Vec::new();
    let mut consumers = Vec::new();
    for number in 0..count {
        producers.push(start(&["produce", belt, &(number * ITEMS).to_string()])?);
        consumers.push(start(&["consume", belt, reports])?);
    }
    for mut producer in producers {
        tokio::task::spawn_blocking(move || producer.wait()).await??;
    }
    for _ in 0..count {
        host.send(&Parcel::End).await?;
    }
    let mut taken = Vec::new();
    for mut consumer in consumers {
        taken.extend(told.recv_now().await?);
        tokio::task::spawn_blocking(move || consumer.wait()).await??;
    }
    taken.sort_unstable();
    if !taken.iter().copied().eq(0..count * ITEMS) {
        return Err("an item was lost, or taken twice".into());
    }
    println!("{count} to {count}: {} items, each taken once", taken.len());
    Ok(())
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["produce", belt, first] => produce(belt, first.parse()?).await,
        ["consume", belt, reports] => consume(belt, reports).await,
        _ => {
            for count in [1, 2, 4] {
                run(count).await?;
            }
            Ok(())
        }
    }
}
