//! Two peers that do at random what peers may do, with frames that take their time: they call, answer, give up, let deadlines pass,
//! lend, borrow and release. In the end nothing is left in any table, and the [`Ledger`] balances. The same with the wire cut
//! after every frame.

use super::ledger::{End, Ledger};
use crate::{
    conn::{
        Unsent,
        pair::{LEFT, Pair, RIGHT, ROOT, Seen, header, hello, other},
    },
    error::Executed,
    id::{CallId, ObjectId},
    limits::Limits,
};
use proptest::{collection, prelude::*};
use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

/// What one end does next. Numbers choose among what there is.
#[derive(Clone, Debug)]
enum Step {
    /// Makes a call that lends some of three objects; it expires after so many milliseconds, if any.
    Call {
        lends: u8,
        expires: Option<u8>,
    },
    Reply(usize),
    /// A waiter goes away, or takes its result.
    Forget(usize),
    Release(usize),
    Receive(u8),
    /// Time passes, and frames to this end take so long from now on.
    Pass {
        millis: u8,
        delay: u8,
    },
}

fn step() -> impl Strategy<Value = (usize, Step)> {
    let step = prop_oneof![
        4 => (0_u8..8, proptest::option::weighted(0.3, 1_u8..40))
            .prop_map(|(lends, expires)| Step::Call { lends, expires }),
        3 => any::<usize>().prop_map(Step::Reply),
        3 => any::<usize>().prop_map(Step::Forget),
        3 => any::<usize>().prop_map(Step::Release),
        4 => (1_u8..5).prop_map(Step::Receive),
        2 => (0_u8..20, 0_u8..10).prop_map(|(millis, delay)| Step::Pass { millis, delay }),
    ];
    (LEFT..=RIGHT, step)
}

fn script(length: usize) -> impl Strategy<Value = Vec<(usize, Step)>> {
    collection::vec(step(), 0..length)
}

/// What the driver of one end knows.
#[derive(Default)]
struct Driver {
    /// Calls whose waiters wait, each with its tag.
    waiting: Vec<(CallId, u32)>,
    /// Calls whose results wait to be taken.
    done: Vec<CallId>,
    /// Calls that wait for credit, with what they will lend.
    held: VecDeque<(CallId, u32, u8)>,
    serving: Vec<(CallId, u32)>,
    /// Objects of the peer that it has handles of.
    handles: BTreeMap<u32, ObjectId>,
}

struct Model {
    pair: Pair,
    drivers: [Driver; 2],
    ledger: Ledger,
    tags: u32,
}

/// So few calls at a time that credit runs out.
fn limits() -> Limits {
    Limits { serving: 3, ..Limits::default() }
}

fn pick<T>(from: &mut Vec<T>, number: usize) -> Option<T> {
    if from.is_empty() { None } else { Some(from.swap_remove(number % from.len())) }
}

impl Model {
    fn new(cut_after: usize) -> Self {
        let mut pair = Pair::strangers(limits(), false);
        pair.cut_after = cut_after;
        Self { pair, drivers: Default::default(), ledger: Ledger::default(), tags: 0 }
    }

    fn step(&mut self, end: usize, step: &Step) {
        match *step {
            Step::Call { lends, expires } => self.make(end, lends, expires),
            Step::Reply(number) => self.reply(end, number),
            Step::Forget(number) => self.forget(end, number),
            Step::Release(number) => self.release(end, number),
            Step::Receive(frames) => (0..frames).for_each(|_| self.receive(end)),
            Step::Pass { millis, delay } => {
                self.pair.advance(Duration::from_millis(millis.into()));
                self.pair.ends[end].delay = Duration::from_millis(delay.into());
                self.expire(LEFT);
                self.expire(RIGHT);
            }
        }
    }

    fn make(&mut self, end: usize, lends: u8, expires: Option<u8>) {
        let now = self.pair.now;
        let deadline = expires.map(|millis| now + Duration::from_millis(millis.into()));
        let call = self.pair.conn(end).reserve(deadline);
        self.tags += 1;
        self.ledger.make(self.tags);
        self.drivers[end].waiting.push((call, self.tags));
        self.drivers[end].held.push_back((call, self.tags, lends));
        self.pump(end);
    }

    /// Sends held calls as far as credit goes. What a call lends is counted when it is sent, and goes as (servant, number).
    fn pump(&mut self, end: usize) {
        while !self.pair.is_cut()
            && self.pair.conn(end).can_send()
            && let Some((call, tag, lends)) = self.drivers[end].held.pop_front()
        {
            let mut arguments = vec![tag];
            for key in (1..=3).filter(|key| lends & (1 << (key - 1)) != 0) {
                let servant = (end as u32 + 1) * 10 + key;
                let before = self.pair.conn(end).objects().0;
                let id = self.pair.conn(end).lend(key as usize, servant);
                self.ledger.lend(servant, self.pair.conn(end).objects().0 > before);
                arguments.extend([servant, id.slot, id.generation.into()]);
            }
            let bytes: Vec<u8> = arguments.iter().flat_map(|word| word.to_le_bytes()).collect();
            self.pair.send_call(end, &header(Some(call)), &bytes);
        }
    }

    fn reply(&mut self, end: usize, number: usize) {
        if let Some((call, tag)) = pick(&mut self.drivers[end].serving, number) {
            assert!(self.pair.reply(end, call, &tag.to_le_bytes()));
        }
    }

    fn forget(&mut self, end: usize, number: usize) {
        let driver = &mut self.drivers[end];
        let call = if number.is_multiple_of(3)
            && let Some((call, tag)) = pick(&mut driver.waiting, number / 3)
        {
            driver.held.retain(|(held, ..)| *held != call);
            self.ledger.end(tag, End::Gone);
            Some(call)
        } else {
            pick(&mut driver.done, number / 3)
        };
        if let Some(call) = call {
            self.pair.conn(end).forget(call);
        }
    }

    fn release(&mut self, end: usize, number: usize) {
        let handles = &mut self.drivers[end].handles;
        let Some(&servant) = handles.keys().nth(number % handles.len().max(1)) else { return };
        let Some(id) = handles.remove(&servant) else { return };
        self.ledger.release(servant);
        self.pair.release(end, id);
    }

    fn expire(&mut self, end: usize) {
        let now = self.pair.now;
        while let Some(Unsent { call, executed }) = self.pair.conn(end).poll_expired(now) {
            self.drivers[end].held.retain(|(held, ..)| *held != call);
            self.end(end, call, End::Failed(executed));
        }
    }

    fn receive(&mut self, end: usize) {
        self.pair.deliver(end);
        for seen in self.pair.take_seen(end) {
            match seen {
                Seen::Connected => {}
                Seen::Call(Some(call), ROOT, arguments) => self.start(end, call, &arguments),
                Seen::Ok(call, tag) => {
                    let tag = u32::from_le_bytes(tag.try_into().unwrap());
                    assert!(self.drivers[end].waiting.contains(&(call, tag)), "another's result");
                    self.end(end, call, End::Returned);
                }
                Seen::Cancel(call) => {
                    assert!(self.drivers[end].serving.iter().any(|(served, _)| *served == call));
                }
                Seen::Released(servants) => {
                    servants.into_iter().for_each(|servant| self.ledger.returned(servant));
                }
                seen => panic!("{seen:?}"),
            }
        }
        self.pump(end);
    }

    fn start(&mut self, end: usize, call: CallId, arguments: &[u8]) {
        let (words, []) = arguments.as_chunks::<4>() else { panic!("{arguments:?}") };
        let words: Vec<u32> = words.iter().map(|word| u32::from_le_bytes(*word)).collect();
        self.ledger.start(words[0]);
        for object in words[1..].chunks(3) {
            let id = ObjectId { slot: object[1], generation: object[2] as u16 };
            assert_eq!(self.pair.conn(other(end)).export(id), Some(&object[0]), "R5");
            self.pair.conn(end).borrow_object(id).unwrap();
            self.ledger.borrow_object(object[0]);
            self.drivers[end].handles.insert(object[0], id);
        }
        self.drivers[end].serving.push((call, words[0]));
    }

    /// A waiter has its result, and will take it.
    fn end(&mut self, end: usize, call: CallId, how: End) {
        let driver = &mut self.drivers[end];
        let at = driver.waiting.iter().position(|(waiting, _)| *waiting == call);
        let (_, tag) = driver.waiting.swap_remove(at.expect("nobody waits for it"));
        driver.done.push(call);
        self.ledger.end(tag, how);
    }

    /// Everybody finishes what was begun.
    fn finish(&mut self) {
        let mut rounds = 0;
        while !self.pair.is_cut() && !self.is_quiet() {
            rounds += 1;
            assert!(rounds < 10_000, "something is left for ever");
            for end in [LEFT, RIGHT] {
                self.pair.advance(Duration::from_millis(10));
                self.receive(end);
                self.reply(end, 0);
                self.release(end, 0);
            }
        }
        for end in [LEFT, RIGHT] {
            while let Some(call) = self.drivers[end].done.pop() {
                self.pair.conn(end).forget(call);
            }
        }
        self.pair.settle();
    }

    fn is_quiet(&mut self) -> bool {
        let drivers = &self.drivers;
        let owing =
            |d: &Driver| !d.waiting.is_empty() || !d.serving.is_empty() || !d.handles.is_empty();
        !drivers.iter().any(owing)
            && [LEFT, RIGHT].iter().all(|&end| {
                let conn = self.pair.conn(end);
                conn.peer().is_some()
                    && conn.in_flight() == 0
                    && conn.serving() == 0
                    && conn.objects() == (0, 0)
            })
    }

    /// The wire is gone: what each driver does, and then a new wire.
    fn cut(&mut self) {
        self.ledger.cut();
        for end in [LEFT, RIGHT] {
            for Unsent { call, executed } in self.pair.conn(end).unsend() {
                self.pair.conn(end).resolve(call);
                self.end(end, call, End::Failed(executed));
            }
            while let Some((call, ..)) = self.drivers[end].held.pop_front() {
                assert!(self.pair.conn(end).resolve(call));
                self.end(end, call, End::Failed(Executed::No));
            }
            while let Some(call) = self.drivers[end].done.pop() {
                self.pair.conn(end).forget(call);
            }
            for servant in self.pair.conn(end).close() {
                if servant != ROOT {
                    self.ledger.returned(servant);
                }
            }
            self.drivers[end] = Driver::default();
        }
    }

    fn check_empty(&mut self) {
        for end in [LEFT, RIGHT] {
            let conn = self.pair.conn(end);
            assert!(conn.is_idle());
            assert_eq!((conn.in_flight(), conn.serving(), conn.cancelled()), (0, 0, 0));
            assert_eq!(conn.objects(), (0, 0));
            assert!(!conn.poll_transmit(&mut Vec::new()));
            assert_eq!(self.pair.take_seen(end), []);
        }
        self.ledger.close();
    }
}

/// Runs a script and checks it; how many frames were delivered.
fn run(script: &[(usize, Step)], cut_after: usize) -> usize {
    let mut model = Model::new(cut_after);
    for (end, step) in script {
        model.step(*end, step);
    }
    model.finish();
    let delivered = model.pair.delivered;
    if model.pair.is_cut() {
        model.cut();
    }
    model.check_empty();
    if model.pair.is_cut() {
        reconnect(model);
    }
    delivered
}

/// The same ends on a new wire: both can call, whatever numbers are used again.
fn reconnect(old: Model) {
    let now = old.pair.now;
    let mut model = Model::new(usize::MAX);
    model.pair.now = now;
    for (end, old) in old.pair.ends.into_iter().enumerate() {
        *model.pair.conn(end) = old.conn;
        model.pair.conn(end).restart(now, hello(&limits()), Some(ROOT), false);
        model.make(end, 7, None);
    }
    model.finish();
    model.check_empty();
}

fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(cases(400))]

    #[test]
    fn nothing_is_lost_and_nothing_is_left(script in script(150)) {
        run(&script, usize::MAX);
    }
}

proptest! {
    #![proptest_config(cases(40))]

    #[test]
    fn nor_when_the_wire_is_cut_after_any_frame(script in script(60)) {
        let frames = run(&script, usize::MAX);
        for cut_after in 0..frames {
            run(&script, cut_after);
        }
    }
}
