//! Connecting, serving and naming: whoever gives one of them up has taken no address, no name and no connection.

use super::{
    cut::{Cut, End, Polled},
    stage::Stage,
};
use crate::programs::bench::Bench;
use anyhow::{Context, Result, ensure};
use farcall::{
    ErrorKind, Executed, Remote, Running, Server,
    naming::{Entry, Names, Watcher},
};
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// How soon an address must be free.
const PATIENCE: Duration = Duration::from_secs(10);
/// The deadline of a call that may find nobody.
const BRIEF: Duration = Duration::from_millis(50);
/// Between two looks.
const LOOK: Duration = Duration::from_micros(500);
/// A name in the registry.
const NAME: &str = "bank";

pub(super) async fn connect(stage: &Stage, cut: Cut) -> Result<End> {
    let connecting = farcall::connect::<dyn Bench>(&stage.service()).into_future();
    let polled = cut.polled(connecting).await;
    answers(stage, polled).await
}

pub(super) async fn start(stage: &Stage, cut: Cut) -> Result<End> {
    let place = stage.place()?;
    let polled = cut.polled(server(stage, &place).start()).await;
    let end = polled.end();
    if let Polled::Ready(running) = polled {
        running?.shutdown().await;
    }
    is_free(stage, &place).await?;
    Ok(end)
}

pub(super) async fn serve(stage: &Stage, cut: Cut) -> Result<End> {
    let place = stage.place()?;
    let serving = farcall::serve(&place, stage.bank()).into_future();
    let end = cut.polled(serving).await.end();
    is_free(stage, &place).await?;
    Ok(end)
}

/// A call that was accepted is answered if the server may take its time; it ends anyhow.
pub(super) async fn shutdown(stage: &Stage, cut: Cut) -> Result<End> {
    let (place, call) = (stage.place()?, stage.number());
    let running = server(stage, &place).start().await?;
    let client = farcall::connect::<dyn Bench>(&format!("{place}#bench")).await?;
    let slow = client.timeout(BRIEF).slow(call);
    let polled = cut.polled(running.shutdown()).await;
    let answer = slow.await;
    stage.quiet().await?;
    let (begun, ended) = stage.counts.take(call);
    match answer {
        Ok(answer) => ensure!(answer == call && ended == 1, "it was answered and did not run"),
        Err(error) => {
            ensure!(begun <= 1, "it ran {begun} times: {error}");
            ensure!(error.executed() != Executed::No || begun == 0, "it ran: {error}");
            ensure!(error.executed() != Executed::Yes || begun == 1, "it did not run: {error}");
        }
    }
    drop(client);
    is_free(stage, &place).await?;
    Ok(polled.end())
}

/// Waiting for a listener to fail that does not fail.
pub(super) async fn failed(stage: &Stage, cut: Cut) -> Result<End> {
    Ok(cut.polled(stage.server.failed()).await.end())
}

pub(super) async fn lookup(stage: &Stage, cut: Cut) -> Result<End> {
    stage.names.bind(NAME, Entry::new(&stage.bank())).await?;
    let polled = cut.polled(stage.names.lookup(NAME)).await;
    let end = polled.end();
    if let Polled::Ready(binding) = polled {
        ensure!(binding?.name == NAME, "another name was found");
    }
    stage.names.unbind(NAME).await?;
    Ok(end)
}

/// The name is bound or not, but it can be given back.
pub(super) async fn bind(stage: &Stage, cut: Cut) -> Result<End> {
    let polled = cut.polled(stage.names.bind(NAME, Entry::new(&stage.bank()))).await;
    let end = polled.end();
    if let Polled::Ready(bound) = polled {
        bound?;
    }
    match stage.names.unbind(NAME).await {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::NoSuchService && end != End::Ready => {}
        Err(error) => return Err(error.into()),
    }
    Ok(end)
}

pub(super) async fn watch(stage: &Stage, cut: Cut) -> Result<End> {
    let watcher = Remote::<dyn Watcher>::from_fn(async |_| Ok(()));
    let polled = cut.polled(stage.names.watch("", watcher)).await;
    let end = polled.end();
    if let Polled::Ready(watch) = polled {
        watch?;
    }
    Ok(end)
}

/// A server that binds a name, too.
pub(super) async fn announce(stage: &Stage, cut: Cut) -> Result<End> {
    let place = stage.place()?;
    let server = server(stage, &place).listen(&stage.name());
    let polled = cut.polled(server.start()).await;
    let end = polled.end();
    if let Polled::Ready(running) = polled {
        running?.shutdown().await;
    }
    is_free(stage, &place).await?;
    Ok(end)
}

/// A connection to whoever has bound a name.
pub(super) async fn resolve(stage: &Stage, cut: Cut) -> Result<End> {
    let place = stage.place()?;
    let name = stage.name();
    let running = server(stage, &place).listen(&name).start().await?;
    let connecting = farcall::connect::<dyn Bench>(&name).into_future();
    let polled = cut.polled(connecting).await;
    let end = polled.end();
    if let Polled::Ready(remote) = polled {
        let (remote, call) = (remote?, stage.number());
        ensure!(remote.quick(call).await? == call, "a call was answered with another");
        stage.counts.take(call);
    }
    running.shutdown().await;
    is_free(stage, &place).await?;
    Ok(end)
}

fn server(stage: &Stage, place: &str) -> Server {
    Server::new().export("bench", stage.bank()).listen(place)
}

async fn answers(stage: &Stage, polled: Polled<farcall::Result<Remote<dyn Bench>>>) -> Result<End> {
    let end = polled.end();
    if let Polled::Ready(remote) = polled {
        let (remote, call) = (remote?, stage.number());
        ensure!(remote.quick(call).await? == call, "a call was answered with another");
        stage.counts.take(call);
    }
    Ok(end)
}

/// Another server may listen there.
async fn is_free(stage: &Stage, place: &str) -> Result<()> {
    let until = Instant::now() + PATIENCE;
    let running: Running = loop {
        match server(stage, place).start().await {
            Ok(running) => break running,
            Err(error) if error.kind() == ErrorKind::AddressInUse && Instant::now() < until => {
                sleep(LOOK).await;
            }
            Err(error) => return Err(error).context("its address is not free"),
        }
    };
    running.shutdown().await;
    Ok(())
}
