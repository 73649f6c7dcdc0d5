//! The other way round: hostile and broken servers, and a well-behaved client that connects to them.

use crate::{
    attacker::{encoded, hello_of, prefixed},
    fortress::{Item, Target, count_panics, no_panics},
    place::on_a_thread,
    work::{Work, outline},
};
use farcall::{Error, ErrorKind, Executed, Limits, Remote};
use farcall_core::{
    frame::{Descriptor, Entry, Frame, Outcome, Place, References, ReturnHeader, Table, VERSION},
    id::{CallId, ObjectId},
};
use std::{
    io::{self, Read, Write},
    os::unix::net::{UnixListener, UnixStream},
    sync::mpsc,
    thread::{self, JoinHandle},
    time::Duration,
};

const SOON: Duration = Duration::from_millis(100);
const LONG: Duration = Duration::from_secs(10);

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
    frame_or_end(stream).expect("the client is there")
}

fn frame_or_end(stream: &mut UnixStream) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let mut frame = vec![0; u32::from_le_bytes(length) as usize];
    stream.read_exact(&mut frame)?;
    Ok(frame)
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

/// One whose answer breaks the rules: the connection ends, and who has waited for the answer is told so.
#[test]
fn an_answer_that_breaks_the_rules_is_its_callers_error() {
    let (mut undescribed, mut absent) = (Vec::new(), Vec::new());
    let object = ObjectId { slot: 5, generation: 0 };
    References::encode(&[Descriptor::Mine(object, 0)], &mut undescribed);
    Table::encode([Entry { length: 9, place: Place::Beside }].into_iter(), &mut absent);
    for (references, payloads, why) in [
        (&*undescribed, &[][..], "the peer lent an object whose interface it has not described"),
        (
            &[],
            &absent,
            "the payloads that came beside the peer's frame are not those that it names",
        ),
    ] {
        let (references, payloads) = (references.to_vec(), payloads.to_vec());
        on_a_thread(move || {
            let puppet = Puppet::new();
            let address = puppet.address();
            let client = thread::spawn(move || {
                farcall::connect::<dyn Work>(&address)
                    .wait()
                    .expect("it is answered")
                    .quick(7)
                    .wait()
            });
            let mut stream = answers_the_lookup(&puppet);
            let frame = next_frame(&mut stream);
            let Ok(Frame::Call(header, _)) = Frame::decode(&frame) else { panic!("{frame:?}") };
            let mut answer = ReturnHeader::of(header.call.expect("it wants an answer"));
            (answer.references, answer.payloads) =
                (References::of(&references), Table::of(&payloads));
            let answer = framed(&Frame::Return(answer, Outcome::Ok(&[7])));
            stream.write_all(&answer).expect("the client is there");
            let error = client.join().expect("it does not panic").expect_err("it is no answer");
            assert_eq!(outline(&error), (ErrorKind::Protocol, Executed::Maybe), "{error}");
            assert!(error.text().contains(why), "{error}");
        });
    }
}

/// What a server says to one who calls it for an object, and then to one who calls the object: an interface, and an answer that is kept and
/// lends the object; an answer, the end of the object, and its own.
fn answers_of_objects(call: CallId) -> [Vec<u8>; 2] {
    let object = ObjectId { slot: 5, generation: 0 };
    let mut references = Vec::new();
    References::encode(&[Descriptor::Mine(object, 0)], &mut references);
    let mut lends = ReturnHeader::of(call);
    (lends.kept, lends.references) = (true, References::of(&references));
    let item = b"\x04Item\0\x01\x06number\x1a() -> farcall::Result<u64>\0";
    let first = [framed(&Frame::Interface(item)), framed(&Frame::Return(lends, Outcome::Ok(&[0])))];
    let second = [
        framed(&Frame::Return(ReturnHeader::of(call), Outcome::Ok(&[9]))),
        framed(&Frame::Broken(object, Error::new("it is over"))),
        framed(&Frame::Goodbye { accepted: 3 }),
    ];
    [first.concat(), second.concat()]
}

/// Asks for an object, and the object for its number.
fn asks(address: &str, within: Duration) -> Result<u64, Error> {
    let target = farcall::connect::<dyn Target>(address).wait()?;
    let item: Remote<dyn Item> = target.timeout(within).lend().wait()?;
    item.timeout(within).number().wait()
}

/// What becomes of the answers on their way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Harm {
    None,
    Flipped { bit: usize },
    CutAfter { bytes: usize },
}

/// Answers the calls of one who asks for an object, and then the object.
fn answers_with(harm: Harm, mut stream: UnixStream) {
    let mut before = 0;
    for answer in 0..2 {
        let call = loop {
            let Ok(frame) = frame_or_end(&mut stream) else { return };
            if let Ok(Frame::Call(header, _)) = Frame::decode(&frame) {
                break header.call.expect("it wants an answer");
            }
        };
        let mut bytes = answers_of_objects(call)[answer].clone();
        let whole = bytes.len();
        match harm {
            Harm::Flipped { bit } if (before..before + whole).contains(&(bit / 8)) => {
                bytes[bit / 8 - before] ^= 1 << (bit % 8);
            }
            Harm::CutAfter { bytes: left } => bytes.truncate(left.saturating_sub(before)),
            _ => {}
        }
        // The client may have gone.
        let _ = stream.write_all(&bytes);
        if bytes.len() < whole {
            return;
        }
        before += whole;
    }
    while frame_or_end(&mut stream).is_ok() {}
}

/// What a server says of objects, cut anywhere, and with any bit flipped: whatever it means then, the client has an answer or an error.
#[test]
fn answers_of_objects_may_be_cut_and_flipped() {
    on_a_thread(|| {
        count_panics();
        let length = answers_of_objects(CallId { slot: 0, generation: 0 }).concat().len();
        let cuts = (0..length).map(|bytes| Harm::CutAfter { bytes });
        let flips = (0..8 * length).map(|bit| Harm::Flipped { bit });
        for harm in [Harm::None].into_iter().chain(cuts).chain(flips) {
            // Where nobody of the last round dials again.
            let puppet = Puppet::new();
            let address = puppet.address();
            // What is flipped may be waited for in vain, by either side.
            let within = if matches!(harm, Harm::Flipped { .. }) { SOON / 5 } else { LONG };
            let client = thread::spawn(move || asks(&address, within));
            let stream = answers_the_lookup(&puppet);
            stream.set_read_timeout(Some(2 * within)).expect("a time above zero");
            answers_with(harm, stream);
            match (harm, client.join().expect("it does not panic")) {
                (Harm::None, told) => assert_eq!(told, Ok(9)),
                (Harm::CutAfter { .. }, Err(error)) => {
                    assert_eq!(outline(&error), (ErrorKind::Disconnected, Executed::Maybe));
                }
                _ => {}
            }
        }
        no_panics();
    });
}
