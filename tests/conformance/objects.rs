//! References as values: they travel both ways, come home, are counted, and end with their connection.

use crate::place::Place;
use farcall::{ErrorKind, Executed, Remote};
use serde::{Deserialize, Serialize};
use std::{
    future::{Future, poll_fn},
    pin::pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    task::Poll,
};

#[farcall::remote]
pub(crate) trait Counter {
    async fn add(&self, number: u32) -> farcall::Result<u32>;
}

/// References wherever values can hold one.
#[derive(Serialize, Deserialize)]
pub(crate) enum Found {
    Nothing,
    One { name: String, counter: Remote<dyn Counter> },
    Many(Vec<Remote<dyn Counter>>, Option<Box<Self>>),
}

#[farcall::remote]
pub(crate) trait Shop {
    async fn make(&self, start: u32) -> farcall::Result<Remote<dyn Counter>>;
    async fn many(&self, count: u32) -> farcall::Result<Found>;
    async fn echo(&self, counter: Remote<dyn Counter>) -> farcall::Result<Remote<dyn Counter>>;
    /// Adds the number; the counter comes back with the sum.
    async fn swap(
        &self,
        pair: (u32, Remote<dyn Counter>),
    ) -> farcall::Result<(Remote<dyn Counter>, u32)>;
    async fn sum(&self, counters: Vec<Remote<dyn Counter>>) -> farcall::Result<u32>;
    async fn keep(&self, counter: Option<Remote<dyn Counter>>) -> farcall::Result<()>;
    async fn use_kept(&self, number: u32) -> farcall::Result<u32>;
    /// Waits until what is kept is of no more use, and says why.
    async fn end_of_kept(&self) -> farcall::Result<farcall::Error>;
}

/// The same words for another interface.
mod impostor {
    use farcall::Remote;

    #[farcall::remote(name = "Impostor")]
    pub(crate) trait Counter {
        async fn add(&self, number: u32) -> farcall::Result<u32>;
    }

    #[farcall::remote]
    pub(crate) trait Shop {
        async fn sum(&self, counters: Vec<Remote<dyn Counter>>) -> farcall::Result<u32>;
    }

    pub(super) struct Zero;

    impl Counter for Zero {
        async fn add(&self, _: u32) -> farcall::Result<u32> {
            Ok(0)
        }
    }
}

/// Counts how many of its kind there are.
struct Count {
    sum: AtomicUsize,
    alive: Arc<AtomicUsize>,
}

impl Count {
    fn new(start: u32, alive: &Arc<AtomicUsize>) -> Self {
        alive.fetch_add(1, Ordering::Relaxed);
        Self { sum: AtomicUsize::new(start as usize), alive: Arc::clone(alive) }
    }
}

impl Drop for Count {
    fn drop(&mut self) {
        self.alive.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Counter for Count {
    async fn add(&self, number: u32) -> farcall::Result<u32> {
        Ok(self.sum.fetch_add(number as usize, Ordering::Relaxed) as u32 + number)
    }
}

#[derive(Default)]
struct Store {
    alive: Arc<AtomicUsize>,
    kept: Mutex<Option<Remote<dyn Counter>>>,
}

impl Shop for Store {
    async fn make(&self, start: u32) -> farcall::Result<Remote<dyn Counter>> {
        Ok(Remote::new(Count::new(start, &self.alive)))
    }

    async fn many(&self, count: u32) -> farcall::Result<Found> {
        if count == 0 {
            return Ok(Found::Nothing);
        }
        let counter = |start| Remote::<dyn Counter>::new(Count::new(start, &self.alive));
        let one = Found::One { name: "last".to_owned(), counter: counter(count) };
        Ok(Found::Many((0..count).map(counter).collect(), Some(Box::new(one))))
    }

    async fn echo(&self, counter: Remote<dyn Counter>) -> farcall::Result<Remote<dyn Counter>> {
        Ok(counter)
    }

    async fn swap(
        &self,
        (number, counter): (u32, Remote<dyn Counter>),
    ) -> farcall::Result<(Remote<dyn Counter>, u32)> {
        let number = counter.add(number).await?;
        Ok((counter, number))
    }

    async fn sum(&self, counters: Vec<Remote<dyn Counter>>) -> farcall::Result<u32> {
        let mut sum = 0;
        for counter in counters {
            sum += counter.add(1).await?;
        }
        Ok(sum)
    }

    async fn keep(&self, counter: Option<Remote<dyn Counter>>) -> farcall::Result<()> {
        let before = std::mem::replace(&mut *self.kept.lock().expect("no panics"), counter);
        drop(before);
        Ok(())
    }

    async fn use_kept(&self, number: u32) -> farcall::Result<u32> {
        let kept = self.kept.lock().expect("no panics").clone();
        kept.ok_or(farcall::Error::new("nothing is kept"))?.add(number).await
    }

    async fn end_of_kept(&self) -> farcall::Result<farcall::Error> {
        let kept = self.kept.lock().expect("no panics").clone();
        Ok(Remote::closed(&kept.ok_or(farcall::Error::new("nothing is kept"))?).await)
    }
}

/// A shop, and how many counters that it made are there.
fn shop() -> (Remote<dyn Shop>, Arc<AtomicUsize>) {
    let store = Store::default();
    let alive = Arc::clone(&store.alive);
    (Remote::new(store), alive)
}

/// Yields until it is so. A test that hangs is ended by its guard.
async fn until(mut so: impl FnMut() -> bool) {
    while !so() {
        tokio::task::yield_now().await;
    }
}

pub(crate) async fn are_values(place: Place) {
    let (shop, alive) = shop();
    let (shop, _host) = place.host(shop).await;
    let counter = shop.make(5).await.expect("it is made");
    assert_eq!(counter.add(1).await, Ok(6));
    assert_eq!(counter.clone().add(1).await, Ok(7));
    assert!(matches!(shop.many(0).await, Ok(Found::Nothing)));
    let Ok(Found::Many(counters, Some(last))) = shop.many(20).await else { panic!("many") };
    for (start, counter) in counters.iter().enumerate() {
        assert_eq!(counter.add(100).await, Ok(100 + start as u32));
    }
    let Found::One { name, counter: last } = *last else { panic!("one") };
    assert_eq!((name.as_str(), last.add(0).await), ("last", Ok(20)));
    let (swapped, number) = shop.swap((3, counter.clone())).await.expect("it comes back");
    assert!(swapped.same_object(&counter));
    assert_eq!((number, swapped.add(1).await), (10, Ok(11)));
    assert_eq!(alive.load(Ordering::Relaxed), 22);
    drop((counter, counters, last, swapped));
    until(|| alive.load(Ordering::Relaxed) == 0).await;
}

/// As many as one message takes go; one more is refused before anything is sent, as an argument and as a result.
pub(crate) async fn have_a_bound_in_each_message(place: Place) {
    let (shop, alive) = shop();
    let (shop, _host) = place.host(shop).await;
    let counter = shop.make(0).await.expect("it is made");
    assert_eq!(shop.sum(vec![counter.clone(); 64]).await, Ok((1..=64).sum()));
    let error = shop.sum(vec![counter.clone(); 65]).await.expect_err("one too many");
    assert_eq!((error.kind(), error.executed()), (ErrorKind::TooLarge, Executed::No), "{error}");
    assert!(error.text().contains("65 references"), "{error}");
    assert_eq!(counter.add(0).await, Ok(64), "nobody was called");
    assert!(shop.many(63).await.is_ok());
    let error = shop.many(64).await.err().expect("one too many");
    assert_eq!((error.kind(), error.executed()), (ErrorKind::TooLarge, Executed::Yes), "{error}");
    until(|| alive.load(Ordering::Relaxed) == 1).await;
}

/// A handle means nothing without its connection.
pub(crate) async fn are_encoded_in_calls_alone(place: Place) {
    let (shop, _) = shop();
    let (shop, _host) = place.host(shop).await;
    let counter = shop.make(1).await.expect("it is made");
    let outside = "a `Remote` can be encoded only as part of a call or of what it returns";
    for counter in [counter.clone(), Remote::new(Count::new(0, &Arc::default()))] {
        let found = Found::One { name: "it".to_owned(), counter };
        let error = toml::to_string(&found).expect_err("it is no call");
        assert!(error.to_string().contains(outside), "{error}");
    }
    let back = shop.echo(counter).await.expect("it comes back");
    assert_eq!(back.add(1).await, Ok(2));
}

pub(crate) async fn come_home(place: Place) {
    let (shop, alive) = shop();
    let (shop, _host) = place.host(shop).await;
    let mine = Arc::new(Count::new(0, &alive));
    let near = Remote::<dyn Counter>::from_arc(Arc::clone(&mine));
    let back = shop.echo(near.clone()).await.expect("it comes back");
    assert!(back.same_object(&near));
    let home = back.local::<Count>().expect("it is of this process");
    assert!(Arc::ptr_eq(&home, &mine));
    assert!(back.local::<Store>().is_none());
    assert_eq!(back.add(2).await, Ok(2));
    // One of the peer's goes there and comes back as what it was.
    let theirs = shop.make(1).await.expect("it is made");
    let again = shop.echo(theirs.clone()).await.expect("it comes back");
    assert!(again.same_object(&theirs) && !again.same_object(&near));
    assert!(theirs.local::<Count>().is_none() && again.local::<Count>().is_none());
    assert_eq!(again.add(1).await, Ok(2));
}

pub(crate) async fn call_back_while_they_are_served(place: Place) {
    let (shop, _) = shop();
    let (shop, _host) = place.host(shop).await;
    let alive = Arc::new(AtomicUsize::new(0));
    let counters: Vec<Remote<dyn Counter>> =
        (0..10).map(|start| Remote::new(Count::new(start, &alive))).collect();
    let mut sum = 0;
    for _ in 0..3 {
        let calls: Vec<_> = (0..5).map(|_| shop.sum(counters.clone())).collect();
        for call in calls {
            sum += call.await.expect("all are called back");
        }
    }
    // Each counter has counted from its start through 15 more.
    assert_eq!(sum, (0..10).map(|start| 15 * start + (1..=15).sum::<u32>()).sum::<u32>());
}

pub(crate) async fn are_dropped_with_their_last_handle(place: Place) {
    let (shop, alive) = shop();
    let (shop, _host) = place.host(shop).await;
    let mine = Arc::new(AtomicUsize::new(0));
    shop.keep(Some(Remote::new(Count::new(0, &mine)))).await.expect("it is kept");
    assert_eq!(mine.load(Ordering::Relaxed), 1);
    assert_eq!(shop.use_kept(3).await, Ok(3));
    shop.keep(None).await.expect("it is dropped");
    until(|| mine.load(Ordering::Relaxed) == 0).await;
    let counter = shop.make(0).await.expect("it is made");
    let weak = Remote::downgrade(&counter);
    assert!(weak.upgrade().is_some_and(|again| again.same_object(&counter)));
    let copy = counter.clone();
    drop(counter);
    assert_eq!(copy.add(1).await, Ok(1));
    drop(copy);
    assert!(weak.upgrade().is_none());
    until(|| alive.load(Ordering::Relaxed) == 0).await;
}

pub(crate) async fn go_with_their_connection(place: Place) {
    let (shop, alive) = shop();
    let (shop, host) = place.host(shop).await;
    let mine = Arc::new(AtomicUsize::new(0));
    shop.keep(Some(Remote::new(Count::new(0, &mine)))).await.expect("it is kept");
    let theirs = shop.make(0).await.expect("it is made");
    if !place.has_address() {
        return;
    }
    let mut closed = pin!(Remote::closed(&theirs));
    poll_fn(|cx| {
        assert!(closed.as_mut().poll(cx).is_pending());
        Poll::Ready(())
    })
    .await;
    drop(host);
    let why = closed.await;
    assert!(Remote::why_closed(&theirs).is_some_and(|found| found == why));
    let error = theirs.add(1).await.expect_err("its connection is gone");
    assert_eq!(error.kind(), ErrorKind::Broken);
    until(|| mine.load(Ordering::Relaxed) + alive.load(Ordering::Relaxed) == 0).await;
}

/// An object of the first process, through this one, in a third.
pub(crate) async fn reach_third_processes(place: Place) {
    let (first, alive) = shop();
    let (first, _one) = place.host(first).await;
    let (third, _two) = place.host(shop().0).await;
    let counter = first.make(10).await.expect("it is made");
    assert_eq!(third.sum(vec![counter.clone(), counter.clone()]).await, Ok(11 + 12));
    let back = third.echo(counter.clone()).await.expect("it comes back");
    assert!(back.same_object(&counter), "and not as what passes calls on to it");
    assert_eq!(back.add(1).await, Ok(13));
    third.keep(Some(counter)).await.expect("it is kept");
    drop(back);
    assert_eq!(third.use_kept(1).await, Ok(14));
    assert_eq!(alive.load(Ordering::Relaxed), 1);
    third.keep(None).await.expect("it is dropped");
    until(|| alive.load(Ordering::Relaxed) == 0).await;
}

/// An object of the first process is held in a third, and nobody calls it there: it is told all the same that the first is gone.
pub(crate) async fn tell_third_processes_of_their_end(place: Place) {
    let (first, host) = place.host(shop().0).await;
    let (third, _other) = place.host(shop().0).await;
    let counter = first.make(10).await.expect("it is made");
    third.keep(Some(counter)).await.expect("it is kept");
    assert_eq!(third.use_kept(1).await, Ok(11));
    if !place.has_address() {
        return;
    }
    let end = third.end_of_kept();
    drop(host);
    let why = end.await.expect("it is told");
    assert_eq!((why.kind(), why.executed()), (ErrorKind::Disconnected, Executed::No), "{why}");
    let error = third.use_kept(1).await.expect_err("it is gone");
    assert_eq!((error.kind(), error.text()), (why.kind(), why.text()));
}

/// So it is where what was passed on is a service, whose connection is not made anew.
pub(crate) async fn tell_third_processes_of_the_end_of_a_service(place: Place) {
    let (near, far) = tokio::io::duplex(64 << 10);
    let wire = |stream| farcall::transport::wire(stream, farcall::Peer::new("stream", "first"));
    let counter = Remote::<dyn Counter>::new(Count::new(10, &Arc::default()));
    let first = tokio::spawn(farcall::serve_over(wire(far), counter));
    let counter = farcall::connect_over::<dyn Counter>(wire(near)).await.expect("it is served");
    let (third, _host) = place.host(shop().0).await;
    third.keep(Some(counter)).await.expect("it is kept");
    assert_eq!(third.use_kept(1).await, Ok(11));
    let end = third.end_of_kept();
    first.abort();
    assert_eq!(end.await.expect("it is told").executed(), Executed::No);
    third.use_kept(1).await.expect_err("it is gone");
}

pub(crate) async fn of_another_interface_are_refused(place: Place) {
    if !place.has_address() {
        return;
    }
    let (shop, _) = shop();
    let (shop, host) = place.host(shop).await;
    let confused = farcall::connect::<dyn impostor::Shop>(host.address()).await;
    let confused = confused.expect("it has the same name");
    let zero = Remote::<dyn impostor::Counter>::new(impostor::Zero);
    let error = impostor::Shop::sum(&confused, vec![zero]).await.expect_err("no counter");
    assert_eq!((error.kind(), error.executed()), (ErrorKind::Decode, Executed::No));
    let want = "a reference to a `Impostor` came where one to a `Counter` is expected";
    assert!(error.text().contains(want), "{error}");
    assert_eq!(shop.sum(Vec::new()).await, Ok(0));
}

pub(crate) async fn by_the_thousand(place: Place) {
    let (shop, alive) = shop();
    let (shop, _host) = place.host(shop).await;
    for round in 0..1000 {
        let counter = shop.make(round).await.expect("it is made");
        assert_eq!(counter.add(1).await, Ok(round + 1));
    }
    until(|| alive.load(Ordering::Relaxed) == 0).await;
}
