//! More of everything than one peer may have.

use crate::{
    attacker::{Attacker, Said, call, encoded, id, prefixed, releasing, varint},
    fortress::{attacked, attacked_within},
    work::Seen,
};
use farcall::{ErrorKind, Executed, Limits};
use farcall_core::{frame::Frame, id::ObjectId};
use std::time::Duration;

/// Bytes that sockets may hold on the way, and the endpoint while it pauses.
const MUCH: usize = 32 << 20;
/// More than that.
const MORE: usize = 96 << 20;
/// The first object that an endpoint lends on a connection.
const FIRST: ObjectId = ObjectId { slot: 1, generation: 0 };
/// How long a full socket is taken for a pause.
const PAUSE: Duration = Duration::from_millis(400);

#[test]
fn half_open_connections_do_not_keep_others_out() {
    let mut limits = Limits::default();
    limits.handshakes = 8;
    limits.handshake_time = Duration::from_millis(100);
    attacked_within(limits, |fortress, address| {
        let half_open: Vec<_> = (0..100).map(|_| Attacker::connect(address)).collect();
        // It waits for its turn, and gets it.
        let (newcomer, _) = Attacker::bound(address, "work", 0);
        assert!(fortress.running.connections() <= 8 + 8, "no more are let in at a time");
        for attacker in half_open {
            attacker.must_be_shut_out();
        }
        drop(newcomer);
        fortress.is_left_to_the_canary();
    });
}

#[test]
fn calls_beyond_the_limit_are_refused() {
    let mut limits = Limits::default();
    limits.serving = 4;
    attacked_within(limits, |fortress, address| {
        let (mut attacker, work) = Attacker::bound(address, "work", 0);
        for round in 0..2 {
            attacker.send(
                &(1..=6).map(|n| call(Some(id(n)), work, "pass", &[n as u8])).collect::<Vec<_>>(),
            );
            for number in 1..=4 {
                fortress.sees(Seen::Began(number));
            }
            for number in [5, 6] {
                let said = attacker.next();
                let Said::Refused(call, error) = said else { panic!("round {round}: {said:?}") };
                assert_eq!(
                    (call, error.kind(), error.executed()),
                    (id(number), ErrorKind::Overloaded, Executed::No)
                );
                assert_eq!(error.text(), "more than 4 calls at a time");
            }
            fortress.watch().open(4);
            let ended = |seen| matches!(seen, Seen::Ended(1..=4));
            assert!((0..4).all(|_| ended(fortress.watch().next_blocking())));
            let mut answers: Vec<_> = (0..4).map(|_| attacker.next()).collect();
            answers.sort_by_key(|said| format!("{said:?}"));
            assert_eq!(answers, [1, 2, 3, 4].map(|n| Said::Ok(id(n), vec![n as u8])));
        }
    });
}

/// Each call is opened and given up at once. The endpoint answers each, once, and goes on.
#[test]
fn calls_opened_and_given_up() {
    attacked(|fortress, address| {
        let (mut attacker, work) = Attacker::bound(address, "work", 0);
        for _ in 0..20 {
            let frames = (1..=1000).flat_map(|number| {
                [call(Some(id(number)), work, "pass", &[1]), encoded(&Frame::Finish(id(number)))]
            });
            attacker.send(&frames.collect::<Vec<_>>());
            let mut answered: Vec<_> = (0..1000)
                .map(|_| match attacker.next() {
                    Said::Refused(call, error) if error.kind() == ErrorKind::Cancelled => call.slot,
                    other => panic!("it was given up: {other:?}"),
                })
                .collect();
            answered.sort_unstable();
            assert!(answered.into_iter().eq(1..=1000), "one answer each");
        }
        let seen = fortress.watch().so_far();
        let began = seen.iter().filter(|seen| matches!(seen, Seen::Began(_))).count();
        let dropped = seen.iter().filter(|seen| matches!(seen, Seen::Dropped(_))).count();
        assert_eq!(began, dropped, "each that began was dropped");
    });
}

#[test]
fn frames_without_use_are_closed() {
    attacked(|_, address| {
        for (tiny, cost) in [
            (encoded(&Frame::Ping(1)), 6),
            (encoded(&Frame::Finish(id(9))), 7),
            (encoded(&Frame::Pong(1)), 6),
            (encoded(&Frame::Unimplemented(200)), 6),
        ] {
            let mut attacker = Attacker::greeted(address);
            let allowed = 25_600 / cost;
            let flood = prefixed(&tiny).repeat(allowed + 1);
            attacker.raw(&flood);
            attacker.must_be_closed("too many frames without useful payload");
            // As many as are allowed pass.
            let mut guest = Attacker::greeted(address);
            guest.raw(&prefixed(&tiny).repeat(allowed));
            guest.half_close();
            assert!(!guest.rest().iter().any(|said| matches!(said, Said::Aborted(_))));
        }
    });
}

/// Calls of each kind that brings an answer, as many as there are numbers.
fn questions() -> [(Vec<Vec<u8>>, Vec<u8>); 3] {
    let of = |number, method, arguments: &[u8]| call(Some(id(number)), FIRST, method, arguments);
    let many = |method, arguments: &[u8]| {
        (20..60_000).flat_map(|number| prefixed(&of(number, method, arguments))).collect()
    };
    let opened = (1..=16).map(|number| of(number, "pass", &[1])).collect();
    [
        // Large answers; refusals since that many calls are under way already; refusals of another kind.
        (vec![], many("fill", &varint(200 << 10))),
        (opened, many("quick", &[1])),
        (vec![], many("no such method", &[])),
    ]
}

fn narrow() -> Limits {
    let mut limits = Limits::default();
    limits.frame = 256 << 10;
    limits.outbound = 64 << 10;
    limits.serving = 16;
    limits
}

/// Nobody reads the answers: the endpoint stops reading the questions, whatever they are.
#[test]
fn peers_that_do_not_read_are_paused() {
    let mut limits = narrow();
    limits.stalled = Duration::from_secs(1000);
    attacked_within(limits, |fortress, address| {
        for (opening, questions) in questions() {
            let (mut attacker, _) = Attacker::bound(address, "work", 0);
            attacker.send(&opening);
            let taken = attacker.push(&questions, MORE, PAUSE);
            assert!(taken < MUCH, "{taken} bytes were taken without an answer being read");
            fortress.sings();
        }
    });
}

/// And then it closes.
#[test]
fn peers_that_do_not_read_are_closed() {
    let mut limits = narrow();
    limits.stalled = Duration::from_millis(300);
    attacked_within(limits, |fortress, address| {
        for (opening, questions) in questions() {
            let (mut attacker, _) = Attacker::bound(address, "work", 0);
            attacker.send(&opening);
            let taken = attacker.push(&questions, usize::MAX, Duration::from_secs(20));
            assert!(taken < usize::MAX, "it was never closed");
            fortress.is_left_to_the_canary();
        }
    });
}

/// One-way calls have no answers that could be refused: beyond the limit the endpoint stops reading.
#[test]
fn one_way_calls_are_paused() {
    attacked(|fortress, address| {
        let (mut attacker, work) = Attacker::bound(address, "work", 0);
        let tell = prefixed(&call(None, work, "tell", &[1])).repeat(1000);
        let taken = attacker.push(&tell, MORE, PAUSE);
        assert!(taken < MUCH, "{taken} bytes were taken");
        fortress.sings();
        drop(attacker);
        let seen = fortress.watch().so_far();
        let began = seen.iter().filter(|seen| matches!(seen, Seen::Began(_))).count();
        assert!((1..=2048).contains(&began), "{began} began");
        fortress.watch().open(1 << 24);
        fortress.is_left_to_the_canary();
    });
}

/// Calls that insist and are given up pile up to their limit, and no further.
#[test]
fn calls_that_insist_are_paused() {
    let mut limits = Limits::default();
    limits.cancelled = 10;
    attacked_within(limits, |fortress, address| {
        let (mut attacker, work) = Attacker::bound(address, "work", 0);
        for number in 1..=11 {
            attacker.send(&[call(Some(id(number)), work, "insist", &[1])]);
            fortress.sees(Seen::Began(1));
            attacker.send(&[encoded(&Frame::Finish(id(number)))]);
        }
        let more = prefixed(&call(Some(id(100)), work, "quick", &[1])).repeat(1000);
        let taken = attacker.push(&more, MORE, PAUSE);
        assert!(taken < MUCH, "{taken} bytes were taken");
        fortress.sings();
        assert_eq!(fortress.watch().so_far(), [], "nothing else has begun");
        fortress.watch().open(11);
        for _ in 0..11 {
            while !matches!(fortress.watch().next_blocking(), Seen::Ended(_)) {}
        }
        drop(attacker);
        fortress.is_left_to_the_canary();
    });
}

/// Lookups without end lend one object, again and again.
#[test]
fn lookups_without_end() {
    attacked(|_, address| {
        let (mut attacker, work) = Attacker::bound(address, "work", 0);
        for _ in 0..20 {
            let lookups = (1..=200).map(|n| crate::attacker::lookup(id(n), "work", 0));
            attacker.send(&lookups.collect::<Vec<_>>());
            for _ in 0..200 {
                let Said::Ok(_, bound) = attacker.next() else { panic!("it is there") };
                assert_eq!(u32::from(bound[0]), work.slot);
            }
        }
        attacker.send(&[releasing(work, 4001), call(Some(id(1)), work, "quick", &[1])]);
        let Said::Refused(_, error) = attacker.next() else { panic!("it was given back") };
        assert_eq!(error.kind(), ErrorKind::Broken);
    });
}
