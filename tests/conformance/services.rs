//! Several services at an address, several interfaces on a servant, several addresses of an endpoint.

use crate::{
    place::Place,
    work::{Work, outline, worker},
};
use farcall::{ErrorKind, Executed, Limits, Remote, Server};
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

#[farcall::remote]
pub(crate) trait Reads {
    async fn read(&self) -> farcall::Result<u64>;
}

#[farcall::remote]
pub(crate) trait Writes {
    async fn write(&self, number: u64) -> farcall::Result<()>;
}

#[derive(Default)]
struct Cell(AtomicU64);

impl Reads for Cell {
    async fn read(&self) -> farcall::Result<u64> {
        Ok(self.0.load(Ordering::Relaxed))
    }
}

impl Writes for Cell {
    async fn write(&self, number: u64) -> farcall::Result<()> {
        self.0.store(number, Ordering::Relaxed);
        Ok(())
    }
}

fn server(cell: &Arc<Cell>) -> Server {
    Server::new()
        .export("reads", Remote::<dyn Reads>::from_arc(Arc::clone(cell)))
        .export("writes", Remote::<dyn Writes>::from_arc(Arc::clone(cell)))
}

/// Two interfaces on one servant, which the program holds too. Without a name one gets the first.
pub(crate) async fn are_named_by_the_fragment(place: Place) {
    let cell = Arc::new(Cell::default());
    let host = place.start(server(&cell)).await;
    let first = farcall::connect::<dyn Reads>(host.address()).await.expect("it is the first");
    let reads = farcall::connect::<dyn Reads>(&host.service("reads")).await.expect("it is there");
    let writes =
        farcall::connect::<dyn Writes>(&host.service("writes")).await.expect("it is there");
    writes.write(7).await.expect("it answers");
    assert_eq!((first.read().await, reads.read().await), (Ok(7), Ok(7)));
    cell.0.store(8, Ordering::Relaxed);
    assert_eq!(reads.read().await, Ok(8));

    let error = farcall::connect::<dyn Writes>(&host.service("reads")).await.expect_err("it reads");
    assert_eq!(outline(&error), (ErrorKind::WrongInterface, Executed::No));
    let error = farcall::connect::<dyn Reads>(&host.service("read")).await.expect_err("no such");
    assert_eq!(outline(&error), (ErrorKind::NoSuchService, Executed::No));
}

pub(crate) async fn are_the_same_at_each_address(place: Place) {
    let cell = Arc::new(Cell::default());
    let elsewhere = format!("inproc://beside-{place:?}-{:?}", std::thread::current().id());
    let host = place.start(server(&cell).listen(&elsewhere)).await;
    let running = host.running.as_ref().expect("it listens");
    assert_eq!(running.addresses().len(), 2);
    for address in running.addresses() {
        let writes = farcall::connect::<dyn Writes>(&format!("{address}#writes")).await;
        writes.expect("it is there").write(address.len() as u64).await.expect("it answers");
        assert_eq!(cell.0.load(Ordering::Relaxed), address.len() as u64);
    }
}

/// What an endpoint exports may be an object of another process: calls are passed on.
pub(crate) async fn may_be_objects_of_another_process(place: Place) {
    let cell = Arc::new(Cell(AtomicU64::new(3)));
    let host = place.start(server(&cell)).await;
    let reads = farcall::connect::<dyn Reads>(&host.service("reads")).await.expect("it is there");
    let (wrapped, _wrapper) = place.host(Remote::<dyn Reads>::new(reads.clone())).await;
    assert_eq!(wrapped.read().await, Ok(3));
    let (forwarded, _forwarder) = place.host(reads).await;
    assert_eq!(forwarded.read().await, Ok(3));
}

pub(crate) async fn take_frames_of_the_size_that_they_say(place: Place) {
    let mut limits = Limits::default();
    limits.frame = 64 << 10;
    let (work, _watch) = worker();
    let server = Server::new().export("work", work).limits(limits.clone());
    let host = place.start(server).await;
    let large = farcall::connect::<dyn Work>(host.address()).await.expect("it listens");
    let small = farcall::connect::<dyn Work>(host.address()).limits(limits).await;
    let small = small.expect("it listens");
    for work in [&large, &small] {
        assert_eq!(work.echo(&[0; 60_000]).await.map(|data| data.len()), Ok(60_000));
        let error = work.echo(&[0; 66_000]).await.expect_err("it is too large");
        assert_eq!(outline(&error), (ErrorKind::TooLarge, Executed::No));
        assert_eq!(work.quick(1).await, Ok(1));
    }
    let error = small.fill(66_000).await.expect_err("it is too large");
    assert_eq!(outline(&error), (ErrorKind::TooLarge, Executed::Yes));
    assert_eq!(large.fill(66_000).await.map(|data| data.len()), Ok(66_000));
}
