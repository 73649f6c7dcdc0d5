//! Valid frames at the wrong time, with numbers that mean nothing or something else.

use crate::{
    attacker::{
        Attacker, Said, UNKNOWN_KIND, call, call_at, encoded, hello, hello_of, id, lookup,
        releasing,
    },
    fortress::{attacked, attacked_within},
    work::Seen,
};
use farcall::{ErrorKind, Executed, Limits};
use farcall_core::{
    error::Error,
    frame::{Descriptor, Frame, Outcome, ReturnHeader, Target, VERSION, kind},
    id::{CallId, ObjectId},
};

fn returned(call: CallId) -> Vec<u8> {
    encoded(&Frame::Return(ReturnHeader::of(call), Outcome::Ok(&[])))
}

fn echo(number: u32, target: ObjectId) -> Vec<u8> {
    call(Some(id(number)), target, "echo", &[1, 7])
}

#[track_caller]
fn goes_on(attacker: &mut Attacker, number: u32, target: ObjectId) {
    attacker.send(&[echo(number, target)]);
    assert_eq!(attacker.next(), Said::Ok(id(number), vec![1, 7]));
}

#[track_caller]
fn is_refused(said: Said, number: u32, kind: ErrorKind, text: &str) {
    let Said::Refused(call, error) = said else { panic!("it was not refused: {said:?}") };
    assert_eq!((call, error.kind(), error.executed()), (id(number), kind, Executed::No));
    assert!(error.text().contains(text), "{error}");
}

#[test]
fn unknown_kinds_are_told_and_forgiven() {
    attacked(|_, address| {
        let (mut attacker, work) = Attacker::bound(address, "work", 0);
        for unknown in [UNKNOWN_KIND, kind::ITEM, kind::CREDIT, kind::END, kind::PART, 0, 255] {
            attacker.send(&[vec![unknown, 1, 2, 3]]);
            assert_eq!(attacker.next(), Said::Unimplemented(unknown));
        }
        attacker.send(&[encoded(&Frame::Unimplemented(UNKNOWN_KIND))]);
        goes_on(&mut attacker, 1, work);
    });
}

#[test]
fn the_handshake_comes_first_and_once() {
    attacked(|_, address| {
        let mut twice = Attacker::greeted(address);
        twice.send(&[hello()]);
        twice.must_be_closed("a second Hello");
        for early in [
            lookup(id(0), "work", 0),
            returned(id(0)),
            encoded(&Frame::Finish(id(0))),
            encoded(&Frame::Ping(1)),
            encoded(&Frame::Goodbye { accepted: 0 }),
            vec![UNKNOWN_KIND],
        ] {
            let mut attacker = Attacker::connect(address);
            attacker.send(&[early]);
            attacker.must_be_closed("the peer's first frame is not a Hello");
        }
        for version in [0, VERSION + 1, u16::MAX] {
            let mut attacker = Attacker::connect(address);
            attacker.send(&[hello_of(version)]);
            attacker.must_be_closed(&format!("the peer speaks version {version} of the protocol"));
        }
        let mut attacker = Attacker::connect(address);
        let mut magic = hello();
        magic[1] ^= 1;
        attacker.send(&[magic]);
        attacker.must_be_closed("does not speak farcall's protocol");
    });
}

#[test]
fn malformed_frames_are_closed() {
    attacked(|_, address| {
        for (malformed, why) in [
            (vec![kind::CALL], "a frame ends inside of a field"),
            (vec![kind::CALL, 0x40, 0, 0, 0, 0, 1, 2, 3, 4], "unknown value"),
            (vec![kind::RELEASE, 1, 0, 0], "unknown value"),
            (vec![kind::INTERFACE], "described an interface wrongly"),
            (vec![kind::FINISH, 0, 0, 0], "bytes after its last field"),
            (vec![kind::PING, 0x80, 0], "malformed"),
            (
                vec![kind::PING, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2],
                "malformed",
            ),
            (vec![kind::RETURN, 9, 0, 0], "unknown value"),
            (vec![kind::ABORT, 0, 9], "unknown value"),
            (vec![kind::ABORT, 0, 0, 0xff], "not UTF-8"),
        ] {
            let mut attacker = Attacker::greeted(address);
            attacker.send(&[malformed]);
            attacker.must_be_closed(why);
        }
    });
}

#[test]
fn unknown_methods_and_services_are_refused() {
    attacked(|_, address| {
        let (mut attacker, work) = Attacker::bound(address, "work", 0);
        attacker.send(&[call(Some(id(1)), work, "destroy", &[])]);
        is_refused(
            attacker.next(),
            1,
            ErrorKind::Unimplemented,
            "`Work` on the other side has no such method: it has quick",
        );
        attacker.send(&[call(Some(id(2)), ObjectId::ROOT, "destroy", &[])]);
        is_refused(attacker.next(), 2, ErrorKind::Unimplemented, "it has lookup");
        attacker.send(&[lookup(id(3), "archive", 0)]);
        is_refused(attacker.next(), 3, ErrorKind::NoSuchService, "there is no service `archive`");
        let interface = [&[4][..], b"work", &[5], b"Works", &[0]].concat();
        attacker.send(&[call(Some(id(4)), ObjectId::ROOT, "lookup", &interface)]);
        is_refused(
            attacker.next(),
            4,
            ErrorKind::WrongInterface,
            "has the interface `Work` and not `Works`",
        );
        for malformed in [&[][..], &[4], &[200, 1], &[1, 0xff, 0, 0], &[0, 0, 0, 0]] {
            attacker.send(&[call(Some(id(5)), ObjectId::ROOT, "lookup", malformed)]);
            let said = attacker.next();
            let Said::Refused(_, error) = said else { panic!("it was not refused: {said:?}") };
            assert_eq!(error.executed(), Executed::No, "{error}");
        }
        goes_on(&mut attacker, 6, work);
    });
}

/// Unknown, freed and foreign objects: an error each, and too many of them the end.
#[test]
fn strays_are_refused_and_then_closed() {
    attacked(|_, address| {
        let (mut other, foreign) = Attacker::bound(address, "target", 0);
        let (mut attacker, work) = Attacker::bound(address, "work", 0);
        let objects = [
            ObjectId { slot: work.slot, generation: work.generation + 1 },
            ObjectId { slot: foreign.slot + 1, generation: 0 },
            ObjectId { slot: u32::MAX, generation: u16::MAX },
            ObjectId { slot: 0, generation: 1 },
        ];
        for number in 1..=64 {
            attacker.send(&[echo(number, objects[number as usize % 4])]);
            is_refused(
                attacker.next(),
                number,
                ErrorKind::Broken,
                "is not lent on this connection",
            );
        }
        goes_on(&mut attacker, 65, work);
        attacker.send(&[echo(66, objects[0])]);
        attacker.must_be_closed("keeps calling objects that were never lent to it");
        other.send(&[encoded(&Frame::Ping(1))]);
        assert_eq!(other.next(), Said::Pong(1));
    });
}

#[test]
fn numbers_in_use_are_closed() {
    attacked(|fortress, address| {
        for again in [id(1), CallId { slot: 1, generation: 1 }] {
            let (mut attacker, work) = Attacker::bound(address, "work", 0);
            attacker.send(&[call(Some(id(1)), work, "pass", &[1])]);
            fortress.sees(Seen::Began(1));
            attacker.send(&[call(Some(again), work, "quick", &[1])]);
            attacker.must_be_closed(&format!("the peer used {again} twice"));
            fortress.sees(Seen::Dropped(1));
        }
        // Once it is answered it is free.
        let (mut attacker, work) = Attacker::bound(address, "work", 0);
        (0..100).for_each(|_| goes_on(&mut attacker, 1, work));
        let far = CallId { slot: 1 << 16, generation: 0 };
        attacker.send(&[call(Some(far), work, "quick", &[1])]);
        attacker.must_be_closed("call 65536.0");
    });
}

#[test]
fn answers_that_nobody_asked_for_are_closed() {
    attacked(|_, address| {
        for call in [id(0), id(7), CallId { slot: u32::MAX, generation: u16::MAX }] {
            let mut attacker = Attacker::greeted(address);
            attacker.send(&[returned(call)]);
            attacker.must_be_closed(&format!("{call}, which was not waiting for an answer"));
        }
    });
}

#[test]
fn a_finish_means_something_once() {
    attacked(|fortress, address| {
        let (mut attacker, work) = Attacker::bound(address, "work", 0);
        for stray in [id(0), id(9), CallId { slot: u32::MAX, generation: 1 }] {
            attacker.send(&[encoded(&Frame::Finish(stray))]);
        }
        attacker.send(&[call(Some(id(1)), work, "pass", &[1])]);
        fortress.sees(Seen::Began(1));
        let finish = encoded(&Frame::Finish(id(1)));
        attacker.send(&[finish.clone(), finish.clone()]);
        fortress.sees(Seen::Dropped(1));
        let said = attacker.next();
        let Said::Refused(_, error) = said else { panic!("it was cancelled: {said:?}") };
        assert_eq!((error.kind(), error.executed()), (ErrorKind::Cancelled, Executed::Yes));
        attacker.send(&[finish]);
        goes_on(&mut attacker, 2, work);
    });
}

#[test]
fn only_what_was_lent_is_taken_back() {
    attacked(|_, address| {
        for (object, count) in [
            (ObjectId::ROOT, 1),
            (ObjectId { slot: 1, generation: 0 }, 2),
            (ObjectId { slot: 9, generation: 0 }, 1),
        ] {
            let (mut attacker, _) = Attacker::bound(address, "work", 0);
            attacker.send(&[releasing(object, count)]);
            attacker.must_be_closed(&format!("gave back more of {object} than it has"));
        }
        let (mut attacker, work) = Attacker::bound(address, "work", 0);
        attacker.send(&[releasing(work, 1)]);
        attacker.send(&[echo(1, work)]);
        is_refused(attacker.next(), 1, ErrorKind::Broken, "look it up again");
        attacker.send(&[lookup(id(2), "work", 0)]);
        assert!(matches!(attacker.next(), Said::Ok(..)));
        attacker.send(&[releasing(work, 1)]);
        attacker.must_be_closed("than it has");
    });
}

#[test]
fn references_cannot_be_forged() {
    let passing = |number, target, reference: Descriptor| {
        call_at(Some(id(number)), target, "quick", (&[reference], &[1]))
    };
    attacked(|_, address| {
        let (mut attacker, work) = Attacker::bound(address, "work", 0);
        let stranger = ObjectId { slot: 9, generation: 3 };
        // What leads nowhere harms nobody, and least of all a call that does not look at it.
        for forged in [Descriptor::Null, Descriptor::Yours(stranger), Descriptor::YourAnswer(id(9))]
        {
            attacker.send(&[passing(1, Target::Export(work), forged)]);
            assert!(matches!(attacker.next(), Said::Ok(..)));
        }
        attacker.send(&[passing(1, Target::Answer(id(9)), Descriptor::Null)]);
        is_refused(attacker.next(), 1, ErrorKind::Pipeline, "returns no object");
        attacker.send(&[passing(2, Target::Export(work), Descriptor::Mine(stranger, 0))]);
        attacker.must_be_closed("has not described");
    });
}

/// What is lent with a call comes back, whatever becomes of the call.
#[test]
fn what_is_lent_in_vain_comes_back() {
    let object = ObjectId { slot: 3, generation: 0 };
    let lent = Descriptor::Mine(object, 0);
    attacked(|_, address| {
        let (mut attacker, target) = Attacker::bound(address, "target", 0);
        attacker.send(&[encoded(&Frame::Interface(b"\x05Other\0\0"))]);
        let [target, root, nobody] =
            [target, ObjectId::ROOT, ObjectId { slot: 9, generation: 9 }].map(Target::Export);
        for (call, target, method, references, arguments) in [
            (Some(1), target, "number", &[lent][..], &[1][..]),
            (Some(2), target, "destroy", &[lent], &[]),
            (Some(3), target, "ask", &[lent], &[7]),
            (Some(4), target, "ask", &[lent], &[0]),
            (Some(5), target, "ask", &[Descriptor::Null, lent, lent], &[0]),
            (Some(6), nobody, "ask", &[lent], &[0]),
            (None, nobody, "ask", &[lent], &[0]),
            (Some(7), Target::Answer(id(99)), "ask", &[lent], &[0]),
            (Some(8), root, "lookup", &[lent], &[0, 0, 0]),
        ] {
            attacker.send(&[call_at(call.map(id), target, method, (references, arguments))]);
            let times = references.iter().filter(|reference| **reference == lent).count() as u32;
            assert_eq!(attacker.given_back(), [(object, times)], "{call:?} of {method}");
        }
    });
}

#[test]
fn calls_on_what_is_no_object_are_bounded_and_refused() {
    let pipelined = |number| call_at(Some(id(number)), Target::Answer(id(1)), "quick", (&[], &[1]));
    attacked(|_, address| {
        let (mut attacker, work) = Attacker::bound(address, "work", 0);
        attacker.send(&[call(Some(id(1)), work, "pass", &[1])]);
        let calls: Vec<_> = (2..=258).map(pipelined).collect();
        attacker.send(&calls);
        let text = "more than 256 calls wait for what one call returns";
        is_refused(attacker.next(), 258, ErrorKind::Overloaded, text);
        // The one that they wait for ends, and returns a number, or nothing.
        attacker.send(&[encoded(&Frame::Finish(id(1)))]);
        let said: Vec<_> = (0..257).map(|_| attacker.next()).collect();
        let refused = said.iter().filter(
            |said| matches!(said, Said::Refused(_, error) if error.kind() == ErrorKind::Pipeline),
        );
        assert_eq!(refused.count(), 256);
        goes_on(&mut attacker, 1, work);
    });
}

#[test]
fn an_end_is_an_end() {
    attacked(|fortress, address| {
        let (mut attacker, work) = Attacker::bound(address, "work", 0);
        attacker.send(&[call(Some(id(1)), work, "pass", &[1])]);
        fortress.sees(Seen::Began(1));
        attacker.send(&[encoded(&Frame::Abort(Error::new("I have had enough")))]);
        assert!(attacker.rest().iter().all(|said| matches!(said, Said::Aborted(_))));
        fortress.sees(Seen::Dropped(1));
    });
}

/// A call whose time is over when it comes is not started.
#[test]
fn expired_calls_are_not_started() {
    use farcall_core::{
        frame::{CallHeader, References, Table, Target},
        id::MethodId,
    };
    attacked(|fortress, address| {
        let (mut attacker, target) = Attacker::bound(address, "work", 0);
        let header = CallHeader {
            call: Some(id(1)),
            target: Target::Export(target),
            method: MethodId::of("pass"),
            remaining: Some(0),
            chain: None,
            trace: None,
            metadata: &[],
            references: References::default(),
            payloads: Table::default(),
        };
        attacker.send(&[encoded(&Frame::Call(header.clone(), &[1]))]);
        is_refused(attacker.next(), 1, ErrorKind::TimedOut, "before the call was started");
        // One that never ends in practice, with metadata that is none.
        let endless = CallHeader {
            remaining: Some(u64::MAX),
            metadata: &[200, 1],
            method: MethodId::of("quick"),
            ..header
        };
        attacker.send(&[encoded(&Frame::Call(endless, &[7]))]);
        assert_eq!(attacker.next(), Said::Ok(id(1), vec![7]));
        assert_eq!(fortress.watch().so_far(), [Seen::Began(7)]);
    });
}

/// A peer that accepts nothing gets nothing, and harms nobody.
#[test]
fn a_peer_that_takes_no_frames_gets_an_error() {
    use farcall_core::frame::Hello;
    attacked_within(Limits::default(), |_, address| {
        let mut attacker = Attacker::connect(address);
        let tiny = Hello {
            version: VERSION,
            features: u64::MAX,
            peer: [0; 16],
            host: [0; 16],
            processor: u32::MAX,
            frame: 0,
            serving: 0,
        };
        attacker.send(&[encoded(&Frame::Hello(tiny)), lookup(id(0), "work", 0)]);
        assert_eq!(attacker.next(), Said::Hello);
        let said = attacker.next();
        let Said::Refused(_, error) = said else { panic!("it takes no answer: {said:?}") };
        assert_eq!(error.kind(), ErrorKind::TooLarge);
    });
}
