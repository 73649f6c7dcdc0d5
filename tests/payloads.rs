//! Payloads when their wire is lost: what was loaned on the old one goes over the new one, held, made anew or sent again.

#![cfg(unix)]

#[path = "conformance/everywhere.rs"]
mod everywhere;
#[allow(dead_code, reason = "the suite uses all of it")]
#[path = "conformance/place.rs"]
mod place;

use everywhere::everywhere;
use farcall::{ErrorKind, Executed, Payload, Remote, Server};
use place::{Host, Place, one_thread};
use std::{sync::Arc, time::Duration};
use tokio::sync::Notify;

const LENGTH: usize = 100_000;

#[farcall::remote]
trait Depot {
    async fn sum(&self, small: Payload, number: u8, large: Payload) -> farcall::Result<u64>;
    async fn bytes(&self, bytes: &[u8], number: u8, large: Payload) -> farcall::Result<u64>;
}

/// Answers, or only says that it was called.
struct Servant {
    answers: bool,
    called: Arc<Notify>,
}

fn sum(payload: &Payload) -> u64 {
    payload.to_vec().iter().map(|byte| u64::from(*byte)).sum()
}

impl Servant {
    async fn called(&self) {
        self.called.notify_one();
        if !self.answers {
            std::future::pending::<()>().await;
        }
    }
}

impl Depot for Servant {
    async fn sum(&self, small: Payload, number: u8, large: Payload) -> farcall::Result<u64> {
        self.called().await;
        Ok(sum(&small) + u64::from(number) + sum(&large))
    }

    async fn bytes(&self, bytes: &[u8], number: u8, large: Payload) -> farcall::Result<u64> {
        self.called().await;
        Ok(bytes.iter().map(|byte| u64::from(*byte)).sum::<u64>() + u64::from(number) + sum(&large))
    }
}

fn servant(answers: bool) -> (Remote<dyn Depot>, Arc<Notify>) {
    let called = Arc::new(Notify::new());
    (Remote::new(Servant { answers, called: Arc::clone(&called) }), called)
}

fn filled(depot: &Remote<dyn Depot>, length: usize, byte: u8) -> Payload {
    let mut loan = depot.loan(length);
    loan.fill(byte);
    loan.into()
}

/// Serves one that answers at the address, as soon as it is free.
async fn restart(host: &mut Host, address: &str) {
    loop {
        let server = Server::new().export("it", servant(true).0).listen(address);
        match server.start().await {
            Ok(running) => return host.running = Some(running),
            Err(error) => assert_eq!(error.kind(), ErrorKind::AddressInUse, "{error}"),
        }
        tokio::task::yield_now().await;
    }
}

#[test]
fn what_was_loaned_on_a_lost_wire_goes_over_the_next() {
    everywhere(|place| async move {
        let (object, called) = servant(false);
        let (depot, mut host) = place.host(object).await;
        let (small, large) = (filled(&depot, 10, 1), filled(&depot, LENGTH, 2));
        let want = 10 + 3 + 2 * LENGTH as u64;
        let again = depot.idempotent();
        let twice = again.sum(small.clone(), 3, large.clone());
        called.notified().await;
        let bytes = again.bytes(&[1; 10], 3, large.clone());
        called.notified().await;
        let once = depot.sum(small.clone(), 3, large.clone());
        called.notified().await;
        let address = host.address().to_owned();
        drop(host.running.take());
        let error = once.await.expect_err("it was lost");
        assert_eq!((error.kind(), error.executed()), (ErrorKind::Disconnected, Executed::Maybe));
        let held: Vec<_> = (0..20).map(|_| depot.sum(small.clone(), 3, large.clone())).collect();
        let held_bytes = depot.bytes(&vec![2; LENGTH], 13, small.clone());
        restart(&mut host, &address).await;
        // A large payload that went into a socket is not kept, and neither are large arguments.
        let kept = matches!(place, Place::Inproc | Place::Shm);
        for twice in [twice, bytes] {
            match twice.await {
                Ok(sum) => assert!(kept && sum == want, "{place:?}"),
                Err(error) => assert!(!kept && error.executed() == Executed::Maybe, "{error}"),
            }
        }
        for call in held {
            assert_eq!(call.await, Ok(want), "{place:?}");
        }
        assert_eq!(held_bytes.await, Ok(want + 10), "{place:?}");
        assert_eq!(depot.sum(small, 3, large).await, Ok(want), "{place:?}");
    });
}

#[test]
fn what_no_new_wire_carries_fails_by_itself() {
    one_thread(async {
        let (object, _called) = servant(true);
        let (depot, mut host) = Place::Unix.host(object).await;
        let address = host.address().to_owned();
        assert_eq!(depot.sum(Payload::new(), 1, Payload::new()).await, Ok(1));
        drop(host.running.take());
        let soon = depot.timeout(Duration::from_millis(50));
        while soon.sum(Payload::new(), 1, Payload::new()).await.is_ok() {}
        let huge = depot.sum(Payload::new(), 0, vec![1; 17 << 20].into());
        restart(&mut host, &address).await;
        let error = huge.await.expect_err("no frame holds it");
        assert_eq!((error.kind(), error.executed()), (ErrorKind::TooLarge, Executed::No));
        assert_eq!(depot.sum(Payload::new(), 1, Payload::new()).await, Ok(1));
    });
}
