//! Objects that are never given back: what a connection says of them, and the warning before there are too many.

#[allow(dead_code, reason = "the suite uses all of it")]
#[path = "conformance/place.rs"]
mod place;

use farcall::{ErrorKind, Held, Limits, Remote};
use place::{Place, one_thread, several_threads};
use std::{
    fmt,
    sync::{Mutex, Once, PoisonError},
};
use tokio::sync::Notify;
use tracing::{Event, Level, Metadata, Subscriber, field, span};

#[farcall::remote]
trait Item {
    async fn name(&self) -> farcall::Result<String>;
}

#[farcall::remote]
trait Store {
    async fn take(&self) -> farcall::Result<Remote<dyn Item>>;
    async fn bring(&self, items: Vec<Remote<dyn Item>>) -> farcall::Result<()>;
    async fn clear(&self) -> farcall::Result<()>;
    /// As `take`, as soon as it is open.
    async fn take_later(&self) -> farcall::Result<Remote<dyn Item>>;
    async fn open(&self) -> farcall::Result<()>;
}

fn item() -> Remote<dyn Item> {
    Remote::from_fn(|| async { Ok("an item".to_owned()) })
}

#[derive(Default)]
struct Shelf(Mutex<Vec<Remote<dyn Item>>>, Notify);

impl Store for Shelf {
    async fn take(&self) -> farcall::Result<Remote<dyn Item>> {
        Ok(item())
    }

    async fn bring(&self, items: Vec<Remote<dyn Item>>) -> farcall::Result<()> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(items);
        Ok(())
    }

    async fn clear(&self) -> farcall::Result<()> {
        let cleared = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        drop(cleared);
        Ok(())
    }

    async fn take_later(&self) -> farcall::Result<Remote<dyn Item>> {
        self.1.notified().await;
        Ok(item())
    }

    async fn open(&self) -> farcall::Result<()> {
        self.1.notify_one();
        Ok(())
    }
}

fn told(held: &[Held]) -> Vec<(&str, &str, usize)> {
    held.iter().map(|held| (&*held.interface, &*held.by, held.count)).collect()
}

const ADDRESSED: &[Place] = &[Place::Inproc, Place::Tcp, Place::Stream];

#[test]
fn a_connection_says_what_is_lent_and_borrowed() {
    for place in ADDRESSED {
        several_threads(async {
            let (store, _host) = place.host(Remote::<dyn Store>::new(Shelf::default())).await;
            let connection = Remote::connection(&store).expect("it is far");
            let before = connection.snapshot();
            assert_eq!((before.calls_made, before.calls_served), (0, 0));
            assert_eq!((told(&before.lent), told(&before.borrowed)), (vec![], vec![]));

            let taken = [store.take().await, store.take().await];
            let mine = item();
            let brought = vec![mine.clone(), item(), mine.clone()];
            store.bring(brought).await.expect("there is room");
            store.bring(vec![mine]).await.expect("it is there already");
            let now = connection.snapshot();
            assert_eq!((now.calls_made, now.calls_served), (4, 0));
            assert_eq!(told(&now.borrowed), [("Item", "take", 2)]);
            assert_eq!(told(&now.lent), [("Item", "bring", 2)]);

            drop(taken);
            assert_eq!(told(&connection.snapshot().borrowed), []);
            store.clear().await.expect("it gives all back");
            while !connection.snapshot().lent.is_empty() {
                tokio::task::yield_now().await;
            }
            assert!(Remote::connection(&item()).is_none(), "nothing is between");
        });
    }
}

/// What the log has warned of.
static WARNINGS: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Listens to the log.
struct Log;

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() == Level::WARN
    }
    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }
    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn event(&self, event: &Event<'_>) {
        event.record(&mut |field: &field::Field, value: &dyn fmt::Debug| {
            if field.name() == "message" {
                let mut warnings = WARNINGS.lock().unwrap_or_else(PoisonError::into_inner);
                warnings.push(format!("{value:?}"));
            }
        });
    }
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

fn warnings_of(what: &str) -> usize {
    let text = format!(
        "80 % of the objects that may be {what} on a connection are: most are `Item`, introduced by `take`; beyond the limit \
         calls fail"
    );
    let warnings = WARNINGS.lock().unwrap_or_else(PoisonError::into_inner);
    warnings.iter().filter(|warning| **warning == text).count()
}

fn listen() {
    static LISTENS: Once = Once::new();
    LISTENS.call_once(|| {
        tracing::subscriber::set_global_default(Log).expect("nobody else listens");
    });
}

/// How often it was warned of calls that may do this.
fn warnings_of_calls(what: &str) -> usize {
    let text = format!(
        "80 % of the calls that may {what} on a connection do; beyond the limit calls fail"
    );
    let warnings = WARNINGS.lock().unwrap_or_else(PoisonError::into_inner);
    warnings.iter().filter(|warning| **warning == text).count()
}

#[test]
fn calls_that_wait_are_warned_of() {
    listen();
    one_thread(async {
        let mut limits = Limits::default();
        (limits.serving, limits.outbox_calls) = (1, 10);
        let store = Remote::<dyn Store>::new(Shelf::default());
        let (store, _host) = Place::Inproc.host_within(store, limits).await;
        // The first is out, and of ten that wait the eighth is one too many.
        let mut calls: Vec<_> = (0..8).map(|_| store.take()).collect();
        assert_eq!(warnings_of_calls("wait to go out"), 0);
        calls.push(store.take());
        for call in calls {
            call.await.expect("each has its turn");
        }
        assert_eq!(warnings_of_calls("wait to go out"), 1);
    });
}

#[test]
fn calls_that_wait_for_what_others_return_are_warned_of() {
    listen();
    one_thread(async {
        let mut limits = Limits::default();
        limits.pipelined = 10;
        let store = Remote::<dyn Store>::new(Shelf::default());
        let (store, _host) = Place::Inproc.host_within(store, limits).await;
        for rounds in 1..=2 {
            let taken = store.take_later();
            let mut names: Vec<_> = (0..7).map(|_| taken.name()).collect();
            // What is called after them has come after them.
            store.clear().await.expect("it is served");
            assert_eq!(warnings_of_calls("wait for what others return"), rounds - 1);
            names.extend((7..10).map(|_| taken.name()));
            while warnings_of_calls("wait for what others return") != rounds {
                tokio::task::yield_now().await;
            }
            let error = taken.name().await.expect_err("it is one too many");
            assert_eq!(error.kind(), ErrorKind::Overloaded);
            store.open().await.expect("it is served");
            for name in names {
                assert_eq!(name.await, Ok("an item".to_owned()));
            }
        }
    });
}

#[test]
fn a_warning_comes_once_before_there_are_too_many() {
    listen();
    one_thread(async {
        let mut limits = Limits::default();
        // The service itself is lent too.
        limits.objects = 10;
        let store = Remote::<dyn Store>::new(Shelf::default());
        let (store, _host) = Place::Inproc.host_within(store, limits).await;
        let mut taken = Vec::new();
        for rounds in 1..=2 {
            while taken.len() < 6 {
                taken.push(store.take().await.expect("there is room"));
            }
            assert_eq!((warnings_of("lent"), warnings_of("borrowed")), (rounds - 1, rounds - 1));
            while taken.len() < 9 {
                taken.push(store.take().await.expect("there is room"));
            }
            while (warnings_of("lent"), warnings_of("borrowed")) != (rounds, rounds) {
                tokio::task::yield_now().await;
            }
            let error = store.take().await.expect_err("there are too many");
            assert_eq!(error.kind(), ErrorKind::Overloaded);
            taken.truncate(2);
        }
    });
}
