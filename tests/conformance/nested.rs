//! Services that call each other, both ways, while they serve.

use crate::place::Place;
use farcall::Remote;
use std::sync::OnceLock;

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
