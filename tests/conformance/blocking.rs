//! `.wait()`: on threads without a runtime, together with tasks; and never in async code.

use crate::{
    place::{Place, lone_thread, threads},
    results::Answers,
    work::{Seen, Work, outline, worker},
};
use farcall::{ErrorKind, Executed, Remote};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};
use tokio::sync::oneshot;

const IN_ASYNC: &str = "`.wait()` would block the thread that async code runs on: write `.await`";

/// Threads and tasks share one connection.
pub(crate) fn threads_and_tasks_share(place: Place) {
    let runtime = threads();
    let (work, _watch) = worker();
    let (work, _host) = runtime.block_on(place.host(work));
    thread::scope(|scope| {
        for start in [0, 1000, 2000] {
            let work = &work;
            scope.spawn(move || {
                for number in start..start + 300 {
                    assert_eq!(work.quick(number).wait(), Ok(number));
                }
                let calls: Vec<_> = (start..start + 100).map(|number| work.quick(number)).collect();
                for (number, call) in (start..).zip(calls) {
                    assert_eq!(call.wait(), Ok(number));
                }
            });
        }
        let tasks: Vec<_> = (0..3)
            .map(|task| {
                let work = work.clone();
                runtime.spawn(async move {
                    for number in 0..300 {
                        assert_eq!(work.quick(task * number).await, Ok(task * number));
                    }
                })
            })
            .collect();
        for task in tasks {
            runtime.block_on(task).expect("it does not panic");
        }
    });
}

/// Each of several threads waits for a call that ends after those of the others.
pub(crate) fn threads_wait_for_each_other(place: Place) {
    let runtime = threads();
    let (work, mut watch) = worker();
    let (work, _host) = runtime.block_on(place.host(work));
    thread::scope(|scope| {
        let waiting: Vec<_> = (0..6)
            .map(|number| {
                let call = work.pass(number);
                scope.spawn(move || call.wait())
            })
            .collect();
        for number in 0..6 {
            assert_eq!(watch.next_blocking(), Seen::Began(number));
        }
        assert_eq!(work.quick(100).wait(), Ok(100));
        for (number, thread) in waiting.into_iter().enumerate() {
            watch.open(1);
            assert_eq!(thread.join().expect("it does not panic"), Ok(number as u64));
        }
    });
}

pub(crate) fn bulk_goes_through(place: Place) {
    let runtime = threads();
    let (work, _watch) = worker();
    let (work, _host) = runtime.block_on(place.host(work));
    for size in [0, 100, 100_000, 5 << 20] {
        let data = vec![3; size];
        assert!(work.echo(&data).wait().expect("it fits") == data, "{size} bytes");
    }
    let calls: Vec<_> = (0..8).map(|_| work.echo(&[4; 1 << 20])).collect();
    for call in calls {
        assert_eq!(call.wait().map(|data| data.len()), Ok(1 << 20));
    }
}

pub(crate) fn deadlines_are_kept(place: Place) {
    let runtime = threads();
    let (work, mut watch) = worker();
    let (work, _host) = runtime.block_on(place.host(work));
    let hasty = work.timeout(Duration::from_millis(20));
    thread::scope(|scope| {
        let patient = scope.spawn(|| work.pass(1).wait());
        assert_eq!(watch.next_blocking(), Seen::Began(1));
        for number in [2, 3] {
            let error = hasty.pass(number).wait().expect_err("the gate is closed");
            assert_eq!(error.kind(), ErrorKind::TimedOut);
            assert_ne!(error.executed(), Executed::No);
        }
        watch.open(1);
        assert_eq!(patient.join().expect("it does not panic"), Ok(1));
    });
}

pub(crate) fn errors_and_panics_arrive(place: Place) {
    let runtime = threads();
    let (work, _watch) = worker();
    let (work, _host) = runtime.block_on(place.host(work));
    let error = work.panic_at_once().wait().expect_err("it panics");
    assert_eq!(outline(&error), (ErrorKind::Panicked, Executed::Yes));
    assert_eq!(work.tell(1).wait(), Ok(()));
}

/// The handle's runtime has one thread, and nobody drives it meanwhile. The servant's is driven.
pub(crate) fn nobody_drives_the_runtime(place: Place) {
    let (servants, callers) = (threads(), lone_thread());
    let (work, _watch) = worker();
    let (_first, host) = servants.block_on(place.host(work));
    let connecting = farcall::connect::<dyn Work>(host.address());
    let work = callers.block_on(async { connecting.await }).expect("the host listens");
    for number in 0..100 {
        assert_eq!(work.quick(number).wait(), Ok(number));
    }
    let calls: Vec<_> = (0..1500).map(|number| work.quick(number)).collect();
    for (number, call) in calls.into_iter().enumerate() {
        assert_eq!(call.wait(), Ok(number as u64));
    }
    let error = work.timeout(Duration::from_millis(20)).pass(1).wait().expect_err("it is closed");
    assert_eq!(error.kind(), ErrorKind::TimedOut);
}

/// Tells how often another task of the servant's thread has run.
#[farcall::remote]
pub(crate) trait Ticks {
    async fn so_far(&self) -> farcall::Result<u64>;
}

struct Clock(Arc<AtomicU64>);

impl Ticks for Clock {
    async fn so_far(&self) -> farcall::Result<u64> {
        Ok(self.0.load(Ordering::Relaxed))
    }
}

/// The servant's runtime has one thread. A caller that is never late leaves it to others now and then.
pub(crate) fn a_busy_caller_is_not_alone(place: Place) {
    let servants = lone_thread();
    let ticks = Arc::new(AtomicU64::new(0));
    let clock = Remote::<dyn Ticks>::new(Clock(Arc::clone(&ticks)));
    let (_near, host) = servants.block_on(place.host(clock));
    let (stop, mut stopped) = oneshot::channel::<()>();
    let driven = thread::spawn(move || {
        servants.block_on(async {
            while stopped.try_recv() == Err(oneshot::error::TryRecvError::Empty) {
                ticks.fetch_add(1, Ordering::Relaxed);
                tokio::task::yield_now().await;
            }
        });
    });
    let callers = threads();
    let connecting = farcall::connect::<dyn Ticks>(host.address());
    let clock = callers.block_on(async { connecting.await }).expect("the host listens");
    let so_far = || clock.so_far().wait().expect("it is served");
    let first = so_far();
    let _ = (0..3000).map(|_| so_far()).max();
    let ran = so_far() - first;
    assert!(ran > 100, "another task ran {ran} times during 3000 calls");
    drop(stop);
    driven.join().expect("it only counts");
}

/// Calls of its own kind, in a way that async code must not.
#[farcall::remote]
pub(crate) trait Blocks {
    async fn waits(&self) -> farcall::Result<u64>;
    async fn waits_later(&self) -> farcall::Result<u64>;
    async fn waits_elsewhere(&self) -> farcall::Result<u64>;
}

struct Blocker(Remote<dyn Work>);

impl Blocks for Blocker {
    async fn waits(&self) -> farcall::Result<u64> {
        self.0.quick(1).wait()
    }
    async fn waits_later(&self) -> farcall::Result<u64> {
        tokio::task::yield_now().await;
        self.0.quick(1).wait()
    }
    async fn waits_elsewhere(&self) -> farcall::Result<u64> {
        let work = self.0.clone();
        let waiting = tokio::task::spawn_blocking(move || work.quick(1).wait());
        waiting.await.expect("it does not panic")
    }
}

pub(crate) async fn async_code_is_refused(place: Place) {
    let (work, _watch) = worker();
    let (work, _host) = place.host(work).await;
    let error = work.quick(1).wait().expect_err("this is async code");
    assert_eq!((error.text(), error.kind()), (IN_ASYNC, ErrorKind::WaitInAsync));
    let error = farcall::connect::<dyn Answers>("inproc://nowhere").wait().expect_err("so is this");
    assert_eq!((error.text(), error.kind()), (IN_ASYNC, ErrorKind::WaitInAsync));
    let serving = farcall::serve("inproc://nowhere", work.clone());
    assert_eq!(serving.wait().expect_err("and this").kind(), ErrorKind::WaitInAsync);

    let near = Remote::<dyn Blocks>::new(Blocker(work.clone()));
    let (blocks, _blocks_host) = place.host(near).await;
    for refused in [blocks.waits().await, blocks.waits_later().await] {
        let error = refused.expect_err("a servant is async code");
        assert_eq!((error.text(), error.kind()), (IN_ASYNC, ErrorKind::WaitInAsync));
    }
    assert_eq!(blocks.waits_elsewhere().await, Ok(1));
    let waiting = tokio::task::spawn_blocking(move || work.quick(2).wait());
    assert_eq!(waiting.await.expect("it does not panic"), Ok(2));
}
