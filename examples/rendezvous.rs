//! A mailbox without room: whoever sends and whoever receives meet. A send is done when the letter is taken, and not before.
//!
//! `cargo run --release --example rendezvous` starts the giver as a second process.
#![allow(clippy::print_stdout, reason = "an example prints")]

use farcall::mailbox::{Capacity, Error, Mailbox, ProcessId};
use std::{env, process::Command, time::Duration};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

async fn give(meeting: &str, ready: &str) -> Result<()> {
    ProcessId::set_own_name("giver");
    let meeting = Mailbox::<String>::attach(meeting).await?;
    let letter = "a letter".to_owned();
    match meeting.try_send(&letter).await {
        Err(error @ Error::NoReceiver) => println!("at once: {error}"),
        other => return Err(format!("{other:?} though nobody is receiving").into()),
    }
    match meeting.send_timeout(&letter, Duration::from_millis(20)).await {
        Err(error @ Error::TimedOut) => println!("in 20 ms: {error}"),
        other => return Err(format!("{other:?} though nobody is receiving").into()),
    }
    Mailbox::<()>::attach(ready).await?.send(&()).await?;
    let receipt = meeting.send(&letter).await?;
    println!("as long as it takes: taken by {}", receipt.taken_by().await?);
    Ok(())
}

async fn take() -> Result<()> {
    ProcessId::set_own_name("taker");
    let names = ["meeting", "ready"].map(|what| format!("{what}-{}", std::process::id()));
    let meeting = Mailbox::<String>::host(&names[0]).capacity(Capacity::Zero).open().await?;
    let ready = Mailbox::<()>::host(&names[1]).open().await?;
    let mut giver = Command::new(env::current_exe()?).args(&names).spawn()?;
    ready.recv_now().await?;
    let letter = meeting.recv().await?;
    let text = format!("{} from {}", *letter, letter.sender());
    letter.ack();
    let ended = tokio::task::spawn_blocking(move || giver.wait()).await??;
    println!("{text}; {} came in all", meeting.counts().await?.accepted);
    if !ended.success() {
        return Err("the giver failed".into());
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Result<()> {
    match &env::args().collect::<Vec<_>>()[..] {
        [_, meeting, ready] => give(meeting, ready).await,
        _ => take().await,
    }
}
