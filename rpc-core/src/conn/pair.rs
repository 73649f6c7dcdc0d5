//! Two connections that are each other's peer, on a wire of virtual time: frames take as long as a test says, nothing is lost, and
//! the wire can be cut. Servants are numbers.

use super::{Connection, Event};
use crate::{
    error::{Error, ErrorKind, Executed},
    frame::{
        CallHeader, Frame, Hello, Outcome, References, Releases, ReturnHeader, Table, Target,
        VERSION,
    },
    id::{CallId, MethodId, ObjectId},
    limits::Limits,
};
use std::{
    collections::VecDeque,
    mem,
    sync::Arc,
    time::{Duration, Instant},
};

pub(super) const LEFT: usize = 0;
pub(super) const RIGHT: usize = 1;
/// The root object of both ends.
pub(super) const ROOT: u32 = 1000;

/// What an end has learnt, with the bytes that its driver would have kept.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Seen {
    Connected,
    Call(Option<CallId>, u32, Vec<u8>),
    Ok(CallId, Vec<u8>),
    App(CallId, Vec<u8>),
    Failed(CallId, ErrorKind, Executed),
    Cancel(CallId),
    Released(Vec<u32>),
    Pipelined(CallId, Option<CallId>),
    Broken(ObjectId, ErrorKind),
    Interface(Vec<u8>),
    Refused,
    Aborted(ErrorKind),
    /// The peer broke the protocol; the text says how.
    Breach(String),
}

/// One end, and the frames that are on their way to it.
#[derive(Debug)]
pub(super) struct End {
    pub(super) conn: Connection<u32>,
    pub(super) seen: Vec<Seen>,
    /// How long a frame takes to get here.
    pub(super) delay: Duration,
    coming: VecDeque<(Instant, Vec<u8>)>,
    /// It has closed its wire.
    over: bool,
}

/// Two ends and a clock.
#[derive(Debug)]
pub(super) struct Pair {
    pub(super) now: Instant,
    pub(super) ends: [End; 2],
    /// So many frames are delivered; then the wire is cut.
    pub(super) cut_after: usize,
    pub(super) delivered: usize,
}

pub(super) fn other(end: usize) -> usize {
    1 - end
}

pub(super) fn hello(limits: &Limits) -> Hello {
    Hello {
        version: VERSION,
        features: 0,
        peer: [1; 16],
        host: [2; 16],
        processor: 0,
        frame: limits.frame as u32,
        serving: limits.serving as u32,
    }
}

/// The header of a call of the method `m` on the root object.
pub(super) fn header(call: Option<CallId>) -> CallHeader<'static> {
    CallHeader {
        call,
        target: Target::Export(ObjectId::ROOT),
        method: MethodId::of("m"),
        remaining: None,
        chain: None,
        trace: None,
        metadata: &[],
        references: References::default(),
        payloads: Table::default(),
    }
}

/// A frame that gives `count` references back.
pub(super) fn releasing(object: ObjectId, count: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    Releases::encode(std::iter::once((object, count)), &mut bytes);
    bytes
}

impl Pair {
    /// Connected across a network, with the default limits.
    pub(super) fn new() -> Self {
        Self::with(Limits::default())
    }

    /// Connected across a network.
    pub(super) fn with(limits: Limits) -> Self {
        Self::connected(limits, false)
    }

    /// Connected on one host, where no time runs but that of calls.
    pub(super) fn on_one_host() -> Self {
        Self::connected(Limits::default(), true)
    }

    fn connected(limits: Limits, local: bool) -> Self {
        let mut pair = Self::strangers(limits, local);
        pair.shuttle();
        assert_eq!([pair.only(LEFT), pair.only(RIGHT)], [Seen::Connected, Seen::Connected]);
        pair
    }

    /// Before the handshake.
    pub(super) fn strangers(limits: Limits, local: bool) -> Self {
        let now = Instant::now();
        let end = || End {
            conn: Connection::new(now, Arc::new(limits.clone()), hello(&limits), Some(ROOT), local),
            seen: Vec::new(),
            delay: Duration::ZERO,
            coming: VecDeque::new(),
            over: false,
        };
        Self { now, ends: [end(), end()], cut_after: usize::MAX, delivered: 0 }
    }

    pub(super) fn conn(&mut self, end: usize) -> &mut Connection<u32> {
        &mut self.ends[end].conn
    }

    pub(super) fn take_seen(&mut self, end: usize) -> Vec<Seen> {
        mem::take(&mut self.ends[end].seen)
    }

    /// The one thing that an end has seen.
    pub(super) fn only(&mut self, end: usize) -> Seen {
        let mut seen = self.take_seen(end);
        assert_eq!(seen.len(), 1, "{seen:?}");
        seen.remove(0)
    }

    pub(super) fn is_cut(&self) -> bool {
        self.delivered >= self.cut_after
    }

    pub(super) fn advance(&mut self, by: Duration) {
        self.now += by;
    }

    /// Puts a frame on the wire, behind what the end's protocol wants to send.
    pub(super) fn send(&mut self, from: usize, frame: &Frame<'_>) {
        let mut bytes = Vec::new();
        frame.encode(&mut bytes);
        self.send_bytes(from, bytes);
    }

    pub(super) fn send_bytes(&mut self, from: usize, bytes: Vec<u8>) {
        self.transmit(from);
        self.carry(from, bytes);
    }

    /// Makes a call on the peer's root object, with these arguments.
    pub(super) fn call(&mut self, from: usize, arguments: &[u8]) -> CallId {
        let call = self.conn(from).reserve(None);
        self.send_call(from, &header(Some(call)), arguments);
        call
    }

    pub(super) fn send_call(&mut self, from: usize, header: &CallHeader<'_>, arguments: &[u8]) {
        assert!(self.conn(from).can_send());
        let mut bytes = Vec::new();
        self.conn(from).send(header, &mut bytes);
        bytes.extend_from_slice(arguments);
        self.send_bytes(from, bytes);
    }

    /// Gives an object back.
    pub(super) fn release(&mut self, from: usize, object: ObjectId) {
        let now = self.now;
        self.conn(from).release(now, object);
    }

    /// Answers a call with these bytes; false if it was not open.
    pub(super) fn reply(&mut self, from: usize, call: CallId, value: &[u8]) -> bool {
        self.reply_as(from, call, &Outcome::Ok(value))
    }

    pub(super) fn reply_as(&mut self, from: usize, call: CallId, outcome: &Outcome<'_>) -> bool {
        let mut bytes = Vec::new();
        let open = self.conn(from).reply(&ReturnHeader::of(call), outcome, None, &mut bytes);
        assert_eq!(open, !bytes.is_empty());
        if open {
            self.send_bytes(from, bytes);
        }
        open
    }

    /// Takes in, at one end, the next frame that has arrived. False if there is none.
    pub(super) fn deliver(&mut self, to: usize) -> bool {
        self.transmit(other(to));
        let now = self.now;
        if self.is_cut() || self.ends[to].coming.front().is_none_or(|(due, _)| *due > now) {
            return false;
        }
        let Some((_, frame)) = self.ends[to].coming.pop_front() else { return false };
        self.delivered += 1;
        let end = &mut self.ends[to];
        if end.over {
            return true;
        }
        let seen = match end.conn.handle_frame(now, &frame) {
            Ok(Event::None) => None,
            Ok(event) => Some(seen(event, &frame)),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Protocol);
                end.conn.abort(&error);
                Some(Seen::Breach(error.text().to_owned()))
            }
        };
        end.over = matches!(seen, Some(Seen::Breach(_) | Seen::Aborted(_)));
        end.seen.extend(seen);
        true
    }

    /// Delivers whatever has arrived and what follows from it.
    pub(super) fn shuttle(&mut self) {
        while self.deliver(LEFT) | self.deliver(RIGHT) {}
    }

    /// Delivers everything, whatever time that takes.
    pub(super) fn settle(&mut self) {
        loop {
            self.shuttle();
            let due = self.ends.iter().filter_map(|end| end.coming.front()).map(|(due, _)| *due);
            match due.min() {
                Some(due) if !self.is_cut() => self.now = self.now.max(due),
                _ => return,
            }
        }
    }

    /// Lets time pass at one end: what its driver does when its timer fires.
    pub(super) fn tick(&mut self, end: usize, by: Duration) -> Result<(), Error> {
        self.advance(by);
        let now = self.now;
        self.conn(end).handle_timeout(now)
    }

    /// How long from now the end's next timer fires.
    pub(super) fn timer(&mut self, end: usize) -> Option<Duration> {
        let now = self.now;
        self.conn(end).poll_timeout().map(|at| at.saturating_duration_since(now))
    }

    /// Puts on the wire what the end's protocol wants to send.
    fn transmit(&mut self, from: usize) {
        loop {
            let mut bytes = Vec::new();
            if !self.conn(from).poll_transmit(&mut bytes) {
                return;
            }
            self.carry(from, bytes);
        }
    }

    fn carry(&mut self, from: usize, bytes: Vec<u8>) {
        let now = self.now;
        let to = &mut self.ends[other(from)];
        let due = to.coming.back().map_or(now, |(due, _)| *due).max(now + to.delay);
        to.coming.push_back((due, bytes));
    }
}

fn seen(event: Event<u32>, frame: &[u8]) -> Seen {
    match event {
        Event::None => unreachable!("nothing was seen"),
        Event::Connected => Seen::Connected,
        Event::Call(object, call) => {
            Seen::Call(call.call, object, frame[call.arguments.values.start..].to_vec())
        }
        Event::Pipelined(answer, call) => Seen::Pipelined(answer, call.call),
        Event::Ok(call, at) => Seen::Ok(call, frame[at.values.start..].to_vec()),
        Event::App(call, at) => Seen::App(call, frame[at.values.start..].to_vec()),
        Event::Failed(call, error) => Seen::Failed(call, error.kind(), error.executed()),
        Event::Cancel(call) => Seen::Cancel(call),
        Event::Released(objects) => Seen::Released(objects),
        Event::Broken(object, error) => Seen::Broken(object, error.kind()),
        Event::Interface(at) => Seen::Interface(frame[at..].to_vec()),
        Event::Refused => Seen::Refused,
        Event::Aborted(error) => Seen::Aborted(error.kind()),
    }
}
