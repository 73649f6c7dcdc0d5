//! Calls that are given up: each begins once at most, and its handler does not outlive that, unless it says so.

use super::{
    cut::{Cut, End},
    stage::Stage,
};
use crate::programs::bench::{Bench, Coin, Token};
use anyhow::{Result, ensure};
use farcall::{Call, Remote};

/// Bytes of a large call and answer: too many for a ring, or for a socket's buffers.
const LARGE: usize = 2 << 20;
/// Bytes of a payload.
const LENT: usize = 100_000;

pub(super) async fn quick(stage: &Stage, cut: Cut) -> Result<End> {
    let call = stage.number();
    let polled = cut.polled(stage.remote.quick(call)).await;
    stage.account(call, polled, |answer| answer == call).await
}

pub(super) async fn slow(stage: &Stage, cut: Cut) -> Result<End> {
    let call = stage.number();
    let polled = cut.polled(stage.remote.slow(call)).await;
    stage.account(call, polled, |answer| answer == call).await
}

pub(super) async fn endless(stage: &Stage, cut: Cut) -> Result<End> {
    let call = stage.number();
    let polled = cut.polled(stage.remote.endless(call)).await;
    stage.account(call, polled, |_| false).await
}

/// What has begun comes to its end.
pub(super) async fn stubborn(stage: &Stage, cut: Cut) -> Result<End> {
    let call = stage.number();
    let polled = cut.polled(stage.remote.stubborn(call)).await;
    let end = polled.end();
    stage.quiet().await?;
    let (begun, ended) = stage.counts.take(call);
    ensure!(begun == ended && begun <= 1, "it began {begun} times, and ended {ended} times");
    ensure!(end != End::Ready || ended == 1, "it was answered and did not run");
    Ok(end)
}

pub(super) async fn large(stage: &Stage, cut: Cut) -> Result<End> {
    let (call, bytes) = (stage.number(), vec![7; LARGE]);
    let polled = cut.polled(stage.remote.large(call, &bytes)).await;
    stage.account(call, polled, |answer| answer == bytes).await
}

pub(super) async fn lent(stage: &Stage, cut: Cut) -> Result<End> {
    let call = stage.number();
    let mut loan = stage.remote.loan(LENT);
    loan.fill(call as u8);
    let polled = cut.polled(stage.remote.lend(call, loan.into())).await;
    stage.account(call, polled, |answer| answer.to_vec() == [call as u8; LENT]).await
}

/// A call that returns an object of the server's.
pub(super) async fn returned(stage: &Stage, cut: Cut) -> Result<End> {
    let call = stage.number();
    let polled = cut.polled(stage.remote.make(call)).await;
    stage.account(call, polled, |_| true).await
}

/// A call that takes an object of this side's, and brings it back.
pub(super) async fn passed(stage: &Stage, cut: Cut) -> Result<End> {
    let call = stage.number();
    let token = Remote::<dyn Token>::new(Coin::new(call, &stage.counts));
    let polled = cut.polled(stage.remote.pass(call, token.clone())).await;
    stage.account(call, polled, |back| back.same_object(&token)).await
}

/// A call on what another one will return, which nobody waits for.
pub(super) async fn ahead(stage: &Stage, cut: Cut) -> Result<End> {
    let call = stage.number();
    let making = stage.remote.make(call);
    let polled = cut.polled(Call::pipelined(&making).number()).await;
    drop(making);
    stage.account(call, polled, |number| number == call).await
}

/// Waiting for the end of a connection that does not end.
pub(super) async fn closed(stage: &Stage, cut: Cut) -> Result<End> {
    Ok(cut.polled(Remote::closed(&stage.remote)).await.end())
}
