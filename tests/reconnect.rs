//! A server that goes away and comes back: what surely did not run is sent again, what may run twice too, and the rest says so. With real
//! processes where a process matters.

#![cfg(unix)]

#[path = "conformance/place.rs"]
mod place;
#[path = "conformance/work.rs"]
mod work;

use farcall::{Error, ErrorKind, Executed, Limits, Remote, Server};
use farcall_core::frame::{Frame, Hello, VERSION};
use place::{Host, Place, on_a_thread, one_thread, several_threads};
use std::{
    io::{BufRead, BufReader, Read, Write},
    os::unix::net::{UnixListener, UnixStream},
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};
use work::{Seen, Watch, Work, outline, worker};

const SOON: Duration = Duration::from_millis(100);

fn everywhere<F: Future<Output = ()>>(test: impl Fn(Place) -> F) {
    for place in [Place::Inproc, Place::Unix, Place::Tcp] {
        one_thread(test(place));
        several_threads(test(place));
    }
}

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

/// Each phase of a call: in the handler, unsent for want of credit, made after the loss.
#[test]
fn every_call_resolves_and_says_whether_it_ran() {
    everywhere(|place| async move {
        let mut limits = Limits::default();
        limits.serving = 3;
        let (work, mut watch) = worker();
        let (work, mut host) = place.host_within(work, limits).await;
        let hasty = work.timeout(Duration::from_millis(300));
        let calls: Vec<_> = (0..6).map(|number| hasty.pass(number)).collect();
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

/// What is held says why it was not sent.
#[tokio::test]
async fn what_is_held_in_vain_says_why() {
    let (work, _watch) = worker();
    let (work, mut host) = Place::Unix.host(work).await;
    let address = crash(&mut host);
    let error = loses(&work).await;
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

/// Another server of the same protocol, made of frames by hand.
struct Puppet {
    listener: UnixListener,
    directory: tempfile::TempDir,
}

impl Puppet {
    fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let listener = UnixListener::bind(directory.path().join("a.sock")).expect("a fresh path");
        Self { listener, directory }
    }

    fn address(&self) -> String {
        format!("unix://{}/a.sock", self.directory.path().display())
    }

    fn accept(&self) -> UnixStream {
        self.listener.accept().expect("a client").0
    }
}

fn framed(frame: &Frame<'_>) -> Vec<u8> {
    let mut bytes = vec![0; 4];
    frame.encode(&mut bytes);
    let length = u32::try_from(bytes.len() - 4).expect("it is short");
    bytes[..4].copy_from_slice(&length.to_le_bytes());
    bytes
}

fn hello(version: u16) -> Vec<u8> {
    framed(&Frame::Hello(Hello {
        version,
        features: 0,
        peer: [1; 16],
        host: [0; 16],
        processor: 0,
        frame: 1 << 20,
        serving: 100,
    }))
}

fn connect_to(puppet: &Puppet, within: Duration) -> thread::JoinHandle<farcall::Error> {
    let address = puppet.address();
    thread::spawn(move || {
        let connecting = farcall::connect::<dyn Work>(&address).within(within);
        connecting.wait().expect_err("it is no server")
    })
}

/// A server that hangs up at once is tried again, and not in a hurry: 20 ms, 40 ms, 80 ms ..
#[test]
fn a_server_that_hangs_up_is_not_stormed() {
    let puppet = Puppet::new();
    let client = connect_to(&puppet, Duration::from_millis(400));
    let (sender, attempts) = mpsc::channel();
    let listener = puppet.listener.try_clone().expect("a descriptor");
    thread::spawn(move || {
        while let Ok(_hung_up) = listener.accept() {
            if sender.send(()).is_err() {
                break;
            }
        }
    });
    let error = client.join().expect("it does not panic");
    assert_ne!(error.executed(), Executed::Yes);
    let attempts = attempts.try_iter().count();
    assert!((2..40).contains(&attempts), "{attempts} attempts");
}

/// One that will never understand is given up at once, with a reason.
#[test]
fn a_stranger_is_given_up_at_once() {
    for (answer, want) in [
        (
            hello(VERSION + 1),
            "the peer speaks version 2 of the protocol and this build version 1: build both with the same farcall",
        ),
        (framed(&Frame::Ping(1)), "the peer's first frame is not a Hello"),
        (
            b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(),
            "an HTTP server listens there, and no farcall endpoint",
        ),
    ] {
        on_a_thread(move || {
            let puppet = Puppet::new();
            let client = connect_to(&puppet, Duration::from_secs(50));
            let mut stream = puppet.accept();
            stream.write_all(&answer).expect("the client is there");
            let error = client.join().expect("it does not panic");
            assert_eq!(error.kind(), ErrorKind::Protocol, "{error}");
            assert!(error.text().contains(want), "{error}");
        });
    }
}

/// One that says Hello and then nothing is tried again.
#[test]
fn a_server_that_never_answers_is_dialled_again() {
    on_a_thread(|| {
        let puppet = Puppet::new();
        let address = puppet.address();
        let mut limits = Limits::default();
        limits.deadline = SOON;
        let client = thread::spawn(move || {
            let connecting = farcall::connect::<dyn Work>(&address).limits(limits);
            connecting.within(Duration::from_secs(50)).wait().map(drop)
        });
        let mut silent = puppet.accept();
        silent.write_all(&hello(VERSION)).expect("the client is there");
        let mut second = puppet.accept();
        second.write_all(&hello(VERSION)).expect("the client is there");
        drop((silent, second, puppet));
        drop(client);
    });
}

/// A peer that breaks the protocol loses the connection, and its callers are told.
#[test]
fn a_peer_that_answers_what_was_not_asked_is_closed() {
    use farcall_core::{
        frame::{Outcome, ReturnHeader},
        id::CallId,
    };
    on_a_thread(|| {
        let puppet = Puppet::new();
        let client = connect_to(&puppet, Duration::from_secs(50));
        let mut stream = puppet.accept();
        let header = ReturnHeader { call: CallId { slot: 7, generation: 3 } };
        let answer = framed(&Frame::Return(header, Outcome::Ok(&[])));
        stream.write_all(&[hello(VERSION), answer].concat()).expect("the client is there");
        let mut said = Vec::new();
        stream.read_to_end(&mut said).expect("it is closed");
        let abort = String::from_utf8_lossy(&said).into_owned();
        assert!(abort.contains("call 7.3, which was not waiting for an answer"), "{abort}");
        let error = client.join().expect("it does not panic");
        assert_eq!(error.kind(), ErrorKind::Protocol, "{error}");
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
    on_a_thread(|| {
        let directory = tempfile::tempdir().expect("a directory");
        let address = format!("unix://{}/a.sock", directory.path().display());
        let mut first = Process::serving_at(&address);
        let work = farcall::connect::<dyn Work>(&address).wait().expect("it starts");
        assert_ne!(Remote::peer(&work).expect("it is connected").pid, Some(std::process::id()));
        let (once, twice) = (work.pass(1), work.idempotent().insist(2));
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
    });
}
