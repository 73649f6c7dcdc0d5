//! Streams: no item is lost or comes twice, whoever gives up waiting for one or for room.

use super::{
    cut::{Cut, End, Polled},
    stage::Stage,
};
use crate::programs::bench::Bench;
use anyhow::{Context, Result, ensure};

/// Items of a stream.
const ITEMS: u64 = 12;

/// Each item is waited for again, if waiting for it was given up.
pub(super) async fn recv(stage: &Stage, cut: Cut) -> Result<End> {
    let call = stage.number();
    let mut items = stage.remote.flow(call, ITEMS).await?;
    let mut end = End::Ready;
    for want in 0..ITEMS {
        let item = match cut.polled(items.recv()).await {
            Polled::Ready(item) => item,
            given_up => {
                end = given_up.end();
                items.recv().await
            }
        };
        let item = item.with_context(|| format!("the stream ends before {want}"))??;
        ensure!(item == want, "{item} comes instead of {want}");
    }
    ensure!(items.recv().await.is_none(), "the stream does not end");
    stage.counts.take(call);
    Ok(end)
}

/// What was not sent does not come, and what was does.
pub(super) async fn send(stage: &Stage, cut: Cut) -> Result<End> {
    let call = stage.number();
    let (sender, receiver) = farcall::channel(2);
    let draining = stage.remote.drain(call, receiver);
    let (mut end, mut sent) = (End::Ready, Vec::new());
    for item in 0..ITEMS {
        match cut.polled(sender.send(item)).await {
            Polled::Ready(outcome) => {
                outcome?;
                sent.push(item);
            }
            given_up => end = given_up.end(),
        }
    }
    sender.finish();
    let drained = draining.await?;
    ensure!(drained == sent, "{drained:?} came, and {sent:?} was sent");
    stage.counts.take(call);
    Ok(end)
}

/// Waiting for a receiver to go that does not go.
pub(super) async fn unreceived(stage: &Stage, cut: Cut) -> Result<End> {
    let call = stage.number();
    let (sender, receiver) = farcall::channel(2);
    let draining = stage.remote.drain(call, receiver);
    let end = cut.polled(sender.closed()).await.end();
    sender.send(7).await?;
    sender.finish();
    ensure!(draining.await? == [7], "what was sent did not come");
    stage.counts.take(call);
    Ok(end)
}

/// The newest value comes at last, and none comes again.
pub(super) async fn changed(stage: &Stage, cut: Cut) -> Result<End> {
    let call = stage.number();
    let mut current = stage.remote.current(call, 3).await?;
    let (mut end, mut last) = (End::Ready, 0);
    loop {
        let value = match cut.polled(current.changed()).await {
            Polled::Ready(value) => value,
            given_up => {
                end = given_up.end();
                current.changed().await
            }
        };
        let Some(value) = value.transpose()? else { break };
        ensure!(value > last, "{value} comes after {last}");
        last = value;
    }
    ensure!(last == 3, "the last value is {last}");
    stage.counts.take(call);
    Ok(end)
}

/// A value of which there is one.
pub(super) async fn once(stage: &Stage, cut: Cut) -> Result<End> {
    let call = stage.number();
    let value = stage.remote.once(call).await?;
    let polled = cut.polled(value).await;
    let end = polled.end();
    if let Polled::Ready(value) = polled {
        ensure!(value? == call, "another value came");
    }
    stage.counts.take(call);
    Ok(end)
}
