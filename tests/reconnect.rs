//! A server that goes away and comes back: what surely did not run is sent again, what may run twice too, and the rest says so. With real
//! processes where a process matters.

#![cfg(unix)]

#[path = "conformance/everywhere.rs"]
mod everywhere;
#[allow(dead_code, reason = "the suite uses all of it")]
#[path = "conformance/place.rs"]
mod place;
#[allow(dead_code, reason = "the suite uses all of it")]
#[path = "conformance/work.rs"]
mod work;

use everywhere::everywhere;
use farcall::{Error, ErrorKind, Executed, Limits, Remote, Server};
use place::{Host, Place, on_a_thread, several_threads};
use std::{
    future::{Future, poll_fn},
    io::{BufRead, BufReader, Read},
    pin::pin,
    process::{Child, Command, Stdio},
    task::Poll,
    thread,
    time::Duration,
};
use work::{Seen, Watch, Work, outline, worker};

const SOON: Duration = Duration::from_millis(100);

/// Lets the server go at once, and gives back its address and what keeps it.
fn crash(host: &mut Host) -> String {
    let address = host.address().to_owned();
    drop(host.running.take());
    address
}

/// Waits until the loss of the server shows by a call that surely was not sent.
async fn loses(work: &Remote<dyn Work>) -> Error {
    loop {
        if let Err(error) = work.timeout(SOON).quick(1000).await
            && error.executed() == Executed::No
        {
            return error;
        }
    }
}

/// Serves another worker at the address, as soon as it is free.
async fn restart(host: &mut Host, address: &str) -> Watch {
    loop {
        let (work, watch) = worker();
        match Server::new().export("it", work).listen(address).start().await {
            Ok(running) => {
                host.running = Some(running);
                return watch;
            }
            Err(error) => assert_eq!(error.kind(), ErrorKind::AddressInUse, "{error}"),
        }
        tokio::task::yield_now().await;
    }
}

#[test]
fn calls_made_meanwhile_are_held_and_go_through() {
    everywhere(|place| async move {
        let (work, _watch) = worker();
        let (work, mut host) = place.host(work).await;
        assert_eq!(work.quick(1).await, Ok(1));
        let address = crash(&mut host);
        loses(&work).await;
        let held: Vec<_> = (0..200).map(|number| work.quick(number)).collect();
        let dropped = work.quick(500);
        let mut watch = restart(&mut host, &address).await;
        drop(dropped);
        for (number, call) in held.into_iter().enumerate() {
            assert_eq!(call.await, Ok(number as u64));
        }
        assert_eq!(watch.so_far(), (0..200).map(Seen::Began).collect::<Vec<_>>());
    });
}

/// Whoever watches the connection is told of each wire that is lost, though the handle on the service is not closed.
#[test]
fn the_loss_of_each_wire_is_told() {
    everywhere(|place| async move {
        let (work, mut watch) = worker();
        let (work, mut host) = place.host(work).await;
        let connection = Remote::connection(&work).expect("it is elsewhere");
        for number in 0..3 {
            assert_eq!(work.quick(number).await, Ok(number));
            assert_eq!(watch.next().await, Seen::Began(number));
            let mut closed = pin!(connection.closed());
            let early = poll_fn(|cx| Poll::Ready(closed.as_mut().poll(cx))).await;
            assert!(early.is_pending(), "{early:?}");
            let address = crash(&mut host);
            let why = closed.await;
            assert_eq!(why.kind(), ErrorKind::Disconnected, "{why}");
            assert!(Remote::why_closed(&work).is_none());
            watch = restart(&mut host, &address).await;
        }
        drop(host);
        loses(&work).await;
        // There is none now.
        connection.closed().await;
    });
}

#[test]
fn only_what_may_run_twice_runs_twice() {
    everywhere(|place| async move {
        let (work, mut watch) = worker();
        let (work, mut host) = place.host(work).await;
        let (once, twice) = (work.pass(1), work.idempotent().pass(2));
        assert_eq!((watch.next().await, watch.next().await), (Seen::Began(1), Seen::Began(2)));
        let address = crash(&mut host);
        let error = once.await.expect_err("it was lost");
        assert_eq!(outline(&error), (ErrorKind::Disconnected, Executed::Maybe));
        let mut watch = restart(&mut host, &address).await;
        watch.open(1);
        assert_eq!(twice.await, Ok(2));
        assert_eq!(watch.so_far(), [Seen::Began(2), Seen::Ended(2)]);
    });
}

/// One that was out and may run twice waits for another wire. If there is none, nobody knows whether it has run.
#[test]
fn what_waits_to_run_again_may_have_run() {
    everywhere(|place| async move {
        let (work, mut watch) = worker();
        let (work, mut host) = place.host(work).await;
        let call = work.idempotent().timeout(Duration::from_secs(1)).pass(1);
        assert_eq!(watch.next().await, Seen::Began(1));
        crash(&mut host);
        let error = call.await.expect_err("nobody is there");
        assert_eq!(outline(&error), (ErrorKind::TimedOut, Executed::Maybe));
        let text = "the deadline passed before the call could go out again: ";
        assert!(error.text().starts_with(text), "{error}");
        // The next one in its place has not been out.
        let error = work.idempotent().timeout(SOON).pass(2).await.expect_err("nobody is there");
        assert_eq!(outline(&error), (ErrorKind::TimedOut, Executed::No));
    });
}

/// Each phase of a call: in the handler, unsent for want of credit, made after the loss.
#[test]
fn every_call_resolves_and_says_whether_it_ran() {
    everywhere(|place| async move {
        let mut limits = Limits::default();
        limits.serving = 3;
        let (work, mut watch) = worker();
        let (work, mut host) = place.host_within(work, limits).await;
        let hasty = work.timeout(Duration::from_millis(300));
        let mut calls: Vec<_> = (0..3).map(|number| work.pass(number)).collect();
        calls.extend((3..6).map(|number| hasty.pass(number)));
        for number in 0..3 {
            assert_eq!(watch.next().await, Seen::Began(number));
        }
        crash(&mut host);
        let late = hasty.pass(6);
        let want = |number| match number {
            0..3 => (ErrorKind::Disconnected, Executed::Maybe),
            _ => (ErrorKind::TimedOut, Executed::No),
        };
        for (number, call) in calls.into_iter().chain([late]).enumerate() {
            let error = call.await.expect_err("nobody is there");
            assert_eq!(outline(&error), want(number), "call {number}: {error}");
        }
        let mut dropped = vec![watch.next().await, watch.next().await, watch.next().await];
        dropped.sort_by_key(|seen| format!("{seen:?}"));
        assert_eq!(dropped, [Seen::Dropped(0), Seen::Dropped(1), Seen::Dropped(2)]);
    });
}

/// Threads that wait are told too, those that receive and those that follow.
#[test]
fn threads_that_wait_are_told() {
    for place in everywhere::DIALLED.iter().copied() {
        on_a_thread(move || {
            let runtime = place::threads();
            let (work, mut watch) = worker();
            let (work, mut host) = runtime.block_on(place.host(work));
            let waiting: Vec<_> = (0..4)
                .map(|number| {
                    let call = work.pass(number);
                    thread::spawn(move || call.wait())
                })
                .collect();
            for number in 0..4 {
                assert_eq!(watch.next_blocking(), Seen::Began(number));
            }
            crash(&mut host);
            for thread in waiting {
                let error = thread.join().expect("it does not panic").expect_err("it was lost");
                assert_eq!(outline(&error), (ErrorKind::Disconnected, Executed::Maybe));
            }
            let error = work.timeout(SOON).quick(9).wait().expect_err("nobody is there");
            assert_eq!(error.kind(), ErrorKind::TimedOut);
        });
    }
}

/// What is held says why it was not sent.
#[tokio::test]
async fn what_is_held_in_vain_says_why() {
    let (work, _watch) = worker();
    let (work, mut host) = Place::Unix.host(work).await;
    let address = crash(&mut host);
    let error = loop {
        let error = loses(&work).await;
        // Before it has been looked for again, the reason is another.
        if !error.text().contains("closed by the peer") {
            break error;
        }
    };
    let want = format!(
        "the deadline passed before the call could go out: nobody listens at {address}: start the server, or check the path"
    );
    assert_eq!((error.text(), error.executed()), (&*want, Executed::No));
}

/// A connect begins before its server does.
#[test]
fn a_client_may_come_first() {
    let directory = tempfile::tempdir().expect("a directory");
    let address = format!("unix://{}/a.sock", directory.path().display());
    several_threads(async move {
        let connecting = tokio::spawn(farcall::connect::<dyn Work>(&address).into_future());
        tokio::task::yield_now().await;
        let (work, _watch) = worker();
        let _running = Server::new().export("it", work).listen(&address).start().await;
        let work = connecting.await.expect("it does not panic").expect("it listens by now");
        assert_eq!(work.quick(1).await, Ok(1));
    });
}

const SERVE_AT: &str = "FARCALL_TEST_SERVE_AT";

/// In a process of its own, serves until that is killed. In this one, that nobody told it where is all there is to see.
#[test]
fn serves_where_it_is_told() {
    match std::env::var(SERVE_AT) {
        Err(missing) => assert_eq!(missing, std::env::VarError::NotPresent),
        Ok(address) => {
            let (work, mut watch) = worker();
            thread::spawn(move || {
                farcall::serve(&address, work).wait().expect("the address is free")
            });
            loop {
                println!("saw {:?}", watch.next_blocking());
            }
        }
    }
}

/// A server process. It is killed when this is dropped.
struct Process {
    child: Child,
    seen: BufReader<std::process::ChildStdout>,
}

impl Process {
    fn serving_at(address: &str) -> Self {
        let own = std::env::current_exe().expect("this test has a path");
        let mut child = Command::new(own)
            .args(["--exact", "serves_where_it_is_told", "--nocapture"])
            .env(SERVE_AT, address)
            .stdout(Stdio::piped())
            .spawn()
            .expect("it runs");
        let seen = BufReader::new(child.stdout.take().expect("it is piped"));
        Self { child, seen }
    }

    /// Waits until its servant has seen this.
    fn saw(&mut self, what: Seen) {
        let want = format!("saw {what:?}");
        let line = self
            .seen
            .by_ref()
            .lines()
            .find(|line| line.as_ref().is_ok_and(|line| line.ends_with(&want)));
        line.expect("it lives").expect("it writes text");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.child.kill().expect("it is ours");
        self.child.wait().expect("it is ours");
    }
}

/// A process that is killed in the middle of a call: the stale socket is taken over by the next, held calls go there.
#[test]
fn a_killed_process_is_replaced() {
    for scheme in if cfg!(target_os = "linux") { &["unix", "shm"][..] } else { &["unix"] } {
        on_a_thread(move || replaces_a_killed_process(scheme));
    }
}

fn replaces_a_killed_process(scheme: &str) {
    let directory = tempfile::tempdir().expect("a directory");
    let address = format!("{scheme}://{}/a.sock", directory.path().display());
    let mut first = Process::serving_at(&address);
    let work = farcall::connect::<dyn Work>(&address).wait().expect("it starts");
    let peer = Remote::peer(&work).expect("it is connected");
    assert_eq!(peer.transport, scheme);
    assert_ne!(peer.pid, Some(std::process::id()));
    // Without a deadline: nothing but the death can end it.
    let (once, twice) = (work.pass_in_time(1), work.idempotent().insist(2));
    first.saw(Seen::Began(1));
    first.saw(Seen::Began(2));
    drop(first);
    let error = once.wait().expect_err("it was lost");
    assert_eq!(outline(&error), (ErrorKind::Disconnected, Executed::Maybe));
    let held = work.quick(3);
    let mut second = Process::serving_at(&address);
    assert_eq!(held.wait(), Ok(3));
    second.saw(Seen::Began(2));
    second.saw(Seen::Began(3));
    drop(twice);
    assert_eq!(work.quick(4).wait(), Ok(4));
}
