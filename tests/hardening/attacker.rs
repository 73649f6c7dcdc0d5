//! A raw socket, frames made by hand, and what the endpoint says to them.

use farcall_core::{
    error::{Error, ErrorKind},
    frame::{
        CallHeader, Descriptor, Frame, Hello, Outcome, References, Releases, Table, Target,
        VERSION, kind,
    },
    id::{CallId, MethodId, ObjectId},
};
use std::{
    io::{self, Read, Write},
    net::{Shutdown, TcpStream},
    os::unix::net::UnixStream,
    time::Duration,
};

/// No answer takes that long; silence is a failure of the test, or what it wanted to see.
const PATIENCE: Duration = Duration::from_secs(20);

/// A connection of an attacker's.
pub(crate) struct Attacker {
    stream: Box<dyn Stream>,
}

trait Stream: Read + Write + Send {
    fn half_close(&self);
    fn reset(self: Box<Self>);
    fn wait_at_most(&self, read: Duration, write: Duration);
}

impl Stream for TcpStream {
    fn half_close(&self) {
        // The other side may have closed it already.
        let _ = self.shutdown(Shutdown::Write);
    }
    fn reset(self: Box<Self>) {
        rustix::net::sockopt::set_socket_linger(&*self, Some(Duration::ZERO)).expect("a socket");
    }
    fn wait_at_most(&self, read: Duration, write: Duration) {
        self.set_read_timeout(Some(read)).expect("a time above zero");
        self.set_write_timeout(Some(write)).expect("a time above zero");
    }
}

impl Stream for UnixStream {
    fn half_close(&self) {
        let _ = self.shutdown(Shutdown::Write);
    }
    fn reset(self: Box<Self>) {}
    fn wait_at_most(&self, read: Duration, write: Duration) {
        self.set_read_timeout(Some(read)).expect("a time above zero");
        self.set_write_timeout(Some(write)).expect("a time above zero");
    }
}

/// What an endpoint said, decoded.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Said {
    Hello,
    Ok(CallId, Vec<u8>),
    App(CallId),
    Refused(CallId, Error),
    Aborted(Error),
    Unimplemented(u8),
    Ping,
    Pong(u64),
    Other,
    /// It closed the connection.
    Closed,
}

impl Attacker {
    /// Connects, and says nothing.
    pub(crate) fn connect(address: &str) -> Self {
        let stream: Box<dyn Stream> = match address.split_once("://") {
            Some(("unix", path)) => Box::new(UnixStream::connect(path).expect("it listens")),
            Some(("shm", path)) => Box::new(without_memory(path)),
            Some(("tcp", place)) => Box::new(TcpStream::connect(place).expect("it listens")),
            _ => panic!("no attack on {address}"),
        };
        stream.wait_at_most(PATIENCE, PATIENCE);
        Self { stream }
    }

    /// Connects, and exchanges Hellos.
    pub(crate) fn greeted(address: &str) -> Self {
        let mut attacker = Self::connect(address);
        attacker.send(&[hello()]);
        assert_eq!(attacker.next(), Said::Hello);
        attacker
    }

    /// Connects, and finds the service.
    pub(crate) fn bound(address: &str, service: &str, fingerprint: u64) -> (Self, ObjectId) {
        let mut attacker = Self::greeted(address);
        attacker.send(&[lookup(id(0), service, fingerprint)]);
        match attacker.next() {
            Said::Ok(_, bound) => {
                (attacker, ObjectId { slot: bound[0].into(), generation: bound[1].into() })
            }
            other => panic!("no service `{service}`: {other:?}"),
        }
    }

    /// Sends whole frames. The other side may have closed already.
    pub(crate) fn send(&mut self, frames: &[Vec<u8>]) {
        let bytes: Vec<u8> = frames.iter().flat_map(|frame| prefixed(frame)).collect();
        self.raw(&bytes);
    }

    /// Sends bytes. The other side may have closed already.
    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes);
    }

    /// Sends so much as the other side takes within the time. The bytes it took.
    pub(crate) fn push(&mut self, bytes: &[u8], at_most: usize, within: Duration) -> usize {
        self.stream.wait_at_most(PATIENCE, within);
        let mut taken = 0;
        while taken < at_most {
            match self.stream.write(&bytes[taken % bytes.len()..]) {
                Ok(count) => taken += count,
                Err(_) => break,
            }
        }
        taken
    }

    /// Sends one byte, and looks for so long whether that was one too many.
    pub(crate) fn goes_on(&mut self, look: Duration) -> bool {
        self.raw(&[0]);
        self.stream.wait_at_most(look, PATIENCE);
        let mut said = [0; 1024];
        match self.stream.read(&mut said) {
            Ok(count) => count > 0,
            Err(error) => error.kind() == io::ErrorKind::WouldBlock,
        }
    }

    /// Says that nothing more will come.
    pub(crate) fn half_close(&self) {
        self.stream.half_close();
    }

    /// The next thing that the endpoint says.
    pub(crate) fn next(&mut self) -> Said {
        self.frame().map_or(Said::Closed, |frame| said(&frame))
    }

    /// The first object that the next return lends.
    pub(crate) fn lent(&mut self) -> ObjectId {
        loop {
            let frame = self.frame().expect("the endpoint answers");
            if let Ok(Frame::Return(header, Outcome::Ok(_))) = Frame::decode(&frame)
                && let Some(Descriptor::Mine(object, _)) = header.references.descriptors().next()
            {
                return object;
            }
        }
    }

    /// The objects that the endpoint gives back next, and how often.
    pub(crate) fn given_back(&mut self) -> Vec<(ObjectId, u32)> {
        loop {
            let frame = self.frame().expect("the endpoint goes on");
            match Frame::decode(&frame) {
                Ok(Frame::Release(releases)) => return releases.entries().collect(),
                Ok(Frame::Abort(error)) => panic!("{error}"),
                _ => {}
            }
        }
    }

    /// Goes at once, and takes back what the endpoint has not read yet.
    pub(crate) fn reset(self) {
        self.stream.reset();
    }

    fn frame(&mut self) -> Option<Vec<u8>> {
        let mut header = [0; 4];
        self.read(&mut header)?;
        let mut frame = vec![0; u32::from_le_bytes(header) as usize];
        self.read(&mut frame)?;
        Some(frame)
    }

    fn read(&mut self, into: &mut [u8]) -> Option<()> {
        match self.stream.read_exact(into) {
            Ok(()) => Some(()),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                panic!("the endpoint says nothing and does not close")
            }
            Err(_) => None,
        }
    }

    /// Everything that the endpoint says until it closes.
    pub(crate) fn rest(mut self) -> Vec<Said> {
        let mut said = Vec::new();
        loop {
            match self.next() {
                Said::Closed => return said,
                other => said.push(other),
            }
        }
    }

    /// The endpoint closes, and has answered nothing.
    #[track_caller]
    pub(crate) fn must_be_shut_out(self) {
        let said = self.rest();
        let silent = said.iter().all(|said| matches!(said, Said::Hello | Said::Aborted(_)));
        assert!(silent, "it was answered: {said:?}");
    }

    /// The endpoint closes, and has said why, to the attackers who made it so far.
    #[track_caller]
    pub(crate) fn must_be_closed(self, why: &str) {
        let said = self.rest();
        let Some(Said::Aborted(error)) = said.last() else { panic!("no reason given: {said:?}") };
        assert_eq!(error.kind(), ErrorKind::Protocol, "{error}");
        assert!(error.text().contains(why), "{error}");
    }
}

/// A connection at a `shm://` address of one who has no shared memory: then its socket carries the frames.
fn without_memory(path: &str) -> UnixStream {
    let mut stream = UnixStream::connect(path).expect("it listens");
    stream.wait_at_most(PATIENCE, PATIENCE);
    let mut message = [0; 64];
    message[..12].copy_from_slice(b"farcshm\n\x01\0\0\0");
    stream.write_all(&message).expect("it listens");
    let mut answer = [1; 64];
    stream.read_exact(&mut answer).expect("it agrees");
    assert_eq!(answer, message);
    stream
}

/// How many calls were answered with a value.
pub(crate) fn answers(said: &[Said]) -> usize {
    said.iter().filter(|said| matches!(said, Said::Ok(..))).count()
}

fn said(frame: &[u8]) -> Said {
    match Frame::decode(frame).expect("an endpoint sends valid frames") {
        Frame::Hello(_) => Said::Hello,
        Frame::Return(header, Outcome::Ok(bytes)) => Said::Ok(header.call, bytes.to_vec()),
        Frame::Return(header, Outcome::App(_)) => Said::App(header.call),
        Frame::Return(header, Outcome::Rpc(error)) => Said::Refused(header.call, error),
        Frame::Abort(error) => Said::Aborted(error),
        Frame::Unimplemented(kind) => Said::Unimplemented(kind),
        Frame::Ping(_) => Said::Ping,
        Frame::Pong(number) => Said::Pong(number),
        _ => Said::Other,
    }
}

pub(crate) fn id(slot: u32) -> CallId {
    CallId { slot, generation: 0 }
}

/// A frame with its length before it.
pub(crate) fn prefixed(frame: &[u8]) -> Vec<u8> {
    let length = u32::try_from(frame.len()).expect("it is short");
    [&length.to_le_bytes(), frame].concat()
}

pub(crate) fn encoded(frame: &Frame<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    frame.encode(&mut bytes);
    bytes
}

/// A frame that gives `count` references back.
pub(crate) fn releasing(object: ObjectId, count: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    Releases::encode(std::iter::once((object, count)), &mut bytes);
    bytes
}

pub(crate) fn hello_of(version: u16) -> Vec<u8> {
    encoded(&Frame::Hello(Hello {
        version,
        features: 0,
        peer: [7; 16],
        host: [0; 16],
        processor: 0,
        frame: 16 << 20,
        serving: 1024,
    }))
}

pub(crate) fn hello() -> Vec<u8> {
    hello_of(VERSION)
}

/// A call with everything to be set.
pub(crate) fn call(
    call: Option<CallId>,
    target: ObjectId,
    method: &str,
    arguments: &[u8],
) -> Vec<u8> {
    call_with(call, target, method, (&[], arguments))
}

/// The same with references beside the arguments.
pub(crate) fn call_with(
    call: Option<CallId>,
    target: ObjectId,
    method: &str,
    beside: (&[Descriptor], &[u8]),
) -> Vec<u8> {
    call_at(call, Target::Export(target), method, beside)
}

/// The same on what another call returns, too.
pub(crate) fn call_at(
    call: Option<CallId>,
    target: Target,
    method: &str,
    (references, arguments): (&[Descriptor], &[u8]),
) -> Vec<u8> {
    let mut beside = Vec::new();
    References::encode(references, &mut beside);
    let header = CallHeader {
        call,
        target,
        method: MethodId::of(method),
        remaining: Some(10_000),
        chain: None,
        trace: None,
        metadata: &[],
        references: References::of(&beside),
        payloads: Table::default(),
    };
    encoded(&Frame::Call(header, arguments))
}

/// The call that finds a service.
pub(crate) fn lookup(number: CallId, service: &str, fingerprint: u64) -> Vec<u8> {
    let interface = match service {
        "target" => "Target",
        _ => "Work",
    };
    let mut arguments = Vec::new();
    for text in [service, interface] {
        arguments.push(u8::try_from(text.len()).expect("it is short"));
        arguments.extend_from_slice(text.as_bytes());
    }
    arguments.extend(varint(fingerprint));
    call(Some(number), ObjectId::ROOT, "lookup", &arguments)
}

pub(crate) fn varint(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}

/// A kind that no build knows yet.
pub(crate) const UNKNOWN_KIND: u8 = kind::UNIMPLEMENTED + 100;
