//! A server that ends in good order: it takes no more calls, answers those it has accepted, and returns.
//!
//! `cargo run --example shutdown`
#![allow(clippy::print_stdout, reason = "an example prints")]

use farcall::{Remote, serve_with_shutdown};
use std::time::Duration;
use tokio::{
    sync::{mpsc, oneshot},
    time::sleep,
};

#[farcall::remote]
trait Press {
    /// Prints a page, which takes a while.
    async fn print(&self, page: u32) -> farcall::Result<String>;
}

struct Slow {
    begun: mpsc::UnboundedSender<u32>,
}

impl Press for Slow {
    async fn print(&self, page: u32) -> farcall::Result<String> {
        let _ = self.begun.send(page);
        sleep(Duration::from_millis(300)).await;
        Ok(format!("page {page}"))
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (begun, mut pages) = mpsc::unbounded_channel();
    let (stop, stopped) = oneshot::channel::<()>();
    // In a server of your own the signal is `tokio::signal::ctrl_c()`.
    let signal = async { drop(stopped.await) };
    let press = Remote::<dyn Press>::new(Slow { begun });
    let serving = serve_with_shutdown("inproc://press", press, signal);
    let server = tokio::spawn(serving.into_future());

    let press = farcall::connect::<dyn Press>("inproc://press").await?;
    let accepted: Vec<_> = (1..=3).map(|page| press.print(page)).collect();
    for _ in &accepted {
        pages.recv().await;
    }
    drop(stop);
    sleep(Duration::from_millis(50)).await;
    match press.timeout(Duration::from_millis(100)).print(4).await {
        Ok(page) => println!("too late   {page}"),
        Err(error) => println!("too late   {error:?}"),
    }
    for call in accepted {
        println!("accepted   {}", call.await?);
    }
    server.await??;
    println!("ended      {} pages were begun", 3 + pages.len());
    Ok(())
}
