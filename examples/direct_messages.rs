//! Direct communication: three processes that name each other. A buyer orders from a shop, the shop asks the bank, and both answer whoever
//! has written to them.
//!
//! `cargo run --release --example direct_messages` is the buyer, and starts the other two.
#![allow(clippy::print_stdout, reason = "an example prints")]

use farcall::mailbox::{Error, Process};
use serde::{Deserialize, Serialize};
use std::{env, process::Command};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

#[derive(Serialize, Deserialize)]
struct Order {
    apples: u32,
}

#[derive(Serialize, Deserialize)]
struct Charge {
    customer: String,
    cents: u32,
}

/// Takes orders from anyone, and lets the bank decide.
async fn shop(name: &str, bank: &str) -> Result<()> {
    let me = Process::claim(name).await?;
    loop {
        let order = me.recv::<Order>().await?;
        let customer = order.sender().name.clone();
        let charge = Charge { customer: customer.clone(), cents: 25 * order.apples };
        me.send_to(bank, &charge).await?;
        // From the bank, and nobody else.
        let answer = match *me.recv_from::<bool>(bank).await? {
            true => format!("{} apples for {} cents", order.apples, charge.cents),
            false => format!("no {} apples without {} cents", order.apples, charge.cents),
        };
        me.send_to(&customer, &answer).await?;
    }
}

/// Each customer has a dollar.
async fn bank(name: &str) -> Result<()> {
    let me = Process::claim(name).await?;
    let mut spent = std::collections::HashMap::<String, u32>::new();
    loop {
        let charge = me.recv::<Charge>().await?;
        let spent = spent.entry(charge.customer.clone()).or_default();
        let pays = *spent + charge.cents <= 100;
        *spent += if pays { charge.cents } else { 0 };
        me.send_to(&charge.sender().name, &pays).await?;
    }
}

async fn buy() -> Result<()> {
    let names = ["buyer", "shop", "bank"].map(|name| format!("{name}-{}", std::process::id()));
    let [buyer, shop, bank] = &names;
    let me = Process::claim(buyer).await?;
    if let Err(error @ Error::NameTaken { .. }) = Process::claim(buyer).await {
        println!("{}", error.to_string().replace(buyer, "buyer"));
    }
    let start = |arguments: &[&String]| Command::new(env::current_exe()?).args(arguments).spawn();
    let mut others = [start(&[bank])?, start(&[shop, bank])?];
    for apples in [3, 2, 1] {
        me.send_to(shop, &Order { apples }).await?;
        println!("{}", *me.recv_from::<String>(shop).await?);
    }
    let links = me.links();
    println!(
        "{} link, {} messages there and {} back",
        links.len(),
        links[0].sent,
        links[0].received
    );
    for other in &mut others {
        other.kill()?;
        other.wait()?;
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Result<()> {
    match &env::args().collect::<Vec<_>>()[..] {
        [_, name, other] => shop(name, other).await,
        [_, name] => bank(name).await,
        _ => buy().await,
    }
}
