//! Shutting down in good order: what was accepted is answered, what was not is refused and surely did not run, and a ledger shows that
//! nothing was lost or doubled.

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
use place::{Host, Place};
use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::sync::oneshot;
use work::{Seen, Watch, Work, outline, worker};

async fn hosted(place: Place) -> (Remote<dyn Work>, Watch, Host) {
    let (work, watch) = worker();
    let (work, host) = place.host(work).await;
    (work, watch, host)
}

fn shut_down(host: &mut Host) -> tokio::task::JoinHandle<()> {
    let running = host.running.take().expect("it runs");
    tokio::spawn(running.shutdown())
}

/// New calls are held for whoever listens there next; if nobody does, their deadline passes, and they surely did not run.
#[test]
fn accepted_calls_finish_and_new_ones_do_not_run() {
    everywhere(|place| async move {
        let (work, mut watch, mut host) = hosted(place).await;
        let accepted: Vec<_> = (0..20).map(|number| work.pass(number)).collect();
        for number in 0..20 {
            assert_eq!(watch.next().await, Seen::Began(number));
        }
        let down = shut_down(&mut host);
        refuses(&work).await;
        assert!(!down.is_finished(), "it waits for the calls that it has accepted");
        watch.open(20);
        for (number, call) in accepted.into_iter().enumerate() {
            assert_eq!(call.await, Ok(number as u64));
        }
        down.await.expect("it does not panic");
    });
}

/// Waits until no call is accepted any more. One that was accepted may take longer than it has.
async fn refuses(work: &Remote<dyn Work>) {
    let hasty = work.timeout(Duration::from_millis(50));
    loop {
        match hasty.quick(1000).await {
            Err(error) if error.executed() == Executed::No => {
                return assert_eq!(error.kind(), ErrorKind::TimedOut, "{error}");
            }
            _ => {}
        }
    }
}

/// One-way calls that were accepted run to their end too.
#[test]
fn accepted_one_way_calls_finish() {
    everywhere(|place| async move {
        let (work, mut watch, mut host) = hosted(place).await;
        work.tell(1).await.expect("it goes out");
        assert_eq!(watch.next().await, Seen::Began(1));
        let down = shut_down(&mut host);
        refuses(&work).await;
        assert!(!down.is_finished(), "it waits for the call that it has accepted");
        watch.open(1);
        while watch.next().await != Seen::Ended(1) {}
        down.await.expect("it does not panic");
    });
}

/// Calls whose caller has gone, and that insist, are waited for; and what is idle is not.
#[test]
fn what_insists_is_waited_for() {
    everywhere(|place| async move {
        let (work, mut watch, mut host) = hosted(place).await;
        let insists = work.insist(1);
        assert_eq!(watch.next().await, Seen::Began(1));
        drop(insists);
        let _idle = farcall::connect::<dyn Work>(host.address()).await.expect("it listens");
        let down = shut_down(&mut host);
        watch.open(1);
        assert_eq!(watch.next().await, Seen::Ended(1));
        down.await.expect("it does not panic");
    });
}

/// The address is free as soon as the shutdown is over, also without any connection.
#[test]
fn the_address_is_free_afterwards() {
    everywhere(|place| async move {
        let (work, _watch) = worker();
        let mut host = place.start(Server::new().export("it", work)).await;
        let address = host.address().to_owned();
        for connections in [0, 0, 1, 2] {
            let mut clients = Vec::new();
            for _ in 0..connections {
                let client = farcall::connect::<dyn Work>(&address).await.expect("it listens");
                assert_eq!(client.quick(1).await, Ok(1));
                clients.push(client);
            }
            host.running.take().expect("it runs").shutdown().await;
            drop(clients);
            let (work, _watch) = worker();
            let again = Server::new().export("it", work).listen(&address).start().await;
            host.running = Some(again.expect("the address is free"));
        }
    });
}

/// A peer that has connected and not said Hello does not hold the shutdown up, nor does one that says it late.
#[tokio::test]
async fn a_silent_stranger_does_not_hold_it_up() {
    use farcall_core::frame::{Frame, Hello, VERSION};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let (work, _watch) = worker();
    let mut limits = Limits::default();
    limits.handshake_time = Duration::from_secs(50);
    let host = Place::Tcp.start(Server::new().export("it", work).limits(limits)).await;
    let place = host.address().trim_start_matches("tcp://").to_owned();
    let mut late = tokio::net::TcpStream::connect(&place).await.expect("it listens");
    let mut silent = tokio::net::TcpStream::connect(&place).await.expect("it listens");
    // Its Hello shows that the connection is being served.
    let mut first = [0; 4];
    late.read_exact(&mut first).await.expect("its Hello");
    silent.read_exact(&mut first).await.expect("its Hello");
    let down = tokio::spawn(host.running.expect("it runs").shutdown());
    tokio::task::yield_now().await;
    let mut hello = vec![0; 4];
    Frame::Hello(Hello {
        version: VERSION,
        features: 0,
        peer: [0; 16],
        host: [0; 16],
        processor: 0,
        frame: 1 << 20,
        serving: 1,
    })
    .encode(&mut hello);
    let length = u32::try_from(hello.len() - 4).expect("it is short");
    hello[..4].copy_from_slice(&length.to_le_bytes());
    // It may be closed already.
    let _ = late.write_all(&hello).await;
    let mut rest = Vec::new();
    let _ = late.read_to_end(&mut rest).await;
    let down = tokio::time::timeout(Duration::from_secs(20), down);
    down.await.expect("the shutdown ends").expect("it does not panic");
}

#[test]
fn serving_until_a_signal_ends_well() {
    everywhere(|place| async move {
        let directory = tempfile::tempdir().expect("a directory");
        let address = match place {
            Place::Tcp => return,
            Place::Inproc => format!("inproc://until-{:?}", std::thread::current().id()),
            Place::Shm => format!("shm://{}/a.shm", directory.path().display()),
            _ => format!("unix://{}/a.sock", directory.path().display()),
        };
        let (work, mut watch) = worker();
        let (stop, stopped) = oneshot::channel::<()>();
        let signal = async { stopped.await.expect("it is sent") };
        let at = address.clone();
        let serving =
            tokio::spawn(async move { farcall::serve_with_shutdown(&at, work, signal).await });
        let work = farcall::connect::<dyn Work>(&address).await.expect("it listens");
        let call = work.pass(1);
        assert_eq!(watch.next().await, Seen::Began(1));
        stop.send(()).expect("it serves");
        refuses(&work).await;
        watch.open(1);
        assert_eq!(call.await, Ok(1));
        assert_eq!(serving.await.expect("it does not panic"), Ok(()));
    });
}

/// Dropping the endpoint instead closes at once: what runs may have run, and its handler is dropped.
#[test]
fn dropping_the_endpoint_ends_everything() {
    everywhere(|place| async move {
        let (work, mut watch, mut host) = hosted(place).await;
        let call = work.pass(1);
        assert_eq!(watch.next().await, Seen::Began(1));
        drop(host.running.take());
        let error = call.await.expect_err("the endpoint is gone");
        assert_eq!(outline(&error), (ErrorKind::Disconnected, Executed::Maybe));
        assert_eq!(watch.next().await, Seen::Dropped(1));
        let error = work.timeout(Duration::from_millis(50)).quick(2).await.expect_err("it is gone");
        assert_eq!(outline(&error), (ErrorKind::TimedOut, Executed::No));
    });
}

/// Enters each call into a book that both sides can read.
#[farcall::remote]
trait Ledger {
    async fn enter(&self, number: u64) -> farcall::Result<()>;
}

#[derive(Clone, Default)]
struct Book(Arc<Mutex<Vec<u64>>>);

impl Ledger for Book {
    async fn enter(&self, number: u64) -> farcall::Result<()> {
        self.0.lock().expect("nobody panics").push(number);
        if number.is_multiple_of(3) {
            tokio::task::yield_now().await;
        }
        Ok(())
    }
}

/// A server that is replaced again and again under load: each call is answered once, runs at most once, and says truly whether it ran.
#[test]
fn a_ledger_of_calls_across_restarts() {
    everywhere(|place| async move {
        let book = Book::default();
        let server = || Server::new().export("it", Remote::<dyn Ledger>::new(book.clone()));
        let mut host = place.start(server()).await;
        let address = host.address().to_owned();
        let ledger = farcall::connect::<dyn Ledger>(&address).await.expect("it listens");
        let (mut done, mut perhaps, mut number) = (BTreeSet::new(), BTreeSet::new(), 0);
        for _ in 0..5 {
            let mut calls = Vec::new();
            let mut down = None;
            for _ in 0..200 {
                calls.push((number, ledger.enter(number)));
                number += 1;
                if number % 200 == 100 {
                    down = Some(shut_down(&mut host));
                }
                tokio::task::yield_now().await;
            }
            down.expect("it was begun").await.expect("it does not panic");
            host.running = Some(server().listen(&address).start().await.expect("it is free"));
            for (number, call) in calls {
                match call.await {
                    Ok(()) => assert!(done.insert(number)),
                    Err(error) => check_refused(&error, number, &mut perhaps),
                }
            }
        }
        let mut book = book.0.lock().expect("nobody panics").clone();
        book.sort_unstable();
        let ran: BTreeSet<_> = book.iter().copied().collect();
        assert_eq!(book.len(), ran.len(), "no call ran twice");
        assert!(ran.is_superset(&done), "what succeeded has run");
        assert!(ran.difference(&done).all(|number| perhaps.contains(number)), "{perhaps:?}");
        assert_eq!(done.len(), 1000, "in good order nothing is lost: {perhaps:?}");
    });
}

fn check_refused(error: &Error, number: u64, perhaps: &mut BTreeSet<u64>) {
    if error.executed() != Executed::No {
        perhaps.insert(number);
    }
}
