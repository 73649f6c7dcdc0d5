//! Memory of the wire that has run out: calls and answers wait for it, and fail neither at once nor for ever. What can never fit does not wait.

#[allow(dead_code, reason = "the suite uses all of it")]
#[path = "conformance/place.rs"]
mod place;

use farcall::{Error, ErrorKind, Executed, Limits, Payload, Remote, Result};
use place::{Host, Place, on_a_thread, one_thread, several_threads, threads};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

const MIB: usize = 1 << 20;

#[farcall::remote]
trait Store {
    /// Keeps a payload and tells what it begins with, and how many there were.
    async fn keep(&self, payload: Payload) -> Result<(u64, usize)>;
    async fn keep_both(&self, one: Payload, other: Payload) -> Result<()>;
    /// How many are kept.
    async fn count(&self) -> Result<usize>;
    /// A loan of so many bytes that begins with this number.
    async fn make(&self, length: usize, number: u64) -> Result<Payload>;
    /// The same as an error.
    async fn fail(&self, length: usize, number: u64) -> std::result::Result<(), Refusal>;
    /// Another object with the same memory.
    async fn side(&self) -> Result<Remote<dyn Side>>;
}

#[farcall::remote]
trait Side {
    async fn count(&self) -> Result<usize>;
    /// Drops all payloads.
    async fn forget(&self) -> Result<()>;
}

#[derive(Debug, serde::Serialize, serde::Deserialize)]
enum Refusal {
    With(Payload),
    Remote(Error),
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Remote(error)
    }
}

#[derive(Clone, Default)]
struct Shelf(Arc<Mutex<Vec<Payload>>>);

impl Store for Shelf {
    async fn keep(&self, payload: Payload) -> Result<(u64, usize)> {
        let mut kept = self.0.lock().expect("nobody panics");
        kept.push(payload);
        Ok((number(&kept[kept.len() - 1]), kept.len() - 1))
    }
    async fn keep_both(&self, one: Payload, other: Payload) -> Result<()> {
        self.0.lock().expect("nobody panics").extend([one, other]);
        Ok(())
    }
    async fn count(&self) -> Result<usize> {
        Ok(self.0.lock().expect("nobody panics").len())
    }
    async fn make(&self, length: usize, number: u64) -> Result<Payload> {
        let mut loan = farcall::loan(length);
        loan[..8].copy_from_slice(&number.to_le_bytes());
        Ok(loan.into())
    }
    async fn fail(&self, length: usize, number: u64) -> std::result::Result<(), Refusal> {
        Err(Refusal::With(self.make(length, number).await?))
    }
    async fn side(&self) -> Result<Remote<dyn Side>> {
        Ok(Remote::new(self.clone()))
    }
}

impl Side for Shelf {
    async fn count(&self) -> Result<usize> {
        Store::count(self).await
    }
    async fn forget(&self) -> Result<()> {
        self.0.lock().expect("nobody panics").clear();
        Ok(())
    }
}

type Remotes = (Remote<dyn Store>, Remote<dyn Side>, Host);

async fn connected(place: Place, limits: Limits) -> Remotes {
    let object = Remote::<dyn Store>::new(Shelf::default());
    let (store, host) = place.host_within(object, limits).await;
    let side = store.side().await.expect("it gives it out");
    (store, side, host)
}

async fn over_shm() -> Remotes {
    connected(Place::Shm, Limits::default()).await
}

fn loan(store: &Remote<dyn Store>, length: usize, number: u64) -> Payload {
    let mut loan = store.loan(length);
    loan[..8].copy_from_slice(&number.to_le_bytes());
    loan.into()
}

fn number(payload: &Payload) -> u64 {
    let mut bytes = [0; 8];
    payload.copy_to(0, &mut bytes);
    u64::from_le_bytes(bytes)
}

/// The peer holds 48 of the caller's 64 MiB.
async fn fill(store: &Remote<dyn Store>) {
    for at in 0..2 {
        let kept = store.keep(loan(store, 24 * MIB, at)).await;
        assert_eq!(kept, Ok((at, usize::try_from(at).expect("it is small"))));
    }
}

/// Runs a test on one thread and on several.
macro_rules! on_both {
    ($($case:ident)*) => {
        $(mod $case {
            #[test]
            fn on_one_thread() {
                super::one_thread(super::cases::$case());
            }

            #[test]
            fn on_several_threads() {
                super::several_threads(super::cases::$case());
            }
        })*
    };
}

on_both! {
    a_call_waits_until_blocks_come_back
    a_call_waits_until_blocks_are_dropped_here
    calls_on_one_object_keep_their_order
    a_call_that_is_given_up_leaves_the_way_free
    a_call_that_waits_has_its_deadline
    an_answer_waits_until_blocks_come_back
    an_answer_that_is_given_up_is_forgotten
    several_payloads_wait_together
    blocks_that_are_lent_too_often_are_waited_for
    many_large_calls_at_once
    what_waits_is_bounded
    what_never_fits_fails_at_once
    other_wires_have_frames_only
    two_peers_that_wait_for_each_other
}

mod cases {
    use super::*;

    pub(super) async fn a_call_waits_until_blocks_come_back() {
        let (store, side, _host) = over_shm().await;
        for _ in 0..3 {
            fill(&store).await;
            let waiting = store.keep(loan(&store, 32 * MIB, 7));
            assert_eq!(side.count().await, Ok(2), "calls on others pass it");
            side.forget().await.expect("it can");
            assert_eq!(waiting.await, Ok((7, 0)));
            side.forget().await.expect("it can");
        }
    }

    pub(super) async fn a_call_waits_until_blocks_are_dropped_here() {
        let (store, side, _host) = over_shm().await;
        let mine = [1, 2].map(|number| loan(&store, 24 * MIB, number));
        let waiting = store.keep(loan(&store, 32 * MIB, 7));
        assert_eq!(side.count().await, Ok(0));
        drop(mine);
        assert_eq!(waiting.await, Ok((7, 0)));
    }

    pub(super) async fn calls_on_one_object_keep_their_order() {
        let (store, side, _host) = over_shm().await;
        fill(&store).await;
        let first = store.keep(loan(&store, 32 * MIB, 1));
        let second = store.keep(loan(&store, 8, 2));
        let third = store.keep(loan(&store, 20 * MIB, 3));
        let count = store.count();
        assert_eq!(side.count().await, Ok(2));
        side.forget().await.expect("it can");
        assert_eq!(first.await, Ok((1, 0)));
        assert_eq!(second.await, Ok((2, 1)));
        assert_eq!(third.await, Ok((3, 2)));
        assert_eq!(count.await, Ok(3));
    }

    pub(super) async fn a_call_that_is_given_up_leaves_the_way_free() {
        let (store, side, _host) = over_shm().await;
        fill(&store).await;
        for _ in 0..10 {
            let waiting = store.keep(loan(&store, 32 * MIB, 1));
            let behind = store.count();
            assert_eq!(side.count().await, Ok(2));
            drop(waiting);
            assert_eq!(behind.await, Ok(2));
        }
        side.forget().await.expect("it can");
        assert_eq!(store.keep(loan(&store, 60 * MIB, 5)).await, Ok((5, 0)), "nothing is left over");
    }

    pub(super) async fn a_call_that_waits_has_its_deadline() {
        let (store, side, _host) = over_shm().await;
        fill(&store).await;
        let hasty = store.timeout(Duration::from_millis(30));
        let waiting = hasty.keep(loan(&store, 32 * MIB, 1));
        let behind = store.count();
        let error = waiting.await.expect_err("nothing comes back");
        assert_eq!((error.kind(), error.executed()), (ErrorKind::TimedOut, Executed::No));
        assert!(error.text().contains("the peer holds the memory"), "{error}");
        assert_eq!(behind.await, Ok(2));
        side.forget().await.expect("it can");
        assert_eq!(store.keep(loan(&store, 60 * MIB, 5)).await, Ok((5, 0)));
    }

    pub(super) async fn an_answer_waits_until_blocks_come_back() {
        let (store, side, _host) = over_shm().await;
        for round in 0..3 {
            let mut held = Vec::new();
            for number in 0..2 {
                held.push(store.make(24 * MIB, number).await.expect("there is room"));
            }
            let waiting = store.make(32 * MIB, 7);
            let failing = store.fail(17 * MIB, 8);
            assert_eq!((store.count().await, side.count().await), (Ok(0), Ok(0)), "{round}");
            drop(held);
            let made = waiting.await.expect("there is room now");
            assert_eq!((number(&made), made.len()), (7, 32 * MIB));
            match failing.await {
                Err(Refusal::With(payload)) => assert_eq!(number(&payload), 8),
                other => panic!("{other:?}"),
            }
        }
    }

    pub(super) async fn an_answer_that_is_given_up_is_forgotten() {
        let (store, _side, _host) = over_shm().await;
        let held = store.make(48 * MIB, 1).await.expect("there is room");
        for _ in 0..10 {
            let waiting = store.make(32 * MIB, 7);
            assert_eq!(store.count().await, Ok(0), "it has been made");
            drop(waiting);
        }
        let hasty = store.timeout(Duration::from_millis(30));
        let error = hasty.make(32 * MIB, 7).await.expect_err("nothing comes back");
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        drop(held);
        assert_eq!(number(&store.make(60 * MIB, 9).await.expect("nothing is left over")), 9);
    }

    pub(super) async fn several_payloads_wait_together() {
        let (store, side, _host) = over_shm().await;
        fill(&store).await;
        let [one, other] = [1, 2].map(|number| loan(&store, 30 * MIB, number));
        let waiting = store.keep_both(one, other);
        assert_eq!(side.count().await, Ok(2));
        side.forget().await.expect("it can");
        assert_eq!(waiting.await, Ok(()));
        assert_eq!(side.count().await, Ok(2));
    }

    pub(super) async fn blocks_that_are_lent_too_often_are_waited_for() {
        let (store, side, _host) = over_shm().await;
        let small = loan(&store, 2000, 1);
        for at in 0..1024 {
            assert_eq!(store.keep(small.clone()).await, Ok((1, at)));
        }
        assert_eq!(store.keep(small.clone()).await, Ok((1, 1024)), "it goes within the frame");
        let waiting = store.keep(loan(&store, 17 * MIB, 2));
        assert_eq!(side.count().await, Ok(1025));
        side.forget().await.expect("it can");
        assert_eq!(waiting.await, Ok((2, 0)));
    }

    pub(super) async fn many_large_calls_at_once() {
        let (store, side, _host) = over_shm().await;
        let call = |at| store.keep(loan(&store, 8 * MIB, at));
        let calls: Vec<_> = (0..16).map(call).collect();
        for (at, call) in calls.into_iter().enumerate() {
            assert_eq!(call.await, Ok((at as u64, at)));
        }
        assert_eq!(side.count().await, Ok(16));
    }

    pub(super) async fn what_waits_is_bounded() {
        let mut limits = Limits::default();
        limits.outbox_payloads = 50 * MIB;
        let (store, side, _host) = connected(Place::Shm, limits).await;
        fill(&store).await;
        let alone = store.keep(loan(&store, 33 * MIB, 1));
        let most = store.keep(loan(&store, 17 * MIB, 2));
        let error = store.keep(loan(&store, 17 * MIB, 3)).await.expect_err("too much waits");
        assert_eq!((error.kind(), error.executed()), (ErrorKind::Overloaded, Executed::No));
        assert!(error.text().contains("`outbox_payloads`"), "{error}");
        side.forget().await.expect("it can");
        assert_eq!((alone.await, most.await), (Ok((1, 0)), Ok((2, 1))));
        side.forget().await.expect("it can");

        let held = store.make(48 * MIB, 1).await.expect("there is room");
        let alone = store.make(33 * MIB, 1);
        let most = store.make(17 * MIB, 2);
        assert_eq!(store.count().await, Ok(0), "both have been made");
        let error = store.make(17 * MIB, 3).await.expect_err("too much waits");
        assert_eq!((error.kind(), error.executed()), (ErrorKind::Overloaded, Executed::Yes));
        assert!(error.text().contains("`outbox_payloads`"), "{error}");
        drop(held);
        let made = [alone.await, most.await].map(|made| number(&made.expect("there is room now")));
        assert_eq!(made, [1, 2]);
    }

    pub(super) async fn what_never_fits_fails_at_once() {
        let (store, side, _host) = over_shm().await;
        fill(&store).await;
        let [one, other] = [1, 2].map(|_| loan(&store, 33 * MIB, 1));
        for (call, executed) in [
            (store.keep(loan(&store, 65 * MIB, 1)).await.map(drop), Executed::No),
            (store.keep_both(one, other).await, Executed::No),
            (store.make(65 * MIB, 1).await.map(drop), Executed::Yes),
        ] {
            let error = call.expect_err("it can never fit");
            assert_eq!((error.kind(), error.executed()), (ErrorKind::TooLarge, executed));
            assert!(error.text().contains("holds 67108864 bytes of payloads"), "{error}");
        }
        assert_eq!(side.count().await, Ok(2));
    }

    pub(super) async fn other_wires_have_frames_only() {
        for place in [Place::Unix, Place::Tcp, Place::Stream] {
            let (store, _side, _host) = connected(place, Limits::default()).await;
            let error = store.keep(loan(&store, 17 * MIB, 1)).await.expect_err("no frame holds it");
            assert_eq!((error.kind(), error.executed()), (ErrorKind::TooLarge, Executed::No));
            assert!(!error.text().contains("shared"), "{error}");
            let error = store.make(17 * MIB, 1).await.expect_err("no frame holds it");
            assert_eq!((error.kind(), error.executed()), (ErrorKind::TooLarge, Executed::Yes));
            assert_eq!(store.keep(loan(&store, 15 * MIB, 1)).await, Ok((1, 0)), "{place:?}");
        }
        for place in [Place::Near, Place::Inproc] {
            let (store, _side, _host) = connected(place, Limits::default()).await;
            assert_eq!(store.keep(loan(&store, 70 * MIB, 1)).await, Ok((1, 0)), "{place:?}");
        }
    }

    /// Each holds what the other one waits for, and gives it up when it has been told so.
    pub(super) async fn two_peers_that_wait_for_each_other() {
        let (store, side, _host) = over_shm().await;
        fill(&store).await;
        let held = store.make(48 * MIB, 1).await.expect("there is room");
        let (call, answer) = (store.keep(loan(&store, 32 * MIB, 1)), side.count());
        assert_eq!(answer.await, Ok(2));
        let remote = store.side();
        drop(held);
        side.forget().await.expect("it can");
        assert_eq!(call.await, Ok((1, 0)));
        assert_eq!(remote.await.expect("it goes out behind").count().await, Ok(1));
    }
}

#[test]
fn threads_that_block_wait_as_well() {
    on_a_thread(|| {
        let runtime = threads();
        let (store, side, _host) = runtime.block_on(async {
            let remotes = over_shm().await;
            fill(&remotes.0).await;
            remotes
        });
        let waiting = store.keep(loan(&store, 32 * MIB, 7));
        assert_eq!(side.count().wait(), Ok(2));
        let waiter = std::thread::spawn(move || waiting.wait());
        side.forget().wait().expect("it can");
        assert_eq!(waiter.join().expect("it does not panic"), Ok((7, 0)));
    });
}
