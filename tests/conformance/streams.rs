//! Streams: either end travels, as an argument, a result or a field, both ways; credit, ends, and what is too large or too fast.

use crate::place::Place;
use farcall::{
    ErrorKind, LatestReceiver, LatestSender, OneReceiver, OneSender, Receiver, Remote, Sender,
};
use futures_core::Stream;
use futures_sink::Sink;
use serde::{Deserialize, Serialize};
use std::{
    future::poll_fn,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    task::Poll,
};
use tokio::{sync::Notify, task::yield_now};

#[farcall::remote]
pub(crate) trait River {
    /// Numbers below `count`.
    async fn count(&self, count: u64) -> farcall::Result<Receiver<u64>>;
    /// The sum of what comes.
    #[remote(timeout = none)]
    async fn sum(&self, numbers: Receiver<u64>) -> farcall::Result<u64>;
    /// Sends as many as it can, and says how many that were.
    #[remote(timeout = none)]
    async fn fill(&self, into: Sender<u64>) -> farcall::Result<u64>;
    /// An end to send into; `taken` says what came.
    async fn basin(&self) -> farcall::Result<Sender<String>>;
    async fn vessel(&self) -> farcall::Result<Sender<Vec<u8>>>;
    async fn taken(&self) -> farcall::Result<Vec<String>>;
    /// What comes, twice as long.
    async fn double(&self, ends: Ends) -> farcall::Result<()>;
    /// Half of a stream, and then an end of its own.
    async fn break_off(&self, how: Break) -> farcall::Result<Receiver<u64>>;
    async fn one(&self, answer: OneSender<u64>) -> farcall::Result<OneReceiver<u64>>;
    async fn latest(&self, values: LatestReceiver<u64>) -> farcall::Result<LatestReceiver<u64>>;
    async fn quick(&self, number: u64) -> farcall::Result<u64>;
    /// Objects, one after the other.
    async fn springs(&self, count: u64) -> farcall::Result<Receiver<Remote<dyn River>>>;
}

/// In and out.
type Pair = (Receiver<Vec<u8>>, Sender<Vec<u8>>);

#[derive(Serialize, Deserialize)]
pub(crate) struct Ends {
    name: String,
    ends: Option<Pair>,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
pub(crate) enum Break {
    Drop,
    Fail,
    Panic,
}

#[derive(Default)]
struct Source {
    taken: Arc<Mutex<Vec<String>>>,
    /// Items that `fill` has sent so far.
    filled: Arc<AtomicUsize>,
    go_on: Arc<Notify>,
}

fn river() -> (Remote<dyn River>, Arc<AtomicUsize>, Arc<Notify>) {
    let source = Source::default();
    let (filled, go_on) = (Arc::clone(&source.filled), Arc::clone(&source.go_on));
    (Remote::new(source), filled, go_on)
}

impl River for Source {
    async fn count(&self, count: u64) -> farcall::Result<Receiver<u64>> {
        let (sender, receiver) = farcall::channel(64);
        tokio::spawn(async move {
            for number in 0..count {
                sender.send(number).await?;
            }
            sender.finish();
            Ok::<_, farcall::Error>(())
        });
        Ok(receiver)
    }
    async fn sum(&self, mut numbers: Receiver<u64>) -> farcall::Result<u64> {
        let mut sum = 0;
        while let Some(number) = numbers.recv().await {
            sum += number?;
        }
        Ok(sum)
    }
    async fn fill(&self, into: Sender<u64>) -> farcall::Result<u64> {
        for number in 0.. {
            if into.send(number).await.is_err() {
                return Ok(number);
            }
            self.filled.fetch_add(1, Ordering::Relaxed);
        }
        Ok(0)
    }
    async fn basin(&self) -> farcall::Result<Sender<String>> {
        let (sender, mut receiver) = farcall::channel(4);
        let taken = Arc::clone(&self.taken);
        tokio::spawn(async move {
            while let Some(Ok(text)) = receiver.recv().await {
                taken.lock().expect("no panics").push(text);
            }
        });
        Ok(sender)
    }
    async fn vessel(&self) -> farcall::Result<Sender<Vec<u8>>> {
        let (sender, mut receiver) = farcall::channel::<Vec<u8>>(4);
        let taken = Arc::clone(&self.taken);
        tokio::spawn(async move {
            while let Some(Ok(bytes)) = receiver.recv().await {
                let text = String::from_utf8_lossy(&bytes).into_owned();
                taken.lock().expect("no panics").push(text);
            }
        });
        Ok(sender)
    }
    async fn taken(&self) -> farcall::Result<Vec<String>> {
        Ok(self.taken.lock().expect("no panics").clone())
    }
    async fn double(&self, Ends { name, ends }: Ends) -> farcall::Result<()> {
        let (mut from, to) = ends.ok_or_else(|| farcall::Error::new(name))?;
        tokio::spawn(async move {
            while let Some(bytes) = from.recv().await {
                let bytes = bytes?;
                to.send([&bytes[..], &bytes].concat()).await?;
            }
            to.finish();
            Ok::<_, farcall::Error>(())
        });
        Ok(())
    }
    async fn break_off(&self, how: Break) -> farcall::Result<Receiver<u64>> {
        let (sender, receiver) = farcall::channel(8);
        tokio::spawn(async move {
            sender.send(1).await?;
            match how {
                Break::Drop => drop(sender),
                Break::Fail => sender.fail(farcall::Error::new("the well is dry")),
                Break::Panic => panic!("a secret of the servant, with {sender:?}"),
            }
            Ok::<_, farcall::Error>(())
        });
        Ok(receiver)
    }
    async fn one(&self, answer: OneSender<u64>) -> farcall::Result<OneReceiver<u64>> {
        answer.send(1).map_err(|(_, why)| why)?;
        let (sender, receiver) = farcall::oneshot();
        sender.send(2).map_err(|(_, why)| why)?;
        Ok(receiver)
    }
    async fn latest(
        &self,
        mut values: LatestReceiver<u64>,
    ) -> farcall::Result<LatestReceiver<u64>> {
        let (sender, receiver): (LatestSender<u64>, _) = farcall::latest();
        tokio::spawn(async move {
            while let Some(Ok(value)) = values.changed().await {
                let _ = sender.set(value);
            }
            sender.finish();
        });
        Ok(receiver)
    }
    async fn quick(&self, number: u64) -> farcall::Result<u64> {
        Ok(number)
    }
    async fn springs(&self, count: u64) -> farcall::Result<Receiver<Remote<dyn River>>> {
        let (sender, receiver) = farcall::channel(1000);
        for _ in 0..count {
            sender.send(Remote::new(Self::default())).await?;
        }
        sender.finish();
        Ok(receiver)
    }
}

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

/// A large item goes in parts, between which calls go.
pub(crate) async fn let_calls_between_the_parts_of_an_item(place: Place) {
    let (river, _, _) = river();
    let (river, _host) = place.host(river).await;
    let (to, from_here) = farcall::channel(4);
    let (to_here, mut from) = farcall::channel(4);
    let ends = Ends { name: String::new(), ends: Some((from_here, to_here)) };
    assert_eq!(river.double(ends).await, Ok(()));
    assert_eq!(to.send(vec![3; 6 << 20]).await, Ok(()));
    let mut calls = 0;
    let doubled = loop {
        if let Poll::Ready(item) = from.try_recv() {
            break item.expect("it goes on").expect("it goes on");
        }
        assert_eq!(river.quick(calls).await, Ok(calls));
        calls += 1;
    };
    // More than 70 times all that is under way at once of it has to be waited for.
    assert!(doubled.len() == 12 << 20 && calls >= 10, "{calls} calls");
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
    fill.await.expect_err("the host is gone");
    sum.await.expect_err("the host is gone");
}
