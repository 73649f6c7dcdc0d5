//! Recorded sessions, one of calls and one of objects, that are cut anywhere, have any bit flipped, or are broken off.

use crate::{
    attacker::{
        Attacker, Said, answers, call, call_at, call_with, encoded, hello, id, lookup, prefixed,
        releasing, varint,
    },
    fortress::attacked,
};
use farcall::Error;
use farcall_core::{
    frame::{Descriptor, Frame, Outcome, ReturnHeader, Target},
    id::ObjectId,
};
use std::ops::RangeInclusive;

/// The first object that an endpoint lends on a connection, and the second.
const FIRST: ObjectId = ObjectId { slot: 1, generation: 0 };
const SECOND: ObjectId = ObjectId { slot: 2, generation: 0 };

/// A frame of a session.
struct Step {
    frame: Vec<u8>,
    /// What the endpoint says before the next frame makes sense.
    until: Option<fn(&Said) -> bool>,
    /// Calls that the endpoint answers with a value if nothing comes after this frame.
    answers: RangeInclusive<usize>,
    /// So many of them if the wire ends within the next one: only what takes no time is answered then.
    at_once: usize,
}

fn step(frame: Vec<u8>, answers: RangeInclusive<usize>) -> Step {
    let at_once = *answers.start();
    Step { frame, until: None, answers, at_once }
}

fn ping() -> Vec<u8> {
    encoded(&Frame::Ping(9))
}

/// A whole visit: Hello, a lookup, calls, a Finish, a Ping.
fn calls() -> Vec<Step> {
    let echo = [varint(18), b"a recorded session".to_vec()].concat();
    vec![
        step(hello(), 0..=0),
        Step { until: Some(is_answer), ..step(lookup(id(0), "work", 0), 1..=1) },
        step(call(Some(id(1)), FIRST, "echo", &echo), 2..=2),
        step(call(Some(id(2)), FIRST, "quick", &[7]), 3..=3),
        // Perhaps before the call has begun.
        step(encoded(&Frame::Finish(id(2))), 2..=3),
        step(ping(), 2..=3),
        step(call(None, FIRST, "quick", &[8]), 2..=3),
    ]
}

/// One with every frame about objects, and every kind of reference: the visitor lends two objects, is called on one and breaks the other,
/// is lent one, calls it before it knows which it is, passes it back in both ways, and gives everything back.
fn objects() -> Vec<Step> {
    let mine = |slot| [Descriptor::Mine(ObjectId { slot, generation: 0 }, 0)];
    let passing = |number, method, reference: &[Descriptor]| {
        call_with(Some(id(number)), FIRST, method, (reference, &[0]))
    };
    let gone = ObjectId { slot: 1, generation: 0 };
    // Its name, no fingerprint, and one method with its signature and no options.
    let item = b"\x04Item\0\x01\x06number\x1a() -> farcall::Result<u64>\0";
    let later = |frame, answers| Step { at_once: 2, ..step(frame, answers..=answers) };
    vec![
        step(hello(), 0..=0),
        Step { until: Some(is_answer), ..step(lookup(id(0), "target", 0), 1..=1) },
        step(encoded(&Frame::Interface(item)), 1..=1),
        Step { until: Some(is_call), ..step(passing(1, "ask", &mine(0)), 1..=1) },
        Step { until: Some(is_answer), ..step(returned(), 2..=2) },
        later(passing(2, "echo", &mine(1)), 3),
        later(call(Some(id(3)), FIRST, "lend", &[]), 4),
        later(call_at(Some(id(4)), Target::Answer(id(3)), "number", (&[], &[])), 5),
        Step {
            until: Some(is_third),
            ..later(passing(5, "ask", &[Descriptor::YourAnswer(id(3))]), 6)
        },
        later(passing(6, "ask", &[Descriptor::Yours(SECOND)]), 7),
        later(encoded(&Frame::Broken(gone, Error::new("I have dropped it"))), 7),
        later(ping(), 7),
        later(encoded(&Frame::Finish(id(2))), 7),
        later(encoded(&Frame::Finish(id(3))), 7),
        later(releasing(SECOND, 1), 7),
    ]
}

fn is_answer(said: &Said) -> bool {
    matches!(said, Said::Ok(..))
}

/// That which lends.
fn is_third(said: &Said) -> bool {
    matches!(said, Said::Ok(call, _) if *call == id(3))
}

/// Nothing else is said before it that could be taken for one.
fn is_call(said: &Said) -> bool {
    *said == Said::Other
}

/// The visitor's answer to the first call that is made on its object.
fn returned() -> Vec<u8> {
    encoded(&Frame::Return(ReturnHeader::of(id(0)), Outcome::Ok(&[9])))
}

fn bytes_of(steps: &[Step]) -> Vec<u8> {
    steps.iter().flat_map(|step| prefixed(&step.frame)).collect()
}

/// Sends a visit, or what has become of it, of which so many bytes are as they were, and says nothing more then. How many answers have come
/// by then.
fn send(attacker: &mut Attacker, steps: &[Step], bytes: &[u8], intact: usize) -> usize {
    let (mut sent, mut end, mut answered) = (0, 0, 0);
    for step in steps {
        end += prefixed(&step.frame).len();
        if end > intact || end >= bytes.len() {
            break;
        }
        if let Some(until) = step.until {
            attacker.raw(&bytes[sent..end]);
            sent = end;
            loop {
                let said = attacker.next();
                answered += usize::from(is_answer(&said));
                if until(&said) {
                    break;
                }
            }
        }
    }
    attacker.raw(&bytes[sent..]);
    attacker.half_close();
    answered
}

/// Every prefix: what arrived whole is answered, also if nothing more will come.
fn cut_anywhere(steps: &[Step]) {
    attacked(|fortress, address| {
        let bytes = bytes_of(steps);
        let ends: Vec<_> = (1..=steps.len()).map(|n| bytes_of(&steps[..n]).len()).collect();
        for end in 0..=bytes.len() {
            let mut attacker = Attacker::connect(address);
            let before = send(&mut attacker, steps, &bytes[..end], end);
            let said = attacker.rest();
            let whole = &steps[..ends.iter().filter(|&&at| at <= end).count()];
            let between = end == 0 || ends.contains(&end);
            let want = whole.last().map_or(0..=0, |step| match between {
                true => step.answers.clone(),
                false => step.at_once..=*step.answers.end(),
            });
            let answers = before + answers(&said);
            assert!(want.contains(&answers), "{end} bytes, {} frames: {said:?}", whole.len());
            let asked = whole.iter().any(|step| step.frame == ping());
            let told = said.contains(&Said::Pong(9));
            assert!(told == asked || (asked && !between), "{end} bytes: {said:?}");

            let mut vanishing = Attacker::connect(address);
            vanishing.raw(&bytes[..end]);
            if end % 2 == 0 {
                vanishing.reset();
            }
        }
        fortress.is_left_to_the_canary();
    });
}

/// Every bit, flipped: whatever it means then, the endpoint answers or closes, and goes on.
fn flipped_anywhere(steps: &[Step]) {
    let most = steps.iter().map(|step| *step.answers.end()).max().unwrap_or_default();
    attacked(|fortress, address| {
        let bytes = bytes_of(steps);
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let mut attacker = Attacker::connect(address);
            let before = send(&mut attacker, steps, &flipped, bit / 8);
            let answers = before + answers(&attacker.rest());
            assert!(answers <= most, "bit {bit}: {answers} answers");
        }
        fortress.is_left_to_the_canary();
    });
}

#[test]
fn every_prefix_of_calls() {
    cut_anywhere(&calls());
}

#[test]
fn every_prefix_of_what_is_about_objects() {
    cut_anywhere(&objects());
}

#[test]
fn every_flipped_bit_of_calls() {
    flipped_anywhere(&calls());
}

#[test]
fn every_flipped_bit_of_what_is_about_objects() {
    flipped_anywhere(&objects());
}

/// They may come and go as they like.
#[test]
fn visitors_who_vanish_leave_nothing() {
    for steps in [calls(), objects()] {
        attacked(|fortress, address| {
            for count in 0..200 {
                let mut visitor = Attacker::connect(address);
                let frames: Vec<_> = steps.iter().map(|step| step.frame.clone()).collect();
                visitor.send(&frames[..count % frames.len()]);
            }
            fortress.is_left_to_the_canary();
        });
    }
}
