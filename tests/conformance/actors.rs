//! Servants with `&mut self`: one call at a time, in order, their state kept, and never waiting for themselves.

use crate::{
    place::Place,
    work::{Seen, Watch, outline, watched},
};
use farcall::{Call, ErrorKind, Executed, Remote};
use std::sync::OnceLock;

/// A servant that serves one call at a time.
#[farcall::remote]
pub(crate) trait Tally {
    async fn add(&mut self, number: u64) -> farcall::Result<u64>;
    async fn add_at_the_gate(&mut self, number: u64) -> farcall::Result<u64>;
    async fn add_twice(&mut self, number: u64) -> farcall::Result<Vec<u64>>;
    async fn panic(&mut self) -> farcall::Result<()>;
    async fn panic_later(&mut self) -> farcall::Result<()>;
    async fn sum(&self) -> farcall::Result<u64>;
    #[remote(oneway)]
    async fn tell(&mut self, number: u64) -> farcall::Result<()>;
}

pub(crate) struct Teller {
    sum: u64,
    gate: crate::work::Gate,
}

/// A servant with a closed gate, and who watches it.
pub(crate) fn teller() -> (Remote<dyn Tally>, Watch) {
    let (gate, watch) = watched();
    (Remote::<dyn Tally>::new(Teller { sum: 0, gate }), watch)
}

impl Tally for Teller {
    async fn add(&mut self, number: u64) -> farcall::Result<u64> {
        self.sum += number;
        Ok(self.sum)
    }
    async fn add_at_the_gate(&mut self, number: u64) -> farcall::Result<u64> {
        self.gate.pass(number).await;
        self.sum += number;
        Ok(self.sum)
    }
    async fn add_twice(&mut self, number: u64) -> farcall::Result<Vec<u64>> {
        let before = self.sum;
        tokio::task::yield_now().await;
        self.sum += number;
        tokio::task::yield_now().await;
        self.sum += number;
        Ok(vec![before, self.sum])
    }
    async fn panic(&mut self) -> farcall::Result<()> {
        self.sum += 1;
        panic!("a secret of the servant")
    }
    async fn panic_later(&mut self) -> farcall::Result<()> {
        tokio::task::yield_now().await;
        self.panic().await
    }
    async fn sum(&self) -> farcall::Result<u64> {
        Ok(self.sum)
    }
    async fn tell(&mut self, number: u64) -> farcall::Result<()> {
        tokio::task::yield_now().await;
        self.sum += number;
        Ok(())
    }
}

pub(crate) async fn serve_one_call_at_a_time(place: Place) {
    let (tally, _watch) = teller();
    let (mut tally, _host) = place.host(tally).await;
    let calls: Vec<_> = (0..200).map(|_| tally.add_twice(1)).collect();
    let sum = tally.sum();
    for (at, call) in calls.into_iter().enumerate() {
        let before = 2 * at as u64;
        assert_eq!(call.await, Ok(vec![before, before + 2]));
    }
    assert_eq!(sum.await, Ok(400));
}

/// Through several connections too.
pub(crate) async fn serve_their_callers_in_turn(place: Place) {
    let (near, _watch) = teller();
    let (mut far, _host) = place.host(near.clone()).await;
    let (mut near, mut other) = (near, far.clone());
    let mut calls: Vec<Call<Vec<u64>>> = Vec::new();
    for _ in 0..60 {
        calls.extend([near.add_twice(1), far.add_twice(1), other.add_twice(1)]);
    }
    for call in calls {
        let pair = call.await.expect("it serves");
        assert_eq!(pair[0] + 2, pair[1]);
    }
    assert_eq!(far.sum().await, Ok(360));
}

pub(crate) async fn survive_a_panic(place: Place) {
    let (tally, _watch) = teller();
    let (mut tally, _host) = place.host(tally).await;
    assert_eq!(tally.add(10).await, Ok(10));
    let (first, second, third) = (tally.panic(), tally.panic_later(), tally.add(5));
    for error in [first.await, second.await] {
        let error = error.expect_err("it panics");
        assert_eq!(outline(&error), (ErrorKind::Panicked, Executed::Yes));
        assert!(!error.text().contains("secret"), "{error}");
    }
    assert_eq!(third.await, Ok(17));
}

/// A call that has begun runs to its end though nobody waits, and though its deadline has passed.
pub(crate) async fn finish_what_they_have_begun(place: Place) {
    let (tally, mut watch) = teller();
    let (mut tally, _host) = place.host(tally).await;
    let dropped = tally.add_at_the_gate(1);
    assert_eq!(watch.next().await, Seen::Began(1));
    drop(dropped);
    let after = tally.add(10);
    watch.open(1);
    assert_eq!(watch.next().await, Seen::Ended(1));
    assert_eq!(after.await, Ok(11));

    let short = std::time::Duration::from_millis(100);
    let error = tally.timeout(short).add_at_the_gate(100).await.expect_err("the gate is closed");
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    let after = tally.add(1000);
    watch.open(1);
    assert_eq!((watch.next().await, watch.next().await), (Seen::Began(100), Seen::Ended(100)));
    assert_eq!(after.await, Ok(1111));
}

pub(crate) async fn take_one_way_calls_in_order(place: Place) {
    let (tally, _watch) = teller();
    let (mut tally, _host) = place.host(tally).await;
    for _ in 0..300 {
        tally.tell(2).await.expect("it goes out");
    }
    assert_eq!(tally.sum().await, Ok(600));
}

/// Calls back, so that chains close.
#[farcall::remote]
pub(crate) trait Loop {
    async fn around(&mut self, hops: u32) -> farcall::Result<u32>;
}

struct Link(&'static OnceLock<Remote<dyn Loop>>);

impl Loop for Link {
    async fn around(&mut self, hops: u32) -> farcall::Result<u32> {
        let Some(left) = hops.checked_sub(1) else { return Ok(0) };
        let mut next = self.0.get().expect("the chain is closed").clone();
        Ok(1 + next.around(left).await?)
    }
}

pub(crate) async fn refuse_to_wait_for_themselves(place: Place) {
    let link = || -> &'static OnceLock<Remote<dyn Loop>> { Box::leak(Box::default()) };
    let (to_second, to_first) = (link(), link());
    let (first, _first_host) = place.host(Remote::<dyn Loop>::new(Link(to_second))).await;
    let (second, _second_host) = place.host(Remote::<dyn Loop>::new(Link(to_first))).await;
    to_second.set(second).expect("it is empty");
    to_first.set(first.clone()).expect("it is empty");
    let mut first = first;
    assert_eq!(first.around(0).await, Ok(0));
    assert_eq!(first.around(1).await, Ok(1));
    for hops in [2, 3, 10] {
        let error = first.around(hops).await.expect_err("it would wait for itself");
        assert_eq!(error.kind(), ErrorKind::WouldDeadlock);
        let want = "`Loop` serves one call at a time (it has `&mut self` methods), and this call was made while it \
                    served one of the same chain: it would wait for itself";
        assert_eq!(error.text(), want);
    }
    let (one, two) = (first.clone().around(1), first.around(1));
    assert_eq!((one.await, two.await), (Ok(1), Ok(1)));
}
