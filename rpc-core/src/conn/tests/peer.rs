//! One peer of the random model of references: its connection, and what its driver and its program hold.

use super::references::Chance;
use crate::{
    conn::{
        Connection, Contents, Event, IncomingCall, Reference, Standing,
        pair::{header, hello},
    },
    error::{Error, ErrorKind},
    frame::{CallHeader, Descriptor, Frame, Outcome, References, ReturnHeader, Target},
    id::{CallId, ObjectId},
    limits::Limits,
};
use std::{
    cell::RefCell,
    collections::{BTreeMap, HashMap, VecDeque},
    rc::Rc,
    sync::Arc,
    time::{Duration, Instant},
};

/// How often each servant was dropped, by its number.
#[derive(Clone, Default, Debug)]
pub(super) struct Alive(pub(super) Rc<RefCell<Vec<u32>>>);

impl Alive {
    fn make(&self) -> Rc<Servant> {
        let mut all = self.0.borrow_mut();
        all.push(0);
        Rc::new(Servant { number: all.len() as u32, alive: Rc::downgrade(&self.0) })
    }

    pub(super) fn made(&self) -> usize {
        self.0.borrow().len()
    }

    /// How many were dropped once.
    pub(super) fn dropped(&self) -> usize {
        self.0.borrow().iter().filter(|count| **count == 1).count()
    }
}

#[derive(Debug)]
struct Servant {
    number: u32,
    alive: std::rc::Weak<RefCell<Vec<u32>>>,
}

impl Drop for Servant {
    fn drop(&mut self) {
        if let Some(alive) = self.alive.upgrade() {
            alive.borrow_mut()[self.number as usize - 1] += 1;
        }
    }
}

/// A local handle.
#[derive(Clone, Debug)]
enum Handle {
    Home(Rc<Servant>),
    Borrowed(ObjectId),
    /// What this call of the peer's will return.
    Promise(CallId),
}

/// The number of an object that its sender does not know.
const UNKNOWN: u32 = 0;

#[derive(Debug)]
struct Serving {
    call: CallId,
    /// What it is made on; none if that is still to be returned by another call.
    on: Option<CallId>,
}

#[derive(Debug)]
pub(super) struct Peer {
    conn: Connection<Option<Rc<Servant>>>,
    alive: Alive,
    frames: Vec<Vec<u8>>,
    pub(super) coming: VecDeque<(Instant, Vec<u8>)>,
    pub(super) delay: Duration,
    handles: Vec<Handle>,
    /// The handles on each object of the peer's, and its servant's number.
    borrowed: HashMap<ObjectId, (usize, u32)>,
    waiting: Vec<CallId>,
    done: Vec<CallId>,
    serving: Vec<Serving>,
    /// What has come, by kind, so that a test can tell that it has seen everything.
    pub(super) seen: BTreeMap<&'static str, usize>,
}

impl Peer {
    pub(super) fn new(now: Instant, alive: &Alive) -> Self {
        let limits = Limits { serving: 8, ..Limits::default() };
        let mut peer = Self {
            conn: Connection::new(now, Arc::new(limits.clone()), hello(&limits), Some(None), true),
            alive: alive.clone(),
            frames: Vec::new(),
            coming: VecDeque::new(),
            delay: Duration::ZERO,
            handles: Vec::new(),
            borrowed: HashMap::new(),
            waiting: Vec::new(),
            done: Vec::new(),
            serving: Vec::new(),
            seen: BTreeMap::new(),
        };
        peer.transmit();
        let mut interface = Vec::new();
        Frame::Interface(b"servant").encode(&mut interface);
        peer.frames.push(interface);
        peer
    }

    pub(super) fn make(&mut self) {
        self.handles.push(Handle::Home(self.alive.make()));
    }

    pub(super) fn copy(&mut self, chance: &mut Chance) {
        if let Some(at) = chance.index(self.handles.len()) {
            let copy = self.handles[at].clone();
            if let Handle::Borrowed(id) = copy {
                self.borrowed.entry(id).and_modify(|(count, _)| *count += 1);
            }
            self.handles.push(copy);
        }
    }

    pub(super) fn let_go(&mut self, now: Instant, chance: &mut Chance) {
        let Some(at) = chance.index(self.handles.len()) else { return };
        let Handle::Borrowed(id) = self.handles.swap_remove(at) else { return };
        let (count, _) = self.borrowed.get_mut(&id).expect("each handle is counted");
        *count -= 1;
        if *count == 0 {
            self.borrowed.remove(&id);
            self.conn.release(now, id);
        }
    }

    /// Calls the peer's root, one of its objects, or what a call will return, with some references.
    pub(super) fn call(&mut self, chance: &mut Chance) {
        if !self.conn.can_send() {
            return;
        }
        let (target, number) = self.target(chance);
        let call = self.conn.reserve(None);
        let (descriptors, mut numbers) = self.references(chance);
        if let Some(&answer) = chance.index(self.waiting.len()).map(|at| &self.waiting[at])
            && self.conn.standing(answer) == Standing::There
        {
            numbers.push(UNKNOWN);
            self.send_call(
                call,
                target,
                number,
                &[&descriptors[..], &[Descriptor::YourAnswer(answer)]].concat(),
                &numbers,
            );
        } else {
            self.send_call(call, target, number, &descriptors, &numbers);
        }
        self.waiting.push(call);
    }

    fn target(&self, chance: &mut Chance) -> (Target, u32) {
        let calls = [&self.waiting[..], &self.done[..]].concat();
        let on_answer = chance.below(3) == 0;
        if let Some(at) = chance.index(calls.len()).filter(|_| on_answer)
            && self.conn.standing(calls[at]) == Standing::There
        {
            return (Target::Answer(calls[at]), UNKNOWN);
        }
        match chance.index(self.handles.len()).map(|at| &self.handles[at]) {
            Some(Handle::Borrowed(id)) => (Target::Export(*id), self.borrowed[id].1),
            _ => (Target::Export(ObjectId::ROOT), UNKNOWN),
        }
    }

    fn send_call(
        &mut self,
        call: CallId,
        target: Target,
        number: u32,
        descriptors: &[Descriptor],
        numbers: &[u32],
    ) {
        let mut references = Vec::new();
        References::encode(descriptors, &mut references);
        let references = References::of(&references);
        let mut frame = Vec::new();
        self.transmit();
        self.conn.send(&CallHeader { target, references, ..header(Some(call)) }, &mut frame);
        frame.extend(number.to_le_bytes());
        frame.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
        self.frames.push(frame);
    }

    /// Some of the handles as they travel, which counts them, and their servants' numbers.
    fn references(&mut self, chance: &mut Chance) -> (Vec<Descriptor>, Vec<u32>) {
        let picks: Vec<_> =
            (0..chance.below(4)).filter_map(|_| chance.index(self.handles.len())).collect();
        picks.into_iter().map(|at| self.describe(&self.handles[at].clone())).unzip()
    }

    fn describe(&mut self, handle: &Handle) -> (Descriptor, u32) {
        match handle {
            Handle::Home(servant) => {
                let number = servant.number;
                let id = self.conn.lend(number as usize, Some(Rc::clone(servant)));
                (Descriptor::Mine(id, 0), number)
            }
            Handle::Borrowed(id) => (Descriptor::Yours(*id), self.borrowed[id].1),
            Handle::Promise(_) => (Descriptor::Null, UNKNOWN),
        }
    }

    /// Answers a call that has started: with references, of which the first is what calls on the answer go to, or with an error.
    pub(super) fn answer(&mut self, chance: &mut Chance) {
        let ready: Vec<_> =
            (0..self.serving.len()).filter(|at| self.serving[*at].on.is_none()).collect();
        let Some(at) = chance.index(ready.len()) else { return };
        let Serving { call, .. } = self.serving.swap_remove(ready[at]);
        let homes = self.handles.iter().filter(|handle| matches!(handle, Handle::Home(_)));
        let homes: Vec<_> = homes.cloned().collect();
        let first = chance.index(homes.len()).map(|at| homes[at].clone());
        let fails = chance.below(4) == 0;
        let object = match &first {
            Some(Handle::Home(servant)) if !fails => Ok(Some(Rc::clone(servant))),
            _ => Err(Error::of(ErrorKind::Pipeline, "there is no object")),
        };
        self.fulfil(call, object.as_ref().ok().cloned().flatten());
        let (mut descriptors, mut numbers) = (Vec::new(), Vec::new());
        if let (Some(first), false) = (&first, fails) {
            let (descriptor, number) = self.describe(first);
            (descriptors, numbers) = self.references(chance);
            descriptors.insert(0, descriptor);
            numbers.insert(0, number);
        }
        self.reply(call, &descriptors, &numbers, object);
    }

    fn reply(
        &mut self,
        call: CallId,
        descriptors: &[Descriptor],
        numbers: &[u32],
        object: Result<Option<Rc<Servant>>, Error>,
    ) {
        let mut references = Vec::new();
        References::encode(descriptors, &mut references);
        let header =
            ReturnHeader { references: References::of(&references), ..ReturnHeader::of(call) };
        let mut frame = Vec::new();
        self.transmit();
        let open = self.conn.reply(&header, &Outcome::Ok(&[]), Some(Box::new(object)), &mut frame);
        assert!(open, "it is served until it is answered");
        frame.extend(UNKNOWN.to_le_bytes());
        frame.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
        self.frames.push(frame);
    }

    /// What waits for this answer goes on before the answer goes out.
    fn fulfil(&mut self, answer: CallId, object: Option<Rc<Servant>>) {
        self.serving.iter_mut().filter(|s| s.on == Some(answer)).for_each(|s| s.on = None);
        self.handles.retain_mut(|handle| match handle {
            Handle::Promise(call) if *call == answer => match &object {
                Some(servant) => {
                    *handle = Handle::Home(Rc::clone(servant));
                    true
                }
                None => false,
            },
            _ => true,
        });
    }

    /// A waiter takes its result, or goes without.
    pub(super) fn take(&mut self, chance: &mut Chance) {
        let calls = if chance.below(3) == 0 { &mut self.waiting } else { &mut self.done };
        if let Some(at) = chance.index(calls.len()) {
            let call = calls.swap_remove(at);
            self.conn.forget(call);
        }
    }

    pub(super) fn handle(&mut self, now: Instant, frame: &[u8]) {
        match self.conn.handle_frame(now, frame).expect("nobody breaks the protocol") {
            Event::Call(object, call) => {
                let number = number(frame, call.arguments.values.start, 0);
                let reached = object.as_ref().map_or(UNKNOWN, |servant| servant.number);
                assert!(
                    number == UNKNOWN || number == reached,
                    "{number} was called, not {reached}"
                );
                if matches!(call.target, Target::Answer(_)) {
                    self.note("a call on an answer that is kept");
                }
                self.start(&call, None, frame);
            }
            Event::Pipelined(answer, call) => {
                self.note("a call on an answer to come");
                self.start(&call, Some(answer), frame);
            }
            Event::Ok(call, contents) => {
                self.is_over(call);
                self.import(contents, frame);
            }
            Event::Failed(call, error) => {
                assert_eq!(error.kind(), ErrorKind::Pipeline, "{error:?}");
                self.note("a call on an answer that is no object");
                self.is_over(call);
            }
            Event::None | Event::Connected | Event::Interface(_) => {}
            Event::Cancel(call) => {
                self.note("a call given up");
                assert!(self.serving.iter().any(|s| s.call == call));
            }
            Event::Released(servants) => {
                self.note("a servant given back");
                drop(servants);
            }
            event => panic!("{event:?}"),
        }
    }

    fn start(
        &mut self,
        call: &IncomingCall<Option<Rc<Servant>>>,
        on: Option<CallId>,
        frame: &[u8],
    ) {
        self.import(call.arguments.clone(), frame);
        self.serving.push(Serving { call: call.call.expect("no call is one-way"), on });
    }

    fn is_over(&mut self, call: CallId) {
        let at = self.waiting.iter().position(|waiting| *waiting == call);
        self.waiting.swap_remove(at.expect("somebody waits for it"));
        self.done.push(call);
    }

    fn note(&mut self, what: &'static str) {
        *self.seen.entry(what).or_default() += 1;
    }

    /// The references of a frame become handles on the objects that were meant.
    fn import(&mut self, contents: Contents<Option<Rc<Servant>>>, frame: &[u8]) {
        for (at, reference) in contents.references.into_iter().enumerate() {
            let number = number(frame, contents.values.start, at + 1);
            match reference {
                Reference::Home(servant) => {
                    let servant = servant.expect("the root is never passed");
                    assert!(number == UNKNOWN || number == servant.number, "it is another object");
                    self.note("an object come home");
                    self.handles.push(Handle::Home(servant));
                }
                Reference::Borrowed(id, 0) => {
                    let (count, known) = self.borrowed.entry(id).or_insert((0, number));
                    *count += 1;
                    let again = *count > 1;
                    assert_eq!(*known, number, "a number was used again too early");
                    self.note(if again {
                        "an object borrowed again"
                    } else {
                        "an object borrowed"
                    });
                    self.handles.push(Handle::Borrowed(id));
                }
                Reference::Answer(call) => {
                    self.note("a reference to an answer to come");
                    self.handles.push(Handle::Promise(call));
                }
                Reference::Broken(error) => assert_eq!(number, UNKNOWN, "{error:?}"),
                reference @ Reference::Borrowed(..) => panic!("{reference:?}"),
            }
        }
    }

    /// Finishes some of what was begun: answers, takes, and lets go.
    pub(super) fn wind_up(&mut self, now: Instant, chance: &mut Chance) {
        for _ in 0..self.serving.len() {
            self.answer(chance);
        }
        for call in std::mem::take(&mut self.done) {
            self.conn.forget(call);
        }
        for _ in 0..self.handles.len() {
            self.let_go(now, chance);
        }
    }

    /// The wire is gone.
    pub(super) fn lose(&mut self) {
        for unsent in self.conn.unsend() {
            self.conn.resolve(unsent.call);
            self.is_over(unsent.call);
        }
        for call in std::mem::take(&mut self.done) {
            self.conn.forget(call);
        }
        drop(self.conn.close());
        self.handles.clear();
        self.borrowed.clear();
        self.serving.clear();
        self.coming.clear();
        self.frames.clear();
    }

    pub(super) fn take_frames(&mut self) -> Vec<Vec<u8>> {
        self.transmit();
        std::mem::take(&mut self.frames)
    }

    /// What the protocol wants to send goes before what is written next.
    fn transmit(&mut self) {
        let mut frame = Vec::new();
        while self.conn.poll_transmit(&mut frame) {
            self.frames.push(std::mem::take(&mut frame));
        }
    }

    pub(super) fn is_quiet(&self) -> bool {
        self.coming.is_empty()
            && self.frames.is_empty()
            && self.handles.is_empty()
            && self.serving.is_empty()
            && self.waiting.is_empty()
            && self.done.is_empty()
            && !self.conn.lingers()
    }

    pub(super) fn check_empty(&mut self) {
        assert!(self.conn.is_idle(), "a call is left");
        assert_eq!((self.conn.in_flight(), self.conn.serving(), self.conn.cancelled()), (0, 0, 0));
        assert_eq!(self.conn.objects(), (0, 0), "lent and borrowed");
        assert!(self.borrowed.is_empty() && !self.conn.poll_transmit(&mut Vec::new()));
        assert!(self.conn.close().iter().all(Option::is_none), "an answer is kept for nobody");
    }
}

/// One of the numbers that a frame's values are.
fn number(frame: &[u8], start: usize, index: usize) -> u32 {
    let at = start + index * 4;
    u32::from_le_bytes(frame[at..at + 4].try_into().expect("four bytes"))
}
