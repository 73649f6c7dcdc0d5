//! Services that call each other, both ways, while they serve.

use crate::place::Place;
use farcall::{Limits, Remote};
use std::{
    cell::Cell,
    future::{Future, poll_fn},
    pin::pin,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU32, Ordering},
    },
};

#[farcall::remote]
pub(crate) trait Player {
    async fn play(&self, rounds: u32, ball: &[u8]) -> farcall::Result<u32>;
}

struct Side {
    other: &'static OnceLock<Remote<dyn Player>>,
    yields: bool,
}

impl Player for Side {
    async fn play(&self, rounds: u32, ball: &[u8]) -> farcall::Result<u32> {
        if self.yields {
            tokio::task::yield_now().await;
        }
        let Some(left) = rounds.checked_sub(1) else { return Ok(ball.len() as u32) };
        let other = self.other.get().expect("the other side is there");
        other.play(left, ball).await
    }
}

async fn sides(place: Place) -> ([Remote<dyn Player>; 2], [crate::place::Host; 2]) {
    let other = || -> &'static OnceLock<Remote<dyn Player>> { Box::leak(Box::default()) };
    let (to_left, to_right) = (other(), other());
    let left = Remote::<dyn Player>::new(Side { other: to_right, yields: false });
    let right = Remote::<dyn Player>::new(Side { other: to_left, yields: true });
    let (left, left_host) = place.host(left).await;
    let (right, right_host) = place.host(right).await;
    to_left.set(left.clone()).expect("it is empty");
    to_right.set(right.clone()).expect("it is empty");
    ([left, right], [left_host, right_host])
}

pub(crate) async fn calls_come_back(place: Place) {
    let ([left, right], _hosts) = sides(place).await;
    for rounds in [0, 1, 2, 50] {
        assert_eq!(left.play(rounds, b"ball").await, Ok(4));
        assert_eq!(right.play(rounds, &[0; 100_000]).await, Ok(100_000));
    }
}

/// Many at once, in both directions: nobody waits for somebody who waits for him.
pub(crate) async fn calls_cross_each_other(place: Place) {
    let ([left, right], _hosts) = sides(place).await;
    let calls: Vec<_> =
        (0..50).flat_map(|_| [left.play(9, b"a"), right.play(10, &[1; 3000])]).collect();
    for (at, call) in calls.into_iter().enumerate() {
        assert_eq!(call.await, Ok(if at % 2 == 0 { 1 } else { 3000 }));
    }
}

#[farcall::remote]
pub(crate) trait Desk {
    /// Rings the bell without end, and not for anybody who calls.
    async fn watch(&self, bell: Remote<dyn Bell>) -> farcall::Result<()>;
    /// Rings the bell so often before it returns.
    async fn ring(&self, bell: Remote<dyn Bell>, times: u32) -> farcall::Result<()>;
}

#[farcall::remote]
pub(crate) trait Bell {
    async fn ring(&self) -> farcall::Result<()>;
}

struct Office;

impl Desk for Office {
    async fn watch(&self, bell: Remote<dyn Bell>) -> farcall::Result<()> {
        tokio::spawn(async move { while bell.ring().await.is_ok() {} });
        Ok(())
    }

    async fn ring(&self, bell: Remote<dyn Bell>, times: u32) -> farcall::Result<()> {
        for _ in 0..times {
            bell.ring().await?;
        }
        Ok(())
    }
}

thread_local! {
    /// The task that waits is being polled on this thread.
    static POLLED: Cell<bool> = const { Cell::new(false) };
}

/// Counts its rings, and those within a poll of the task that waits.
#[derive(Clone, Default)]
struct Rings(Arc<[AtomicU32; 2]>);

impl Bell for Rings {
    async fn ring(&self) -> farcall::Result<()> {
        self.0[0].fetch_add(1, Ordering::Relaxed);
        self.0[1].fetch_add(u32::from(POLLED.get()), Ordering::Relaxed);
        Ok(())
    }
}

/// Polls a future as the task that waits.
async fn waiting<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    poll_fn(|cx| {
        let outer = POLLED.replace(true);
        let polled = future.as_mut().poll(cx);
        POLLED.set(outer);
        polled
    })
    .await
}

/// A task that waits may hold a lock: it starts what its own call brings, and nothing else.
pub(crate) async fn calls_of_others_start_elsewhere(place: Place) {
    let (desk, _host) = place.host(Remote::<dyn Desk>::new(Office)).await;
    let (own, others) = (Rings::default(), Rings::default());
    assert_eq!(desk.watch(Remote::new(others.clone())).await, Ok(()));
    let bell = Remote::<dyn Bell>::new(own.clone());
    let turns = async {
        for _ in 0..20 {
            assert_eq!(waiting(desk.ring(bell.clone(), 20)).await, Ok(()));
            tokio::task::yield_now().await;
        }
    };
    turns.await;
    let rings = |rings: &Rings| [0, 1].map(|at| rings.0[at].load(Ordering::Relaxed));
    let ([own, _], [others, within]) = (rings(&own), rings(&others));
    assert_eq!((own, within), (400, 0));
    assert_ne!(others, 0);
}

#[farcall::remote]
pub(crate) trait Rally {
    /// Plays so many rounds with whoever calls: on what both hold of each other.
    async fn play(
        &self,
        caller: Remote<dyn Rally>,
        callee: Remote<dyn Rally>,
        rounds: u32,
    ) -> farcall::Result<u32>;
}

struct Racket;

impl Rally for Racket {
    async fn play(
        &self,
        caller: Remote<dyn Rally>,
        callee: Remote<dyn Rally>,
        rounds: u32,
    ) -> farcall::Result<u32> {
        let Some(left) = rounds.checked_sub(1) else { return Ok(0) };
        Ok(1 + caller.play(callee, caller.clone(), left).await?)
    }
}

/// Each side serves one call at a time, and calls that are made while serving one do not wait for that: on one connection, to any depth.
pub(crate) async fn calls_that_call_back_need_no_credit(place: Place) {
    let mut limits = Limits::default();
    limits.serving = 1;
    let (far, _host) = place.host_within(Remote::<dyn Rally>::new(Racket), limits).await;
    let own = Remote::<dyn Rally>::new(Racket);
    for rounds in [1, 2, 3, 100] {
        assert_eq!(far.play(own.clone(), far.clone(), rounds).await, Ok(rounds));
    }
    let calls: Vec<_> = (0..20).map(|_| far.play(own.clone(), far.clone(), 7)).collect();
    for call in calls {
        assert_eq!(call.await, Ok(7));
    }
}
