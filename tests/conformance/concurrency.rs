//! Calls on a shared servant run side by side, as many as the limits allow, and finish in any order.

use crate::{
    place::{Host, Place},
    work::{Seen, Watch, Work, outline, worker},
};
use farcall::{Call, ErrorKind, Executed, Limits, Remote};
use std::{
    future::{Future, poll_fn},
    pin::pin,
};

/// A worker that is connected: a near one connects at its first call.
async fn connected(place: Place, limits: Limits) -> (Remote<dyn Work>, Watch, Host) {
    let (work, mut watch) = worker();
    let (work, host) = place.host_within(work, limits).await;
    assert_eq!(work.quick(0).await, Ok(0));
    assert_eq!(watch.next().await, Seen::Began(0));
    (work, watch, host)
}

async fn all_begin(watch: &mut Watch, count: usize) {
    for _ in 0..count {
        assert!(matches!(watch.next().await, Seen::Began(_)));
    }
}

/// Turns that are taken in an order of the test's choice.
#[farcall::remote]
pub(crate) trait Turns {
    async fn wait_for(&self, turn: usize) -> farcall::Result<usize>;
    async fn take(&self, turn: usize) -> farcall::Result<()>;
}

struct Table(Vec<tokio::sync::Semaphore>);

impl Turns for Table {
    async fn wait_for(&self, turn: usize) -> farcall::Result<usize> {
        self.0[turn].acquire().await.expect("no turn is closed").forget();
        Ok(turn)
    }
    async fn take(&self, turn: usize) -> farcall::Result<()> {
        self.0[turn].add_permits(1);
        Ok(())
    }
}

pub(crate) async fn finishes_in_any_order(place: Place) {
    let table = Table((0..40).map(|_| tokio::sync::Semaphore::new(0)).collect());
    let (turns, _host) = place.host(Remote::<dyn Turns>::new(table)).await;
    let mut waiting: Vec<_> = (0..40).map(|turn| Some(turns.wait_for(turn))).collect();
    for turn in (0..40).rev().step_by(2).chain((0..40).step_by(2)) {
        assert_eq!(turns.take(turn).await, Ok(()));
        let call = waiting[turn].take().expect("each turn comes once");
        assert_eq!(call.await, Ok(turn));
    }
}

/// Everybody waits for the last to come.
#[farcall::remote]
pub(crate) trait Meeting {
    async fn join(&self, luggage: &[u8]) -> farcall::Result<usize>;
}

struct Hall(tokio::sync::Barrier);

impl Meeting for Hall {
    async fn join(&self, luggage: &[u8]) -> farcall::Result<usize> {
        self.0.wait().await;
        Ok(luggage.len())
    }
}

/// More bytes at once than wait in a transport: what waits in the outbox goes out though no answer comes that would make room.
pub(crate) async fn waits_for_no_answer(place: Place) {
    let hall = Remote::<dyn Meeting>::new(Hall(tokio::sync::Barrier::new(300)));
    let (meeting, _host) = place.host(hall).await;
    for _ in 0..3 {
        let calls: Vec<_> = (0..300).map(|_| meeting.join(&[7; 3000])).collect();
        for call in calls {
            assert_eq!(call.await, Ok(3000));
        }
    }
}

/// What one may have under way by default: 1024 in flight, 1024 in the outbox. The next is refused, and nothing is lost.
pub(crate) async fn has_a_bound(place: Place) {
    let (work, mut watch, _host) = connected(place, Limits::default()).await;
    let calls: Vec<_> = (0..2048).map(|number| work.pass(number)).collect();
    for refused in [work.pass(2048), work.quick(2049)] {
        let error = refused.await.expect_err("the outbox is full");
        assert_eq!(outline(&error), (ErrorKind::Overloaded, Executed::No));
    }
    all_begin(&mut watch, 1024).await;
    watch.open(2048);
    for (number, call) in calls.into_iter().enumerate() {
        assert_eq!(call.await, Ok(number as u64));
    }
    assert_eq!(work.quick(1).await, Ok(1));
    let seen = watch.so_far();
    assert!(!seen.contains(&Seen::Began(2048)) && !seen.contains(&Seen::Began(2049)));
}

/// What waits has a bound in bytes too: of twenty calls of a thousand bytes those wait that have room, and the others are refused.
pub(crate) async fn has_a_bound_in_bytes(place: Place) {
    if !place.has_address() {
        return;
    }
    let mut limits = Limits::default();
    (limits.serving, limits.outbox_bytes) = (1, 10 << 10);
    let (work, mut watch, _host) = connected(place, limits).await;
    let first = work.pass(1);
    assert_eq!(watch.next().await, Seen::Began(1));
    let calls: Vec<_> = (0..20).map(|_| work.echo(&[5; 1000])).collect();
    watch.open(1);
    assert_eq!(first.await, Ok(1));
    let mut waited = 0;
    for (number, call) in calls.into_iter().enumerate() {
        match call.await {
            Ok(back) => assert_eq!((back.len(), number), (1000, waited)),
            Err(error) => {
                assert_eq!(outline(&error), (ErrorKind::Overloaded, Executed::No));
                continue;
            }
        }
        waited += 1;
    }
    assert!((9..=10).contains(&waited), "{waited} calls waited");
}

/// A call that is given up while it waits in the outbox leaves room for another, and is never seen.
pub(crate) async fn gives_back_what_is_not_sent(place: Place) {
    let (work, mut watch, _host) = connected(place, Limits::default()).await;
    let mut calls: Vec<Call<u64>> = (0..2048).map(|number| work.pass(number)).collect();
    calls.truncate(2047);
    calls.push(work.pass(5000));
    watch.open(2048);
    for call in calls {
        call.await.expect("the gate is open");
    }
    let seen = watch.so_far();
    assert!(seen.contains(&Seen::Began(5000)) && !seen.contains(&Seen::Began(2047)));
}

pub(crate) async fn reaches_ten_thousand_calls(place: Place) {
    let mut limits = Limits::default();
    limits.outbox_calls = 10_000;
    let (serving, count) = if place.has_address() { (10_000, 10_000) } else { (1024, 2048) };
    limits.serving = serving;
    let (work, mut watch, _host) = connected(place, limits).await;
    let calls: Vec<_> = (0..count).map(|number| work.pass(number)).collect();
    all_begin(&mut watch, serving).await;
    watch.open(calls.len());
    for (number, call) in calls.into_iter().enumerate() {
        assert_eq!(call.await, Ok(number as u64));
    }
}

/// Whoever makes calls that are answered at once never has to wait, and leaves its thread to others all the same.
pub(crate) async fn leaves_others_their_turn(place: Place) {
    let (work, _watch, _host) = connected(place, Limits::default()).await;
    let calls: Vec<_> = (0..1000).map(|number| work.quick(number)).collect();
    // Its answer is the last.
    assert_eq!(work.quick(1000).await, Ok(1000));
    let mut all = pin!(async {
        for (number, call) in calls.into_iter().enumerate() {
            assert_eq!(call.await, Ok(number as u64));
        }
    });
    let mut turns = 0;
    poll_fn(|cx| {
        turns += 1;
        all.as_mut().poll(cx)
    })
    .await;
    assert!(turns > 4, "1000 answers were taken in {turns} turns");
}
