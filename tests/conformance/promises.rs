//! Handles on answers that are not there yet: they tell when they are of no more use, wherever they are.

use crate::{
    pipelining::{Book, LAST, Shelf, ShelfError, library},
    place::Place,
    work::{Seen, outline},
};
use farcall::{Call, ErrorKind, Executed, Remote, Scope};
use std::{
    future::{Future, poll_fn},
    pin::{Pin, pin},
    sync::Arc,
    task::Poll,
    time::Duration,
};
use tokio::task::yield_now;

/// Whether it is still to come.
async fn is_pending<T>(mut future: Pin<&mut impl Future<Output = T>>) -> bool {
    poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx).is_pending())).await
}

/// A handle on an answer is of no more use when the call has failed, and tells so.
pub(crate) async fn are_closed_when_the_call_has_failed(place: Place) {
    let (library, mut watch) = library();
    let (shelf, _host) = place.host(Remote::<dyn Shelf>::new(library)).await;
    let call = shelf.book_at_the_gate(LAST + 1);
    let book = Call::pipelined(&call);
    let mut closed = pin!(Remote::closed(&book));
    assert_eq!(watch.next().await, Seen::Began(u64::from(LAST + 1)));
    assert!(is_pending(closed.as_mut()).await && Remote::why_closed(&book).is_none());
    watch.open(1);
    let why = closed.await;
    assert_eq!(outline(&why), (ErrorKind::Pipeline, Executed::No));
    assert!(why.text().contains("`book_at_the_gate`"), "{why}");
    assert_eq!(Remote::why_closed(&book), Some(why.clone()));
    assert_eq!(call.await.map(|_| ()), Err(ShelfError::NoSuchBook(LAST + 1)));
    // One that was run out of time, and one that is asked for when all is over.
    let call = shelf.timeout(Duration::from_millis(20)).book_at_the_gate(1);
    let book = Call::pipelined(&call);
    let why = Remote::closed(&book).await;
    assert!(why.text().contains("the deadline passed"), "{why}");
    assert_eq!(Remote::closed(&Call::pipelined(&call)).await, why);
}

/// When the call has returned an object, it is that which counts.
pub(crate) async fn are_closed_when_the_object_is_taken_away(place: Place) {
    let (mut library, mut watch) = library();
    let scope = Arc::new(Scope::new());
    library.scope = Some(Arc::clone(&scope));
    let (shelf, _host) = place.host(Remote::<dyn Shelf>::new(library)).await;
    let call = shelf.book_at_the_gate(1);
    let early = Call::pipelined(&call);
    let mut closed = pin!(Remote::closed(&early));
    assert!(is_pending(closed.as_mut()).await);
    watch.open(1);
    assert_eq!(watch.next().await, Seen::Began(1));
    assert_eq!(early.number().await, Ok(1));
    let book = call.await.expect("it is there");
    assert!(is_pending(closed.as_mut()).await && Remote::why_closed(&early).is_none());
    scope.revoke("the library closes");
    let why = closed.await;
    assert!(why.text().contains("the library closes"), "{why}");
    assert_eq!(Remote::closed(&book).await, why);
    assert_eq!(Remote::why_closed(&early), Some(why));
}

/// Though the connection is made anew: an answer is bound to the wire that its call went out on.
pub(crate) async fn are_closed_when_its_wire_is_lost(place: Place) {
    let (library, mut watch) = library();
    let (shelf, host) = place.host(Remote::<dyn Shelf>::new(library)).await;
    let (returned, running) = (shelf.book(1), shelf.book_at_the_gate(2));
    let books = [&returned, &running].map(Call::pipelined);
    assert_eq!(books[0].number().await, Ok(1));
    assert_eq!(watch.next().await, Seen::Began(2));
    assert!(books.iter().all(|book| Remote::why_closed(book).is_none()));
    if !place.has_address() {
        return;
    }
    drop(host);
    for book in &books {
        let why = Remote::closed(book).await;
        assert_eq!(why.executed(), Executed::No, "{why}");
        assert_eq!(Remote::why_closed(book), Some(why));
        book.number().await.expect_err("its wire is lost");
    }
    assert!(Remote::why_closed(&shelf).is_none(), "the service is dialled again");
}

/// Another process that holds the handle is told too.
pub(crate) async fn are_closed_for_those_that_it_was_passed_to(place: Place) {
    let (near, mut watch) = library();
    let (other, _other_watch) = library();
    let (shelf, _host) = place.host(Remote::<dyn Shelf>::new(near)).await;
    let (elsewhere, _other_host) = place.host(Remote::<dyn Shelf>::new(other)).await;
    let call = shelf.book_at_the_gate(LAST + 1);
    assert_eq!(watch.next().await, Seen::Began(u64::from(LAST + 1)));
    let end = elsewhere.end_of(Call::pipelined(&call));
    assert_eq!(elsewhere.book(1).number().await, Ok(1));
    watch.open(1);
    let why = end.await.expect("it is told");
    assert_eq!(outline(&why), (ErrorKind::Pipeline, Executed::No), "{why}");
    assert!(why.text().contains("`book_at_the_gate`"), "{why}");
}

/// So is their callee, where they are arguments on their own connection, and whoever the callee passes them to.
pub(crate) async fn are_closed_where_they_are_arguments(place: Place) {
    let (library, mut watch) = library();
    let (shelf, _host) = place.host(Remote::<dyn Shelf>::new(library)).await;
    let call = shelf.book_at_the_gate(LAST + 1);
    let end = shelf.end_of(Call::pipelined(&call));
    let back = shelf.echo(Call::pipelined(&call)).await.expect("it has come");
    assert_eq!(watch.next().await, Seen::Began(u64::from(LAST + 1)));
    assert_eq!(Remote::why_closed(&back), None);
    watch.open(1);
    let [end, back] = [end.await.expect("it is told"), Remote::closed(&back).await];
    for why in [&end, &back] {
        assert_eq!(outline(why), (ErrorKind::Pipeline, Executed::No), "{why}");
        assert!(why.text().contains("there is no book 1001"), "{why}");
    }
    let late = shelf.end_of(Call::pipelined(&call)).await.expect("it is told");
    assert_eq!(outline(&late), (ErrorKind::Pipeline, Executed::No), "{late}");
}

/// When the object that they have become is taken away.
pub(crate) async fn are_closed_where_they_are_arguments_with_their_object(place: Place) {
    let (mut library, mut watch) = library();
    let scope = Arc::new(Scope::new());
    library.scope = Some(Arc::clone(&scope));
    let (shelf, _host) = place.host(Remote::<dyn Shelf>::new(library)).await;
    let call = shelf.book_at_the_gate(1);
    let end = shelf.end_of(Call::pipelined(&call));
    let back = shelf.echo(Call::pipelined(&call)).await.expect("it has come");
    assert_eq!(watch.next().await, Seen::Began(1));
    watch.open(1);
    let book = call.await.expect("it is there");
    assert_eq!((back.number().await, Remote::why_closed(&back)), (Ok(1), None));
    let late = shelf.end_of(book);
    scope.revoke("the library closes");
    let ends = [end.await, late.await, Ok(Remote::closed(&back).await)];
    for why in ends.map(|why| why.expect("it is told")) {
        assert_eq!(outline(&why), (ErrorKind::Broken, Executed::No), "{why}");
        assert!(why.text().contains("the library closes"), "{why}");
    }
}

/// When the connection is lost before there is an answer. Calls that wait for it fail then, and not at their deadline.
pub(crate) async fn are_closed_where_they_are_arguments_with_their_wire(place: Place) {
    let (library, mut watch) = library();
    let notes = Arc::clone(&library.notes);
    let (shelf, host) = place.host(Remote::<dyn Shelf>::new(library)).await;
    let call = shelf.book_at_the_gate(1);
    shelf.keep(Call::pipelined(&call)).await.expect("it is kept");
    assert_eq!(watch.next().await, Seen::Began(1));
    if !place.has_address() {
        return;
    }
    drop(host);
    while notes.lock().expect("no panics").is_empty() {
        yield_now().await;
    }
    let fates = notes.lock().expect("no panics").remove(0);
    assert_eq!(fates.matches("executed: No").count(), 2, "{fates}");
    assert_eq!(fates.matches("TimedOut").count(), 0, "{fates}");
}

/// However often one comes, the callee has one: they are no way to let it keep more than the calls that it serves.
pub(crate) async fn are_one_however_often_they_come(place: Place) {
    let (library, mut watch) = library();
    let (shelf, _host) = place.host(Remote::<dyn Shelf>::new(library)).await;
    let call = shelf.book_at_the_gate(1);
    assert_eq!(watch.next().await, Seen::Began(1));
    for _ in 0..10 {
        assert_eq!(shelf.is_one(vec![Call::pipelined(&call); 64]).await, Ok(true));
    }
}
