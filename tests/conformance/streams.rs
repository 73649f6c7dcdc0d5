//! Streams: either end travels, as an argument, a result or a field, both ways; credit, ends, and what is too large or too fast.

use crate::{
    place::Place,
    river::{Arms, Break, Ends, River, river},
};
use farcall::{ErrorKind, Receiver, Remote, Sender};
use futures_core::Stream;
use futures_sink::Sink;
use std::{future::poll_fn, pin::Pin, sync::atomic::Ordering};
use tokio::task::yield_now;

async fn all<T: farcall_core::stream::Item>(mut receiver: Receiver<T>) -> farcall::Result<Vec<T>> {
    let mut items = Vec::new();
    while let Some(item) = receiver.recv().await {
        items.push(item?);
    }
    Ok(items)
}

pub(crate) async fn go_both_ways(place: Place) {
    let (river, _, _) = river();
    let (river, _host) = place.host(river).await;
    for count in [0, 1, 63, 64, 65, 5000] {
        let numbers = river.count(count).await.expect("it counts");
        assert_eq!(all(numbers).await, Ok((0..count).collect()));
        let (sender, receiver) = farcall::channel(16);
        let sum = river.sum(receiver);
        for number in 0..count {
            assert_eq!(sender.send(number).await, Ok(()));
        }
        sender.finish();
        assert_eq!(sum.await, Ok((0..count).sum()));
    }
}

pub(crate) async fn wherever_they_stand(place: Place) {
    let (river, _, _) = river();
    let (river, _host) = place.host(river).await;
    let basin = river.basin().await.expect("there is one");
    for number in 0..100 {
        assert_eq!(basin.send(number.to_string()).await, Ok(()));
    }
    basin.finish();
    while river.taken().await.map(|taken| taken.len()) != Ok(100) {
        yield_now().await;
    }
    let (to, from_here) = farcall::channel(4);
    let (to_here, from) = farcall::channel(4);
    let ends = Ends { name: "both".to_owned(), ends: Some((from_here, to_here)) };
    assert_eq!(river.double(ends).await, Ok(()));
    for length in [0, 1, 100] {
        assert_eq!(to.send(vec![7; length]).await, Ok(()));
    }
    to.finish();
    assert_eq!(all(from).await, Ok(vec![vec![], vec![7; 2], vec![7; 200]]));
    let nothing = Ends { name: "nothing".to_owned(), ends: None };
    assert_eq!(river.double(nothing).await, Err(farcall::Error::new("nothing")));
}

/// Those of one item and of the latest too: either end, as an argument, a result and a field.
pub(crate) async fn of_every_kind_wherever_they_stand(place: Place) {
    let (river, _, _) = river();
    let (river, _host) = place.host(river).await;
    let (into, mut values) = farcall::latest();
    let (first, answer) = farcall::oneshot();
    assert_eq!(first.send(1), Ok(()));
    let second = river.relay(into, answer).await.expect("it goes on");
    assert_eq!(values.changed().await, Some(Ok(1)));
    assert_eq!(second.send(2), Ok(()));
    assert_eq!((values.changed().await, values.changed().await), (Some(Ok(2)), None));
    let (one, to_one) = (farcall::oneshot(), farcall::oneshot());
    let (mut latest, to_latest) = (farcall::latest(), farcall::latest());
    let arms = Arms { one: (one.0, to_one.1), latest: Some((latest.0, to_latest.1)) };
    let Arms { one: (there, back), latest: Some((set, mut changed)) } =
        river.cross(arms).await.expect("it crosses them")
    else {
        panic!("it was given some");
    };
    assert_eq!((there.send(3), to_one.0.send(4)), (Ok(()), Ok(())));
    assert_eq!((one.1.await, back.await), (Ok(3), Ok(4)));
    assert_eq!((set.set(5), to_latest.0.set(6)), (Ok(()), Ok(())));
    assert_eq!((latest.1.changed().await, changed.changed().await), (Some(Ok(5)), Some(Ok(6))));
    set.finish();
    to_latest.0.finish();
    assert_eq!((latest.1.changed().await, changed.changed().await), (None, None));
}

/// Who drops its end, or panics, has not finished.
pub(crate) async fn end_in_their_own_way(place: Place) {
    let (river, _, _) = river();
    let (river, _host) = place.host(river).await;
    for how in [Break::Drop, Break::Fail, Break::Panic] {
        let mut numbers = river.break_off(how).await.expect("it begins");
        assert_eq!(numbers.recv().await, Some(Ok(1)));
        let error = numbers.recv().await.expect("it has not finished").expect_err("it is cut");
        match how {
            Break::Fail => assert_eq!(error.text(), "the well is dry"),
            Break::Drop | Break::Panic => assert_eq!(error.kind(), ErrorKind::Cancelled),
        }
        assert_eq!(numbers.recv().await, None);
    }
    let (sender, receiver) = farcall::channel(4);
    let sum = river.sum(receiver);
    assert_eq!(sender.send(1).await, Ok(()));
    drop(sender);
    let error = sum.await.expect_err("it is cut");
    assert_eq!(error.kind(), ErrorKind::Cancelled);
}

pub(crate) async fn tell_the_sender_that_nobody_receives(place: Place) {
    let (river, _, _) = river();
    let (river, _host) = place.host(river).await;
    let (sender, mut receiver) = farcall::channel(4);
    let filled = river.fill(sender);
    assert_eq!(receiver.recv().await, Some(Ok(0)));
    drop(receiver);
    assert!(filled.await.is_ok_and(|count| count > 0));
    // One that is dropped where it has arrived.
    let (sender, receiver) = farcall::channel::<Vec<u8>>(4);
    let (to_here, _from) = farcall::channel(4);
    let ends = Ends { name: String::new(), ends: Some((receiver, to_here)) };
    let refused = river.double(ends);
    assert_eq!(refused.await, Ok(()));
    drop(_from);
    while sender.send(vec![1]).await.is_ok() {
        yield_now().await;
    }
    assert_eq!(sender.closed().await.kind(), ErrorKind::Cancelled);
}

/// A receiver that takes nothing lets so many items come, and no more.
pub(crate) async fn are_bounded(place: Place) {
    let (river, filled, _) = river();
    let (river, _host) = place.host(river).await;
    let (sender, mut receiver) = farcall::channel(10);
    let fill = river.fill(sender);
    while filled.load(Ordering::Relaxed) < 20 {
        yield_now().await;
    }
    for number in 0..50 {
        assert_eq!(river.quick(number).await, Ok(number));
    }
    // Ten wait there, ten here; one more may have been taken out to be sent.
    let waiting = filled.load(Ordering::Relaxed);
    assert!((20..=30).contains(&waiting), "{waiting} items");
    for number in 0..1000 {
        assert_eq!(receiver.recv().await, Some(Ok(number)));
    }
    drop(receiver);
    assert!(fill.await.is_ok_and(|count| count >= 1000));
}

pub(crate) async fn slow_only_their_own_sender(place: Place) {
    let (river, _, _) = river();
    let (river, _host) = place.host(river).await;
    let (sender, slow) = farcall::channel(2);
    let _fill = river.fill(sender);
    let numbers = river.count(3000).await.expect("it counts");
    assert_eq!(all(numbers).await, Ok((0..3000).collect()));
    assert_eq!(river.quick(1).await, Ok(1));
    drop(slow);
}

pub(crate) async fn carry_large_items_and_references(place: Place) {
    let (river, _, _) = river();
    let (river, _host) = place.host(river).await;
    let (to, from_here) = farcall::channel(4);
    let (to_here, mut from) = farcall::channel(4);
    let ends = Ends { name: String::new(), ends: Some((from_here, to_here)) };
    assert_eq!(river.double(ends).await, Ok(()));
    for length in [100_000, 1_000_000, 3_000_000] {
        assert_eq!(to.send(vec![3; length]).await, Ok(()));
        let doubled = from.recv().await.expect("it goes on").expect("it goes on");
        assert_eq!((doubled.len(), doubled.iter().all(|byte| *byte == 3)), (2 * length, true));
    }
    let springs = all(river.springs(200).await.expect("it makes them")).await.expect("they come");
    assert_eq!(springs.len(), 200);
    for (number, spring) in (0..).zip(&springs) {
        assert_eq!(spring.quick(number).await, Ok(number));
    }
}

/// An end that has come from one process and goes to another: items pass through the one between.
pub(crate) async fn pass_through_third_processes(place: Place) {
    let (near, _, _) = river();
    let (near, _near_host) = place.host(near).await;
    let (far, _, _) = river();
    let (far, _far_host) = place.host(far).await;
    let numbers = near.count(2000).await.expect("it counts");
    assert_eq!(far.sum(numbers).await, Ok((0..2000).sum()));
    let (first, second) = farcall::channel(2);
    let through =
        near.double(Ends { name: String::new(), ends: Some((second, far_end(&far).await)) });
    assert_eq!(through.await, Ok(()));
    for text in [vec![b'a'], vec![b'b'; 3]] {
        assert_eq!(first.send(text).await, Ok(()));
    }
    first.finish();
    while far.taken().await != Ok(vec!["aa".to_owned(), "bbbbbb".to_owned()]) {
        yield_now().await;
    }
}

/// An end of the far one's, to be passed to another.
async fn far_end(far: &Remote<dyn River>) -> Sender<Vec<u8>> {
    far.vessel().await.expect("there is one")
}

pub(crate) async fn of_one_item(place: Place) {
    let (river, _, _) = river();
    let (river, _host) = place.host(river).await;
    let (sender, receiver) = farcall::oneshot();
    let back = river.one(sender).await.expect("it answers");
    assert_eq!((receiver.await, back.await), (Ok(1), Ok(2)));
    let (sender, receiver) = farcall::oneshot::<u64>();
    drop(sender);
    assert_eq!(receiver.await.map_err(|error| error.kind()), Err(ErrorKind::Cancelled));
}

pub(crate) async fn of_the_latest_item(place: Place) {
    let (river, _, _) = river();
    let (river, _host) = place.host(river).await;
    let (sender, receiver) = farcall::latest();
    let mut seen = river.latest(receiver).await.expect("it follows");
    let mut last = 0;
    for value in 1..=1000 {
        assert_eq!(sender.set(value), Ok(()));
        if value % 250 == 0 {
            let value = seen.changed().await.expect("it goes on").expect("it goes on");
            assert!(value > last, "{value} after {last}");
            last = value;
        }
    }
    sender.finish();
    while let Some(value) = seen.changed().await {
        let value = value.expect("it goes on");
        assert!(value > last, "{value} after {last}");
        last = value;
    }
    assert_eq!(last, 1000);
}

pub(crate) async fn are_streams_and_sinks(place: Place) {
    let (river, _, _) = river();
    let (river, _host) = place.host(river).await;
    let (mut sender, receiver) = farcall::channel(3);
    let sum = river.sum(receiver);
    for number in 0..100_u64 {
        poll_fn(|cx| Pin::new(&mut sender).poll_ready(cx)).await.expect("it takes more");
        Pin::new(&mut sender).start_send(number).expect("it is ready");
    }
    poll_fn(|cx| Pin::new(&mut sender).poll_close(cx)).await.expect("it ends");
    assert_eq!(sum.await, Ok((0..100).sum()));
    let mut numbers = river.count(10).await.expect("it counts");
    let mut items = Vec::new();
    while let Some(number) = poll_fn(|cx| Pin::new(&mut numbers).poll_next(cx)).await {
        items.push(number.expect("it goes on"));
    }
    assert_eq!(items, (0..10).collect::<Vec<_>>());
}

pub(crate) async fn end_with_their_connection(place: Place) {
    if !place.has_address() {
        return;
    }
    let (river, _, _) = river();
    let (river, host) = place.host(river).await;
    let (sender, mut receiver) = farcall::channel(2);
    let fill = river.fill(sender);
    let (to, from_here) = farcall::channel(2);
    let sum = river.sum(from_here);
    assert_eq!((receiver.recv().await, to.send(1).await), (Some(Ok(0)), Ok(())));
    drop(host);
    let lost = loop {
        match receiver.recv().await {
            Some(Ok(_)) => {}
            other => break other,
        }
    };
    // The servant may have dropped its end before the wire was gone.
    assert!(matches!(lost, Some(Err(_))), "{lost:?}");
    assert_eq!(receiver.recv().await, None);
    to.closed().await;
    // So it may have answered before, too: it returns when nobody receives.
    if let Ok(count) = fill.await {
        assert!(count > 0, "the first item has come");
    }
    sum.await.expect_err("the host is gone");
}
