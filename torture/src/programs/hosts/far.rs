//! The server: the servants of the other programs, at an address of the network, with a keepalive that is soon over.

use super::limits;
use crate::programs::{
    bench::{Bank, Bench, Counts},
    journal::Journal,
    loans::Shelf,
    orders::orders,
    roles::{Serve, settle},
    work::{Work, Worker},
};
use anyhow::{Result, bail};
use farcall::{Remote, Server};
use std::sync::{Arc, atomic::Ordering};
use tokio::{runtime::Builder, sync::Notify};

/// Serves until nobody gives orders any more.
pub(crate) fn run(role: &Serve) -> Result<()> {
    settle()?;
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(serve(role))
}

async fn serve(role: &Serve) -> Result<()> {
    let journal = Journal::open(&role.journal)?;
    let worker = Worker { journal, told: Arc::new(Notify::new()), shelf: Shelf::new() };
    let counts = Arc::new(Counts::that_forget());
    let running = Server::new()
        .export("work", Remote::<dyn Work>::new(worker))
        .export("bench", Remote::<dyn Bench>::new(Bank(Arc::clone(&counts))))
        .limits(limits())
        .listen(&role.address)
        .start()
        .await?;
    println!("ready {}", running.address());
    let mut orders = orders();
    while let Some(order) = orders.recv().await {
        match &*order {
            "count" => {
                let (running_now, tokens) =
                    (counts.running.load(Ordering::Relaxed), counts.tokens.load(Ordering::Relaxed));
                println!("counts {} {running_now} {tokens}", running.connections());
            }
            _ => bail!("an unknown order: {order}"),
        }
    }
    running.shutdown().await;
    Ok(())
}
