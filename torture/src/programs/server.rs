//! A server process: serves, says what its servant says, and does what it is told until it is told to end.

use super::{
    bench::{Bank, Bench, Counts},
    journal::Journal,
    loans::Shelf,
    orders::orders,
    roles::{Serve, settle},
    work::{Work, Worker},
};
use anyhow::{Result, bail};
use farcall::{Remote, Server};
use std::{path::Path, sync::Arc};
use tokio::{runtime::Builder, sync::Notify};

/// Serves until it is told to `drain`, or its parent is gone.
pub(crate) fn run(role: &Serve) -> Result<()> {
    settle()?;
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(serve(role))
}

async fn serve(role: &Serve) -> Result<()> {
    let told = Arc::new(Notify::new());
    let servant = |journal: &Path, shelf: Shelf| -> Result<Remote<dyn Work>> {
        let journal = Journal::open(journal)?;
        Ok(Remote::<dyn Work>::new(Worker { journal, told: Arc::clone(&told), shelf }))
    };
    // What liars call is no call of the ledger's, and what they lend is not held longer than they are there.
    let lies = role.journal.with_extension("lies");
    let server = Server::new().export("work", servant(&role.journal, Shelf::new())?);
    let bench = Remote::<dyn Bench>::new(Bank(Arc::new(Counts::that_forget())));
    let server = server.export("target", servant(&lies, Shelf::full())?).export("bench", bench);
    let server = server.listen(&role.address);
    let running = server.start().await?;
    println!("ready {}", running.address());
    let mut orders = orders();
    while let Some(order) = orders.recv().await {
        match &*order {
            "answer" => told.notify_waiters(),
            "drain" => break,
            _ => bail!("an unknown order: {order}"),
        }
    }
    println!("draining");
    running.shutdown().await;
    Ok(())
}
