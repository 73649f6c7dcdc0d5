//! Streams beside calls: which of the two waits for the other, what a stream inherits from a call, and what is left when it is over.

use crate::place::Place;
use farcall::{ErrorKind, Executed, Limits, OneSender, Peer, Receiver, Remote, Sender, transport};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::task::yield_now;

#[farcall::remote]
pub(crate) trait Mill {
    /// Numbers below `count`, all of them there already.
    async fn numbers(&self, count: u64) -> farcall::Result<Receiver<u64>>;
    /// The sum of what comes.
    #[remote(timeout = none)]
    async fn sum(&self, numbers: Receiver<u64>) -> farcall::Result<u64>;
    /// Says that it has begun, and adds what comes, to its end.
    #[remote(no_cancel)]
    async fn gather(&self, numbers: Receiver<u64>, begun: OneSender<()>) -> farcall::Result<()>;
    /// The sum of what `gather` has taken, once that has come to an end.
    async fn gathered(&self) -> farcall::Result<u64>;
    /// Adds one number.
    #[remote(oneway)]
    async fn add(&self, number: u64) -> farcall::Result<()>;
    /// An object that adds to the same sum.
    async fn another(&self) -> farcall::Result<Remote<dyn Mill>>;
    /// Lists of objects: of one, and of so many, in turn.
    async fn bundles(
        &self,
        count: u64,
        of: u64,
    ) -> farcall::Result<Receiver<Vec<Remote<dyn Mill>>>>;
    /// With a burden that no frame takes.
    async fn laden(&self, burden: Vec<u8>, numbers: Receiver<u64>) -> farcall::Result<()>;
    /// Zeros, until nobody wants them.
    async fn endless(&self) -> farcall::Result<Receiver<u64>>;
    /// Takes what comes, and notes the sum, or that it was cut.
    async fn open(&self) -> farcall::Result<Sender<u64>>;
}

#[derive(Default)]
struct Wheel {
    gathered: Arc<AtomicU64>,
}

async fn add_up(mut numbers: Receiver<u64>) -> farcall::Result<u64> {
    let mut sum = 0;
    while let Some(number) = numbers.recv().await {
        sum += number?;
    }
    Ok(sum)
}

impl Mill for Wheel {
    async fn numbers(&self, count: u64) -> farcall::Result<Receiver<u64>> {
        let (sender, receiver) = farcall::channel(usize::try_from(count).expect("a few"));
        for number in 0..count {
            sender.send(number).await?;
        }
        sender.finish();
        Ok(receiver)
    }
    async fn sum(&self, numbers: Receiver<u64>) -> farcall::Result<u64> {
        add_up(numbers).await
    }
    async fn gather(&self, numbers: Receiver<u64>, begun: OneSender<()>) -> farcall::Result<()> {
        begun.send(()).map_err(|((), why)| why)?;
        let sum = add_up(numbers).await?;
        self.gathered.store(sum, Ordering::Relaxed);
        Ok(())
    }
    async fn gathered(&self) -> farcall::Result<u64> {
        Ok(self.gathered.load(Ordering::Relaxed))
    }
    async fn add(&self, number: u64) -> farcall::Result<()> {
        self.gathered.fetch_add(number, Ordering::Relaxed);
        Ok(())
    }
    async fn another(&self) -> farcall::Result<Remote<dyn Mill>> {
        Ok(Remote::new(Self { gathered: Arc::clone(&self.gathered) }))
    }
    async fn bundles(
        &self,
        count: u64,
        of: u64,
    ) -> farcall::Result<Receiver<Vec<Remote<dyn Mill>>>> {
        let (sender, receiver) = farcall::channel(100);
        for number in 0..count {
            let of = if number % 2 == 0 { 1 } else { of };
            sender.send((0..of).map(|_| Remote::new(Self::default())).collect()).await?;
        }
        sender.finish();
        Ok(receiver)
    }
    async fn laden(&self, burden: Vec<u8>, numbers: Receiver<u64>) -> farcall::Result<()> {
        drop((burden, numbers));
        Ok(())
    }
    async fn endless(&self) -> farcall::Result<Receiver<u64>> {
        let (sender, receiver) = farcall::channel(4);
        tokio::spawn(async move { while sender.send(0).await.is_ok() {} });
        Ok(receiver)
    }
    async fn open(&self) -> farcall::Result<Sender<u64>> {
        let (sender, receiver) = farcall::channel(4);
        let gathered = Arc::clone(&self.gathered);
        tokio::spawn(async move {
            let sum = add_up(receiver).await;
            gathered.store(sum.unwrap_or(u64::MAX), Ordering::Relaxed);
        });
        Ok(sender)
    }
}

fn mill() -> Remote<dyn Mill> {
    Remote::new(Wheel::default())
}

/// Calls that have all the credit there is wait for items, and for the credit of items.
pub(crate) async fn wait_for_no_call(place: Place) {
    let mut limits = Limits::default();
    limits.serving = 2;
    let (mill, _host) = place.host_within(mill(), limits).await;
    let numbers = mill.numbers(5000).await.expect("they are there");
    let (senders, receivers): (Vec<_>, Vec<_>) = (0..3).map(|_| farcall::channel(8)).unzip();
    let mut sums: Vec<_> = receivers.into_iter().map(|receiver| mill.sum(receiver)).collect();
    assert_eq!(add_up(numbers).await, Ok((0..5000).sum()));
    // The third waits for credit, where the place has limits.
    for (sender, sum) in senders.into_iter().zip(sums.drain(..)) {
        for number in 0..1000 {
            assert_eq!(sender.send(number).await, Ok(()));
        }
        sender.finish();
        assert_eq!(sum.await, Ok((0..1000).sum()));
    }
}

/// A one-way call that waits for credit keeps its object, though its handle is gone.
pub(crate) async fn overtake_one_way_calls(place: Place) {
    let mut limits = Limits::default();
    limits.serving = 1;
    let (mill, _host) = place.host_within(mill(), limits).await;
    let another = mill.another().await.expect("it makes one");
    let (sender, receiver) = farcall::channel(2);
    let sum = mill.sum(receiver);
    another.add(5).detach();
    drop(another);
    for number in 0..1000 {
        assert_eq!(sender.send(number).await, Ok(()));
    }
    sender.finish();
    assert_eq!(sum.await, Ok((0..1000).sum()));
    while mill.gathered().await != Ok(5) {
        yield_now().await;
    }
}

/// A servant that goes on though its caller has given up gets the whole stream.
pub(crate) async fn outlive_the_deadline_of_a_call(place: Place) {
    let (mill, _host) = place.host(mill()).await;
    let hasty = mill.timeout(Duration::from_millis(20));
    let sender = loop {
        let ((sender, receiver), (begin, begun)) = (farcall::channel(2), farcall::oneshot());
        let error = hasty.gather(receiver, begin).await.expect_err("nothing has come yet");
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        // One that came too late was not begun.
        if begun.await.is_ok() {
            break sender;
        }
    };
    for number in 0..1000 {
        assert_eq!(sender.send(number).await, Ok(()));
    }
    sender.finish();
    while mill.gathered().await != Ok((0..1000).sum()) {
        yield_now().await;
    }
}

/// As many as a frame takes, in each item.
pub(crate) async fn carry_many_references(place: Place) {
    let (mill, _host) = place.host(mill()).await;
    for of in [1, 33, 64] {
        let mut bundles = mill.bundles(5, of).await.expect("it makes them");
        for number in 0..5 {
            let bundle = bundles.recv().await.expect("it goes on").expect("it goes on");
            assert_eq!(bundle.len() as u64, if number % 2 == 0 { 1 } else { of });
            assert_eq!(bundle[bundle.len() - 1].gathered().await, Ok(0));
        }
        assert!(bundles.recv().await.is_none());
    }
}

/// An item that holds more than one message takes breaks its stream off, and says why.
pub(crate) async fn carry_no_more_references_than_a_message(place: Place) {
    let (mill, _host) = place.host(mill()).await;
    let mut bundles = mill.bundles(5, 65).await.expect("it makes them");
    assert!(matches!(bundles.recv().await, Some(Ok(bundle)) if bundle.len() == 1));
    let error = bundles.recv().await.expect("it does not finish").expect_err("one too many");
    assert_eq!(error.kind(), ErrorKind::TooLarge, "{error}");
    assert!(error.text().contains("65 references"), "{error}");
    assert!(bundles.recv().await.is_none());
}

/// Items that wait are sent together.
pub(crate) async fn share_frames(place: Place) {
    let (mill, _host) = place.host(mill()).await;
    let served = || Remote::connection(&mill).map_or(0, |it| it.snapshot().calls_served);
    let before = served();
    let numbers = mill.numbers(4000).await.expect("they are there");
    assert_eq!(add_up(numbers).await, Ok((0..4000).sum()));
    // Of 32 KiB each, the end among them.
    let frames = served() - before;
    assert!(frames <= 4, "{frames} frames for 4000 items");
}

pub(crate) async fn leave_nothing_behind(place: Place) {
    let (mill, _host) = place.host(mill()).await;
    let held = || {
        let snapshot = Remote::connection(&mill).map(|it| it.snapshot());
        let count = |held: &[farcall::Held]| held.iter().map(|held| held.count).sum::<usize>();
        snapshot.map_or((0, 0), |it| (count(&it.lent), count(&it.borrowed)))
    };
    assert_eq!(mill.gathered().await, Ok(0));
    let before = held();
    for round in 0..50 {
        let mut numbers = mill.numbers(10).await.expect("they are there");
        if round % 2 == 0 {
            assert_eq!(numbers.recv().await, Some(Ok(0)));
        } else {
            assert_eq!(add_up(numbers).await, Ok(45));
        }
        let (sender, receiver) = farcall::channel(2);
        let sum = mill.sum(receiver);
        assert_eq!(sender.send(7).await, Ok(()));
        if round % 2 == 0 {
            drop(sender);
            sum.await.expect_err("it has not finished");
        } else {
            sender.finish();
            assert_eq!(sum.await, Ok(7));
        }
        let open = mill.open().await.expect("there is one");
        assert_eq!(open.send(round).await, Ok(()));
        open.finish();
    }
    while held() != before {
        assert!(mill.gathered().await.is_ok());
        yield_now().await;
    }
}

/// An end in a frame that is never sent is dropped.
pub(crate) async fn end_with_what_is_never_sent(place: Place) {
    let (mill, _host) = place.host(mill()).await;
    let (sender, receiver) = farcall::channel(2);
    assert_eq!(sender.send(1).await, Ok(()));
    let error = mill.laden(vec![0; 17 << 20], receiver).await.expect_err("it is too large");
    assert_eq!((error.kind(), error.executed()), (ErrorKind::TooLarge, Executed::No));
    assert_eq!(sender.closed().await.kind(), ErrorKind::Cancelled);
}

/// The wire is cut, and neither end is dropped: both ends of both streams say so.
pub(crate) async fn say_that_their_wire_was_cut(place: Place) {
    if place != Place::Stream {
        return;
    }
    let (near, mut near_end) = tokio::io::duplex(64 << 10);
    let (far, mut far_end) = tokio::io::duplex(64 << 10);
    let relay = tokio::spawn(async move {
        let _ = tokio::io::copy_bidirectional(&mut near_end, &mut far_end).await;
    });
    let wire = |stream| transport::wire(stream, Peer::new("stream", "the other end"));
    let object = Wheel::default();
    let gathered = Arc::clone(&object.gathered);
    tokio::spawn(farcall::serve_over(wire(far), Remote::<dyn Mill>::new(object)));
    let mill = farcall::connect_over::<dyn Mill>(wire(near)).await.expect("the other end serves");
    let mut endless = mill.endless().await.expect("there is one");
    let open = mill.open().await.expect("there is one");
    assert_eq!((endless.recv().await, open.send(1).await), (Some(Ok(0)), Ok(())));
    relay.abort();
    let lost = loop {
        match endless.recv().await {
            Some(Ok(_)) => {}
            other => break other.map(|item| item.map_err(|error| error.kind())),
        }
    };
    assert_eq!((lost, endless.recv().await), (Some(Err(ErrorKind::Disconnected)), None));
    assert_eq!(open.closed().await.kind(), ErrorKind::Disconnected);
    while gathered.load(Ordering::Relaxed) != u64::MAX {
        yield_now().await;
    }
}
