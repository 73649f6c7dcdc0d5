//! Links between processes that are in one, so that each step of making a link can be the last.

use super::{Dial, Door, End, GONE, Link, Links};
use crate::{Error, Kind, PLACES, ProcessId, Result, inbox::Inbox, parcel::Parcel, post::Patience};
use bytes::Bytes;
use farcall_core::{skeleton::Scope, stub::Remote};
use std::{
    collections::HashMap,
    future::{Future, pending, poll_fn},
    pin::pin,
    sync::{Arc, Mutex},
    task::Poll,
    time::Duration,
};
use tokio::{runtime::Builder, sync::Semaphore, task::yield_now, time::timeout};

/// More awaits than the making of a link has.
const STEPS: usize = 60;
/// How long a link may take to be made on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

type Book = Arc<Mutex<HashMap<String, Remote<dyn Door>>>>;

/// A process that others find in the book.
fn process(name: &str, book: &Book) -> Arc<Links> {
    let known = Arc::clone(book);
    let dial: Dial = Box::new(move |name, _| {
        let found = known.lock().unwrap().get(&name).cloned();
        Box::pin(async move { found.ok_or(Error::Detached) })
    });
    let me = ProcessId { name: name.to_owned(), pid: 0, instance: u64::from(name.as_bytes()[0]) };
    let links = Arc::new(Links::new(me, dial));
    book.lock().unwrap().insert(name.to_owned(), Remote::from_arc(Arc::clone(&links)));
    links
}

async fn send(from: &Links, to: &str, word: &'static str) {
    let sent = from.send(to, Kind::of::<String>(), Bytes::from(word).into(), Patience::Endless);
    let sent: Result<()> = timeout(PATIENCE, sent).await.expect("no link is made any more");
    assert_eq!(sent, Ok(()));
}

/// Polls a future so many times, and drops it.
async fn give_up<T>(made: impl Future<Output = T>, polls: usize) {
    let mut made = pin!(made);
    for _ in 0..polls {
        let polled = poll_fn(|cx| Poll::Ready(made.as_mut().poll(cx))).await;
        if polled.is_ready() {
            return;
        }
        yield_now().await;
    }
}

#[test]
fn a_link_that_is_given_up_at_any_step_can_be_made() {
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    for steps in 0..STEPS {
        for (one, other) in [("ann", "bert"), ("bert", "ann")] {
            runtime.block_on(async {
                let book = Book::default();
                let (first, second) = (process(one, &book), process(other, &book));
                give_up(first.linked(other, Patience::Endless), steps).await;
                send(&first, other, "there").await;
                send(&second, one, "back").await;
                for (links, peer, word) in [(&second, one, "there"), (&first, other, "back")] {
                    let came = links.inbox().take(Some(peer), &Kind::of::<String>());
                    assert_eq!(
                        came.map(|came| came.map(|came| came.message.bytes)),
                        Ok(Some(word.into()))
                    );
                    assert_eq!(links.all().len(), 1, "after {steps} steps");
                }
            });
        }
    }
}

/// How long a send waits: not at all, and for a moment.
const SHORT: [Patience; 2] = [Patience::None, Patience::For(Duration::from_millis(1))];

/// Of a send that was given up since there was no link in time.
fn check_late(patience: Patience, sent: &Result<()>) {
    match (patience, sent) {
        (Patience::None, Err(Error::NoSuchProcess { name, .. })) => assert_eq!(name, "bert"),
        (_, sent) => assert_eq!(*sent, Err(Error::TimedOut)),
    }
}

async fn send_within(links: &Links, patience: Patience) -> Result<()> {
    let sent = links.send("bert", Kind::of::<String>(), Bytes::from("a").into(), patience);
    timeout(PATIENCE, sent).await.expect("it does not keep its time")
}

#[test]
fn nobody_waits_longer_for_the_link_of_another_than_for_their_own() {
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let me = ProcessId { name: "ann".to_owned(), pid: 0, instance: 0 };
        let links = Links::new(me, Box::new(|_, _| Box::pin(pending())));
        let mut dials = pin!(links.linked("bert", Patience::Endless));
        assert!(poll_fn(|cx| Poll::Ready(dials.as_mut().poll(cx))).await.is_pending());
        for patience in SHORT {
            check_late(patience, &send_within(&links, patience).await);
        }
    });
}

/// A process that is found, and does not answer.
struct Dumb;

impl Door for Dumb {
    async fn who(&self) -> Result<ProcessId, Error> {
        pending().await
    }

    async fn link(
        &self,
        _: ProcessId,
        _: Remote<dyn Link>,
    ) -> Result<Option<Remote<dyn Link>>, Error> {
        pending().await
    }
}

#[test]
fn nobody_waits_longer_for_a_process_that_does_not_answer() {
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let book = Book::default();
        book.lock().unwrap().insert("bert".to_owned(), Remote::<dyn Door>::new(Dumb));
        let links = process("ann", &book);
        for patience in SHORT {
            check_late(patience, &send_within(&links, patience).await);
        }
    });
}

/// What leads back to a process.
fn back(peer: &ProcessId) -> Remote<dyn Link> {
    let places = Arc::new(Semaphore::new(1));
    Remote::new(End::new(peer.clone(), Arc::<Inbox>::default(), places, Arc::default()))
}

#[test]
fn of_processes_that_are_gone_the_newest_are_remembered() {
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let links = process("zoe", &Book::default());
        let name = |number: usize| format!("p{number}");
        for number in 0..3 * GONE {
            let peer = ProcessId { name: name(number), pid: 0, instance: 0 };
            let scope = Scope::new();
            let back = scope.lend(&back(&peer));
            links.link(peer, back).await.expect("it is linked").expect("there is no other");
            scope.revoke("its process has ended");
        }
        assert_eq!(links.lock().len(), GONE + 1);
        assert_eq!(links.all(), []);
        assert!(links.take_dead(&name(3 * GONE - 1)).is_some());
        assert!(links.take_dead(&name(2 * GONE)).is_some());
        assert!(links.take_dead(&name(0)).is_none());
    });
}

#[test]
fn all_links_of_a_process_together_have_so_many_places() {
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let links = process("zoe", &Book::default());
        let peer = ProcessId { name: "ann".to_owned(), pid: 0, instance: 0 };
        let kind = Kind::of::<String>();
        let send = async |end: &Remote<dyn Link>| {
            let letter = Parcel::one(Bytes::from("a").into());
            end.send(kind.clone(), letter, Patience::None).await
        };
        for _ in 0..PLACES {
            let end = links.link(peer.clone(), back(&peer)).await.expect("linked").expect("new");
            assert_eq!(send(&end).await, Ok(()));
        }
        let end = links.link(peer.clone(), back(&peer)).await.expect("linked").expect("new");
        assert_eq!(send(&end).await, Err(Error::Full));
        assert!(links.inbox().take(None, &kind).expect("a text").is_some());
        assert_eq!(send(&end).await, Ok(()));
        assert_eq!(send(&end).await, Err(Error::Full));
    });
}
