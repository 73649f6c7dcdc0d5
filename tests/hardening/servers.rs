//! The other way round: hostile and broken servers, and a well-behaved client that connects to them.

use crate::{
    attacker::{encoded, hello_of, prefixed},
    place::on_a_thread,
    work::{Work, outline},
};
use farcall::{Error, ErrorKind, Executed, Limits};
use farcall_core::{
    frame::{Frame, Outcome, ReturnHeader, VERSION},
    id::CallId,
};
use std::{
    io::{Read, Write},
    os::unix::net::{UnixListener, UnixStream},
    sync::mpsc,
    thread::{self, JoinHandle},
    time::Duration,
};

const SOON: Duration = Duration::from_millis(100);

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
    prefixed(&encoded(frame))
}

fn hello(version: u16) -> Vec<u8> {
    prefixed(&hello_of(version))
}

fn connect_to(puppet: &Puppet, within: Duration) -> JoinHandle<Error> {
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

/// One that answers the lookup, and what it does then.
fn answers_the_lookup(puppet: &Puppet) -> UnixStream {
    let mut stream = puppet.accept();
    let header = ReturnHeader::of(CallId { slot: 0, generation: 0 });
    stream.write_all(&hello(VERSION)).expect("the client is there");
    // Its Hello, then its lookup.
    for _ in 0..2 {
        next_frame(&mut stream);
    }
    let bound = framed(&Frame::Return(header, Outcome::Ok(&[1, 0, 0])));
    stream.write_all(&bound).expect("the client is there");
    stream
}

fn next_frame(stream: &mut UnixStream) -> Vec<u8> {
    let mut length = [0; 4];
    stream.read_exact(&mut length).expect("the client is there");
    let mut frame = vec![0; u32::from_le_bytes(length) as usize];
    stream.read_exact(&mut frame).expect("the client is there");
    frame
}

/// One that answers the lookup and no call: each call ends at its deadline.
#[test]
fn a_server_that_answers_no_call_costs_a_deadline() {
    on_a_thread(|| {
        let puppet = Puppet::new();
        let address = puppet.address();
        let client = thread::spawn(move || {
            let work =
                farcall::connect::<dyn Work>(&address).wait().expect("it answers the lookup");
            let calls: Vec<_> = (0..3).map(|number| work.timeout(SOON).quick(number)).collect();
            calls
                .into_iter()
                .map(|call| call.wait().expect_err("nobody answers"))
                .collect::<Vec<_>>()
        });
        let _stream = answers_the_lookup(&puppet);
        for error in client.join().expect("it does not panic") {
            assert_eq!(outline(&error), (ErrorKind::TimedOut, Executed::Maybe));
        }
    });
}

/// A peer that breaks the protocol loses the connection, and its callers are told.
#[test]
fn a_peer_that_answers_what_was_not_asked_is_closed() {
    on_a_thread(|| {
        let puppet = Puppet::new();
        let client = connect_to(&puppet, Duration::from_secs(50));
        let mut stream = puppet.accept();
        let header = ReturnHeader::of(CallId { slot: 7, generation: 3 });
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

/// One that answers a call twice: the first answer counts, the second one is the end.
#[test]
fn a_peer_that_answers_twice_is_closed() {
    on_a_thread(|| {
        let puppet = Puppet::new();
        let address = puppet.address();
        let client = thread::spawn(move || {
            let work = farcall::connect::<dyn Work>(&address).wait().expect("it is answered");
            (work.quick(7).wait(), work)
        });
        let mut stream = answers_the_lookup(&puppet);
        let frame = next_frame(&mut stream);
        let Ok(Frame::Call(header, _)) = Frame::decode(&frame) else { panic!("{frame:?}") };
        let call = header.call.expect("it wants an answer");
        let answer = framed(&Frame::Return(ReturnHeader::of(call), Outcome::Ok(&[7])));
        stream.write_all(&answer.repeat(2)).expect("the client is there");
        let (first, _work) = client.join().expect("it does not panic");
        assert_eq!(first, Ok(7));
        let mut said = Vec::new();
        stream.read_to_end(&mut said).expect("it is closed");
        let abort = String::from_utf8_lossy(&said).into_owned();
        assert!(abort.contains("which was not waiting for an answer"), "{abort:?}");
    });
}
