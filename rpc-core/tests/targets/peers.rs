//! Two connections that are each other's peer, and what their drivers would know.

use farcall_core::{
    conn::{Connection, Event, IncomingCall, Reference, Unsent},
    error::{Error, ErrorKind},
    frame::{
        CallHeader, Descriptor, Frame, Hello, Outcome, References, ReturnHeader, Table, Target,
        VERSION,
    },
    id::{CallId, MethodId, ObjectId},
    limits::Limits,
};
use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

/// One end.
pub struct Peer {
    pub conn: Connection<u32>,
    /// Frames on their way to it.
    coming: VecDeque<Vec<u8>>,
    /// My calls whose waiters wait, whose results wait to be taken, and that wait to be sent.
    waiting: Vec<CallId>,
    done: Vec<CallId>,
    held: VecDeque<CallId>,
    /// The other's calls.
    serving: Vec<CallId>,
    /// Objects of the other that there is a handle of.
    handles: Vec<ObjectId>,
    /// The interface of what is lent has been described.
    described: bool,
}

/// Both, and the clock.
pub struct Peers {
    pub ends: [Peer; 2],
    pub now: Instant,
    pub start: Instant,
    /// Frames were made up: breaches are to be expected.
    pub forged: bool,
    pub over: bool,
}

fn limits() -> Limits {
    let mut limits = Limits::default();
    (limits.serving, limits.objects, limits.strays) = (4, 4, 2);
    limits
}

fn hello() -> Hello {
    Hello {
        version: VERSION,
        features: 0,
        peer: [1; 16],
        host: [2; 16],
        processor: 0,
        frame: 1 << 20,
        serving: 4,
    }
}

fn pick<T>(from: &mut Vec<T>, number: u8) -> Option<T> {
    if from.is_empty() { None } else { Some(from.swap_remove(usize::from(number) % from.len())) }
}

impl Peers {
    pub fn new(local: bool) -> Self {
        let now = Instant::now();
        let peer = || Peer {
            conn: Connection::new(now, Arc::new(limits()), hello(), Some(0), local),
            coming: VecDeque::new(),
            waiting: Vec::new(),
            done: Vec::new(),
            held: VecDeque::new(),
            serving: Vec::new(),
            handles: Vec::new(),
            described: false,
        };
        Self { ends: [peer(), peer()], now, start: now, forged: false, over: false }
    }

    pub fn call(&mut self, end: usize, expires: u8) {
        let millis = Duration::from_millis(expires.into());
        let deadline = (expires < 128).then(|| self.now + millis);
        let peer = &mut self.ends[end];
        if peer.held.len() < 16 {
            let call = peer.conn.reserve(deadline);
            peer.waiting.push(call);
            peer.held.push_back(call);
        }
        self.pump(end);
    }

    /// Sends held calls while there is credit, each on the root or on an object of the other's, lending one of mine.
    fn pump(&mut self, end: usize) {
        let (mine, other) = both(&mut self.ends, end);
        while mine.conn.can_send()
            && let Some(call) = mine.held.pop_front()
        {
            let target = mine.handles.last().copied().unwrap_or(ObjectId::ROOT);
            transmit(&mut mine.conn, &mut other.coming);
            if !std::mem::replace(&mut mine.described, true) {
                other.coming.push_back(vec![farcall_core::frame::kind::INTERFACE]);
            }
            let mut references = Vec::new();
            if mine.conn.can_lend(1) {
                let id = mine.conn.lend(call.slot as usize + 1, call.slot + 1);
                References::encode(&[Descriptor::Mine(id, 0)], &mut references);
            }
            let references = References::of(&references);
            let mut frame = Vec::new();
            mine.conn.send(&CallHeader { references, ..header(Some(call), target) }, &mut frame);
            other.coming.push_back(frame);
        }
    }

    pub fn oneway(&mut self, end: usize) {
        let (mine, other) = both(&mut self.ends, end);
        if mine.conn.can_send() {
            let mut frame = Vec::new();
            mine.conn.send(&header(None, ObjectId::ROOT), &mut frame);
            transmit(&mut mine.conn, &mut other.coming);
            other.coming.push_back(frame);
        }
    }

    pub fn reply(&mut self, end: usize, number: u8) {
        let (mine, other) = both(&mut self.ends, end);
        let Some(call) = pick(&mut mine.serving, number) else { return };
        let outcome = match number % 4 {
            0 => Outcome::Ok(b"ok"),
            1 => Outcome::App(b"no"),
            2 => Outcome::Rpc(Error::of(ErrorKind::Panicked, "")),
            _ => Outcome::Cancelled,
        };
        let mut frame = Vec::new();
        let kept = number.is_multiple_of(3).then(|| Box::new(Ok(call.slot + 1000)));
        let header = ReturnHeader::of(call);
        assert!(mine.conn.reply(&header, &outcome, kept, &mut frame), "it is served");
        assert!(!mine.conn.reply(&header, &outcome, None, &mut Vec::new()), "and answered once");
        transmit(&mut mine.conn, &mut other.coming);
        other.coming.push_back(frame);
    }

    /// A waiter goes away, or takes its result.
    pub fn forget(&mut self, end: usize, number: u8) {
        let peer = &mut self.ends[end];
        let from = if number.is_multiple_of(2) { &mut peer.waiting } else { &mut peer.done };
        let Some(call) = pick(from, number / 2) else { return };
        peer.held.retain(|held| *held != call);
        peer.conn.forget(call);
    }

    pub fn release(&mut self, end: usize, number: u8) {
        let peer = &mut self.ends[end];
        if let Some(id) = pick(&mut peer.handles, number) {
            peer.conn.release(self.now, id);
        }
    }

    /// Puts a frame that nobody sent on the way to an end.
    pub fn forge(&mut self, end: usize, frame: &[u8]) {
        self.forged = true;
        self.ends[end].coming.push_back(frame.to_vec());
    }

    pub fn pass(&mut self, millis: u64) {
        self.now += Duration::from_millis(millis);
        for end in [0, 1] {
            let peer = &mut self.ends[end];
            while let Some(Unsent { call, .. }) = peer.conn.poll_expired(self.now) {
                let at = peer.waiting.iter().position(|waiting| *waiting == call);
                peer.waiting.swap_remove(at.expect("only calls that are waited for expire"));
                peer.held.retain(|held| *held != call);
                peer.done.push(call);
            }
            if peer.conn.handle_timeout(self.now).is_err() {
                self.over = true;
            }
        }
    }

    /// One frame arrives. False if there is none.
    pub fn deliver(&mut self, end: usize) -> bool {
        let (mine, other) = both(&mut self.ends, end);
        transmit(&mut other.conn, &mut mine.coming);
        let Some(frame) = mine.coming.pop_front() else { return false };
        match mine.conn.handle_frame(self.now, &frame) {
            Ok(Event::Aborted(_)) => self.over = true,
            Ok(event) => self.take_in(end, event, &frame),
            Err(error) => {
                assert!(self.forged, "{error:?}");
                assert_eq!(error.kind(), ErrorKind::Protocol);
                self.ends[end].conn.abort(&error);
                self.over = true;
            }
        }
        self.pump(end);
        true
    }

    fn take_in(&mut self, end: usize, event: Event<u32>, frame: &[u8]) {
        let peer = &mut self.ends[end];
        match event {
            Event::Call(_, call) | Event::Pipelined(_, call) => self.start(end, &call, frame),
            Event::Ok(call, at) | Event::App(call, at) => {
                let at = at.values;
                assert!(at.table <= at.start && at.start <= frame.len());
                self.end(end, call);
            }
            Event::Failed(call, _) => self.end(end, call),
            Event::Cancel(call) => {
                assert!(peer.serving.contains(&call) && peer.conn.is_cancelled(call));
            }
            Event::Released(objects) => assert!(!objects.contains(&0), "the root stays"),
            _ => {}
        }
    }

    fn start(&mut self, end: usize, call: &IncomingCall<u32>, frame: &[u8]) {
        let peer = &mut self.ends[end];
        assert!(frame.get(call.metadata.clone()).is_some());
        assert!(call.arguments.values.start <= frame.len(), "arguments lie in the frame");
        for reference in &call.arguments.references {
            if let Reference::Borrowed(id, _) = *reference
                && !peer.handles.contains(&id)
            {
                peer.handles.push(id);
            }
        }
        if let Some(call) = call.call {
            assert!(!peer.serving.contains(&call));
            peer.serving.push(call);
            assert!(peer.serving.len() <= 4, "the limit holds");
        }
    }

    fn end(&mut self, end: usize, call: CallId) {
        let peer = &mut self.ends[end];
        let at = peer.waiting.iter().position(|waiting| *waiting == call);
        peer.waiting.swap_remove(at.expect("somebody waits for it, once"));
        peer.done.push(call);
    }

    /// Lets everybody finish what was begun. Objects stay with whoever was not told of a call that lent them.
    pub fn finish(&mut self) {
        let mut quiet = 0;
        while quiet < 3 && !self.over {
            let mut moved = false;
            for end in [0, 1] {
                moved |= self.deliver(end) || !self.ends[end].serving.is_empty();
                self.reply(end, 0);
            }
            quiet = if moved { 0 } else { quiet + 1 };
            self.pass(if moved { 1 } else { 100 });
        }
        for peer in &mut self.ends {
            let refused = peer.conn.is_refused();
            assert!(
                self.over || self.forged || refused || peer.waiting.is_empty(),
                "a call is lost"
            );
            assert_eq!(peer.conn.serving(), peer.serving.len());
            for Unsent { call, .. } in peer.conn.unsend() {
                assert!(peer.waiting.contains(&call) && peer.conn.resolve(call));
            }
            for call in peer.waiting.drain(..).chain(peer.done.drain(..)) {
                peer.conn.forget(call);
            }
            assert!(peer.conn.is_idle() && peer.conn.in_flight() == 0);
            let mut lent = peer.conn.close();
            let count = lent.len();
            lent.sort_unstable();
            lent.dedup();
            assert_eq!(lent.len(), count, "each object is given back once");
            assert_eq!((peer.conn.serving(), peer.conn.objects()), (0, (0, 0)));
        }
    }
}

fn header(call: Option<CallId>, target: ObjectId) -> CallHeader<'static> {
    CallHeader {
        call,
        target: Target::Export(target),
        method: MethodId(1),
        remaining: None,
        chain: None,
        trace: None,
        metadata: &[],
        references: References::default(),
        payloads: Table::default(),
    }
}

/// What the protocol wants to send goes out, and is a frame.
fn transmit(from: &mut Connection<u32>, to: &mut VecDeque<Vec<u8>>) {
    let mut frame = Vec::new();
    while from.poll_transmit(&mut frame) {
        assert!(Frame::decode(&frame).is_ok());
        to.push_back(std::mem::take(&mut frame));
    }
}

fn both(ends: &mut [Peer; 2], end: usize) -> (&mut Peer, &mut Peer) {
    let [left, right] = ends;
    if end == 0 { (left, right) } else { (right, left) }
}
