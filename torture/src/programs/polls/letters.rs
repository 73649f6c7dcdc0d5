//! Mailboxes: a letter that was accepted comes once, whoever gives up sending or receiving it; what was withdrawn does not come.

use super::{
    cut::{Cut, End, Polled},
    stage::{CAPACITY, Stage},
};
use anyhow::{Context, Result, ensure};
use farcall::mailbox::{Error, Mailbox};
use futures_core::Stream;
use std::{future::poll_fn, pin::Pin, time::Duration};

/// How long those wait for a letter that want to be told that there is none.
const WAIT: Duration = Duration::from_millis(3);

/// Letters that are sent are there; those that were given up may be.
pub(super) async fn post(stage: &Stage, cut: Cut) -> Result<End> {
    let (mut end, mut sent) = (End::Ready, Vec::new());
    for value in 0..CAPACITY {
        match cut.polled(stage.mailbox.send(&value)).await {
            Polled::Ready(receipt) => {
                receipt?;
                sent.push(value);
            }
            given_up => end = given_up.end(),
        }
    }
    let found = stage.drain().await?;
    ensure!(found.is_sorted_by(|one, next| one < next), "{found:?} is not their order");
    ensure!(sent.iter().all(|value| found.contains(value)), "{found:?} of {sent:?}");
    Ok(end)
}

/// What waits for room and is given up is withdrawn.
pub(super) async fn crowded(stage: &Stage, cut: Cut) -> Result<End> {
    fill(stage, CAPACITY).await?;
    let end = cut.polled(stage.mailbox.send(&99)).await.end();
    exactly(stage, CAPACITY).await?;
    Ok(end)
}

/// All are there, or the first ones, if it was given up.
pub(super) async fn send_all(stage: &Stage, cut: Cut) -> Result<End> {
    let values: Vec<_> = (0..CAPACITY).collect();
    let polled = cut.polled(stage.mailbox.send_all(&values)).await;
    let end = polled.end();
    if let Polled::Ready(receipts) = polled {
        ensure!(receipts?.len() == values.len(), "a receipt is missing");
    }
    let found = stage.drain().await?;
    ensure!(values.starts_with(&found), "{found:?} of {values:?}");
    ensure!(end != End::Ready || found == values, "{found:?} instead of {values:?}");
    Ok(end)
}

/// A letter is taken, or it is still there.
pub(super) async fn take(stage: &Stage, cut: Cut) -> Result<End> {
    fill(stage, 1).await?;
    let polled = cut.polled(stage.mailbox.recv()).await;
    let end = polled.end();
    match polled {
        Polled::Ready(letter) => {
            ensure!(letter?.acked().await? == 0, "it was another letter");
            exactly(stage, 0).await?;
        }
        _ => exactly(stage, 1).await?,
    }
    Ok(end)
}

/// Nobody asks for a letter any more, so the next one goes to whoever does.
pub(super) async fn empty(stage: &Stage, cut: Cut) -> Result<End> {
    let end = cut.polled(stage.mailbox.recv()).await.end();
    fill(stage, 1).await?;
    exactly(stage, 1).await?;
    Ok(end)
}

/// Time is kept by the host, who is told that nobody waits any more.
pub(super) async fn patience(stage: &Stage, cut: Cut) -> Result<End> {
    let polled = cut.polled(stage.mailbox.recv_timeout(WAIT)).await;
    let end = polled.end();
    if let Polled::Ready(letter) = polled {
        let told = matches!(letter, Err(Error::TimedOut));
        ensure!(told, "no letter was there, and it said {letter:?}");
    }
    fill(stage, 1).await?;
    exactly(stage, 1).await?;
    Ok(end)
}

/// At most once: it is given out, lost, or still there.
pub(super) async fn now(stage: &Stage, cut: Cut) -> Result<End> {
    fill(stage, 1).await?;
    let polled = cut.polled(stage.mailbox.recv_now()).await;
    let end = polled.end();
    let found = stage.drain().await?;
    match polled {
        Polled::Ready(value) => {
            ensure!(value? == 0 && found.is_empty(), "it was given out, and is there: {found:?}");
        }
        _ => ensure!(found.is_empty() || found == [0], "{found:?} instead of one or none"),
    }
    Ok(end)
}

/// What a stream of letters has not given out is still there.
pub(super) async fn letters(stage: &Stage, cut: Cut) -> Result<End> {
    fill(stage, CAPACITY).await?;
    let mut letters = stage.mailbox.letters();
    let polled = cut.polled(poll_fn(|cx| Pin::new(&mut letters).poll_next(cx))).await;
    drop(letters);
    let end = polled.end();
    let mut found = Vec::new();
    if let Polled::Ready(letter) = polled {
        found.push(letter.context("the stream ends")??.acked().await?);
    }
    found.append(&mut stage.drain().await?);
    found.sort_unstable();
    let want: Vec<_> = (0..CAPACITY).collect();
    ensure!(found == want, "{found:?} instead of {want:?}");
    Ok(end)
}

/// What a stream of values has taken comes no more, and none comes twice.
pub(super) async fn values(stage: &Stage, cut: Cut) -> Result<End> {
    fill(stage, CAPACITY).await?;
    let mut values = stage.mailbox.values();
    let polled = cut.polled(poll_fn(|cx| Pin::new(&mut values).poll_next(cx))).await;
    drop(values);
    let end = polled.end();
    let mut found = Vec::new();
    if let Polled::Ready(value) = polled {
        found.push(value.context("the stream ends")??);
        ensure!(found == [0], "{found:?} comes first");
    }
    found.append(&mut stage.drain().await?);
    let is_once = found.is_sorted_by(|one, next| one < next);
    ensure!(is_once && found.len() as u64 <= CAPACITY, "{found:?}");
    Ok(end)
}

/// Who wants to know who has taken a letter is told, or gives it up: the letter is taken anyhow.
pub(super) async fn receipt(stage: &Stage, cut: Cut) -> Result<End> {
    let receipt = stage.mailbox.send(&0).await?;
    let mailbox = stage.mailbox.clone();
    let taking = tokio::spawn(async move { mailbox.recv().await?.acked().await });
    let polled = cut.polled(receipt.acked_by()).await;
    let end = polled.end();
    if let Polled::Ready(process) = polled {
        process?;
    }
    ensure!(taking.await?? == 0, "it was another letter");
    exactly(stage, 0).await?;
    Ok(end)
}

pub(super) async fn attach(stage: &Stage, cut: Cut) -> Result<End> {
    let polled = cut.polled(Mailbox::<u64>::attach(&stage.mail())).await;
    let end = polled.end();
    if let Polled::Ready(mailbox) = polled {
        mailbox?.send(&0).await?;
        exactly(stage, 1).await?;
    }
    Ok(end)
}

/// A mailbox that was not opened can be.
pub(super) async fn open(stage: &Stage, cut: Cut) -> Result<End> {
    let address = format!("{}#other", stage.place()?);
    let polled = cut.polled(Mailbox::<u64>::host(&address).open()).await;
    let end = polled.end();
    if let Polled::Ready(mailbox) = polled {
        ensure!(mailbox?.is_host(), "another process has it");
    }
    let again = Mailbox::<u64>::host(&address).open().await.context("it cannot be opened")?;
    ensure!(again.is_host(), "another process has it");
    again.send(&7).await?;
    ensure!(again.recv_now().await? == 7, "it was another letter");
    Ok(end)
}

/// Puts so many letters there.
async fn fill(stage: &Stage, count: u64) -> Result<()> {
    for value in 0..count {
        stage.mailbox.send(&value).await?;
    }
    Ok(())
}

/// There are as many letters as were put there.
async fn exactly(stage: &Stage, count: u64) -> Result<()> {
    let found = stage.drain().await?;
    let mut sorted = found.clone();
    sorted.sort_unstable();
    ensure!(sorted.iter().copied().eq(0..count), "{found:?} instead of {count}");
    Ok(())
}
