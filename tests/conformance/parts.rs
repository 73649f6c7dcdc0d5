//! The parts of a large item of a stream: calls go between them, and before the last of them there is no item.

use crate::place::{Place, lone_thread};
use farcall::{Receiver, Remote, Sender};
use serde::{Deserialize, Serialize};
use std::{
    sync::{Mutex, PoisonError, mpsc},
    task::Poll,
    thread,
};
use tokio::{runtime::Runtime, sync::oneshot, task::yield_now};

/// Bytes of the item: more than twenty times what goes before its receiver gives credit.
const LENGTH: usize = 6 << 20;

#[farcall::remote]
pub(crate) trait Quarry {
    /// An end to send into.
    async fn ramp(&self) -> farcall::Result<Sender<Slab>>;
    /// The bytes of the next item, if it is there.
    async fn arrived(&self) -> farcall::Result<Option<usize>>;
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Slab {
    stone: Vec<u8>,
    /// Goes with the slab: when that has been encoded.
    #[serde(skip)]
    _here: Option<mpsc::Sender<()>>,
}

#[derive(Default)]
struct Pit(Mutex<Option<Receiver<Slab>>>);

impl Quarry for Pit {
    async fn ramp(&self) -> farcall::Result<Sender<Slab>> {
        let (sender, receiver) = farcall::channel(4);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(receiver);
        Ok(sender)
    }
    async fn arrived(&self) -> farcall::Result<Option<usize>> {
        let mut receiver = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match receiver.as_mut().map(Receiver::try_recv) {
            Some(Poll::Ready(Some(slab))) => slab.map(|slab| Some(slab.stone.len())),
            _ => Ok(None),
        }
    }
}

/// Runs a runtime of one thread until the function that it returns is called, which gives the runtime back.
fn drive(runtime: Runtime) -> impl FnOnce() -> Runtime {
    let (stop, stopped) = oneshot::channel::<()>();
    let driven = thread::spawn(move || {
        let _ = runtime.block_on(stopped);
        runtime
    });
    move || {
        drop(stop);
        driven.join().expect("it only waits")
    }
}

/// A call that is made when an item has been begun comes before the rest of it. Each side has a runtime of one thread; that of the receiver
/// stands still meanwhile and gives no credit, so the item cannot be complete, whoever runs when.
pub(crate) fn let_calls_between(place: Place) {
    let (servants, callers) = (lone_thread(), lone_thread());
    let (_near, host) = servants.block_on(place.host(Remote::<dyn Quarry>::new(Pit::default())));
    let stop = drive(servants);
    let connecting = farcall::connect::<dyn Quarry>(host.address());
    let quarry = callers.block_on(async { connecting.await }).expect("the host listens");
    let ramp = callers.block_on(quarry.ramp()).expect("there is one");
    let servants = stop();

    let (here, encoded) = mpsc::channel();
    // Made in there, and awaited once the servants run.
    let (between,) = callers.block_on(async {
        let slab = Slab { stone: vec![3; LENGTH], _here: Some(here) };
        assert_eq!(ramp.send(slab).await, Ok(()));
        // The task that encodes it sends as much of it as it may before it lets this one run.
        while encoded.try_recv() != Err(mpsc::TryRecvError::Disconnected) {
            yield_now().await;
        }
        (quarry.arrived(),)
    });
    let stop = drive(servants);
    assert_eq!(callers.block_on(between), Ok(None), "the call waited for the whole item");
    let length = callers.block_on(async {
        loop {
            if let Some(length) = quarry.arrived().await.expect("it is served") {
                break length;
            }
            yield_now().await;
        }
    });
    assert_eq!(length, LENGTH);
    drop(stop());
}
