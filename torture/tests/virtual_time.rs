//! `farcall::testing` under a clock that tokio has stopped: it goes on only when nobody has anything to do, and then at once. So hours pass in
//! a moment, and what happens when is exact.
#![cfg(target_os = "linux")]
#![allow(clippy::expect_used, reason = "a test")]

use farcall::{
    Error, ErrorKind, Executed, Limits, Remote, Running, Server,
    testing::{Network, Way},
};
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

#[farcall::remote]
trait Clock {
    /// Comes back after so many seconds.
    #[remote(timeout = none)]
    async fn run(&self, seconds: u64) -> farcall::Result<u64>;
    /// The milliseconds that the caller still waits.
    async fn left(&self) -> farcall::Result<Option<u64>>;
}

struct Hourglass;

impl Clock for Hourglass {
    async fn run(&self, seconds: u64) -> farcall::Result<u64> {
        sleep(Duration::from_secs(seconds)).await;
        Ok(seconds)
    }

    async fn left(&self) -> farcall::Result<Option<u64>> {
        let left = farcall::context().and_then(|context| context.remaining());
        Ok(left.map(|left| left.as_millis() as u64))
    }
}

async fn serve(address: &str) -> Running {
    let clock = Remote::<dyn Clock>::new(Hourglass);
    let server = Server::new().export("clock", clock).listen(address);
    server.start().await.expect("a fresh address")
}

async fn clock(network: &Network) -> (Remote<dyn Clock>, Running) {
    let address = network.address("clock");
    let running = serve(&address).await;
    (farcall::connect::<dyn Clock>(&address).await.expect("it is served"), running)
}

/// Virtual seconds, and milliseconds of them, rounded down to 10: timers are late by one.
fn since(begun: Instant) -> f64 {
    (begun.elapsed().as_secs_f64() * 100.0).floor() / 100.0
}

fn outline(error: &Error) -> (ErrorKind, Executed) {
    (error.kind(), error.executed())
}

#[tokio::test(start_paused = true)]
async fn a_call_that_takes_a_day_comes_back_at_once() {
    let (clock, _running) = clock(&Network::new()).await;
    let begun = Instant::now();
    assert_eq!(clock.run(86_400).await, Ok(86_400));
    assert_eq!(since(begun), 86_400.0);
    assert_eq!(clock.run(1).await, Ok(1));
    assert_eq!(since(begun), 86_401.0);
}

#[tokio::test(start_paused = true)]
async fn a_deadline_passes_when_it_should() {
    let network = Network::new();
    let (clock, _running) = clock(&network).await;
    let begun = Instant::now();
    let hasty = clock.timeout(Duration::from_secs(9));
    let error = hasty.run(3600).await.expect_err("it takes an hour");
    assert_eq!(outline(&error), (ErrorKind::TimedOut, Executed::Maybe));
    assert_eq!(since(begun), 9.0);
    assert_eq!(hasty.left().await, Ok(Some(9000)));
}

#[tokio::test(start_paused = true)]
async fn a_delay_is_exact() {
    let network = Network::new();
    let (clock, _running) = clock(&network).await;
    network.delay(Way::ToServer, Duration::from_secs(3));
    network.delay(Way::ToClient, Duration::from_secs(4));
    let begun = Instant::now();
    assert_eq!(clock.run(0).await, Ok(0));
    assert_eq!(since(begun), 7.0);
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_lasts_and_a_silent_peer_is_given_up() {
    let network = Network::new();
    let (clock, _running) = clock(&network).await;
    let begun = Instant::now();
    let connection = Remote::connection(&clock).expect("it is far");
    let days = Duration::from_secs(100_001);
    assert!(timeout(days, connection.closed()).await.is_err(), "both answer pings");
    network.hold(Way::ToClient);
    let error = clock.run(0).await.expect_err("the peer is silent");
    assert_eq!(outline(&error), (ErrorKind::Disconnected, Executed::Maybe));
    let silent = since(begun) - 100_001.0;
    let limits = Limits::default();
    assert!(silent <= (limits.ping_after + limits.dead_after).as_secs_f64(), "{silent} s");
    assert!(silent >= limits.ping_after.as_secs_f64(), "{silent} s");
}

#[tokio::test(start_paused = true)]
async fn attempts_to_connect_are_further_and_further_apart() {
    let network = Network::new();
    let (clock, _running) = clock(&network).await;
    sleep(Duration::from_secs(10)).await;
    network.refuse(7);
    network.cut();
    let connection = Remote::connection(&clock).expect("it is far");
    connection.closed().await;
    let begun = Instant::now();
    assert_eq!(clock.timeout(Duration::from_secs(3600)).run(0).await, Ok(0));
    // 20 ms, doubled six times: 2.54 s, each 20 % more or less.
    let pauses = since(begun);
    assert!((2.02..=3.06).contains(&pauses), "{pauses} s");
}
