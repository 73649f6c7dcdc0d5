//! Frames without use: paid for from a budget that useful frames fill again.

use crate::{
    conn::pair::{LEFT, Pair, RIGHT, Seen, header, releasing},
    frame::Frame,
    id::{CallId, ObjectId},
    limits::Limits,
};
use std::time::Duration;

const FLOOD: &str = "the peer sent too many frames without useful payload in a row";

/// How many of these frames the other end takes before it has had enough.
fn count(pair: &mut Pair, frame: &[u8]) -> usize {
    for count in 0..100_000 {
        pair.send_bytes(LEFT, frame.to_vec());
        pair.deliver(RIGHT);
        match pair.take_seen(RIGHT).pop() {
            Some(Seen::Breach(text)) if text == FLOOD => return count,
            Some(Seen::Breach(text)) => panic!("{text}"),
            _ => {}
        }
    }
    100_000
}

fn encoded(frame: &Frame<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    frame.encode(&mut bytes);
    bytes
}

#[test]
fn a_flood_ends_the_connection() {
    let check = |frame: Vec<u8>| {
        let overhead = Limits::default().overhead;
        assert_eq!(count(&mut Pair::new(), &frame), overhead / (frame.len() + 4), "{frame:?}");
    };
    check(encoded(&Frame::Ping(1)));
    check(encoded(&Frame::Pong(u64::MAX)));
    check(encoded(&Frame::Finish(CallId { slot: 1, generation: 1 })));
    check(encoded(&Frame::Goodbye { accepted: 0 }));
    check(encoded(&Frame::Unimplemented(1)));
    check(encoded(&Frame::Unknown(77)));
    check([&[77][..], &[0; 1000]].concat());
}

#[test]
fn releases_are_paid_for_by_what_was_lent() {
    let mut pair = Pair::with(Limits { overhead: 100, ..Limits::default() });
    let id = pair.conn(RIGHT).lend(1, 10);
    for _ in 0..500 {
        pair.conn(RIGHT).lend(1, 10);
    }
    for _ in 0..500 {
        pair.send_bytes(LEFT, releasing(id, 1));
    }
    pair.shuttle();
    assert_eq!(pair.take_seen(RIGHT), []);
}

#[test]
fn useful_frames_earn_and_never_more_than_the_whole() {
    let mut pair = Pair::with(Limits { overhead: 100, ..Limits::default() });
    let ping = encoded(&Frame::Ping(1));
    for _ in 0..16 {
        pair.send_bytes(LEFT, ping.clone());
    }
    pair.shuttle();
    assert_eq!(pair.take_seen(RIGHT), [], "four are left");
    let mut bytes = encoded(&Frame::Call(header(None), b""));
    let earned = bytes.len() * 2;
    pair.send_bytes(LEFT, bytes.clone());
    pair.shuttle();
    assert_eq!(count(&mut pair, &ping), (4 + earned) / 6);

    let mut pair = Pair::with(Limits { overhead: 100, ..Limits::default() });
    bytes.resize(4000, 0);
    pair.send_bytes(LEFT, bytes);
    pair.shuttle();
    assert_eq!(count(&mut pair, &ping), 100 / 6);
}

/// Opening and cancelling a million calls is shed by credit and by `cancelled`, not taken for a flood of empty frames.
#[test]
fn calls_that_are_given_up_at_once_pay_for_their_finish() {
    let mut pair = Pair::new();
    for _ in 0..20_000 {
        let call = pair.call(LEFT, b"");
        pair.conn(LEFT).forget(call);
        pair.shuttle();
        assert!(pair.reply(RIGHT, call, b""));
        pair.shuttle();
        assert_eq!(pair.take_seen(RIGHT).len(), 2);
    }
    assert_eq!(pair.take_seen(LEFT), []);
    assert!(pair.conn(LEFT).is_idle());
}

#[test]
fn one_frame_a_second_is_no_flood() {
    let mut pair = Pair::with(Limits { overhead: 0, ..Limits::default() });
    for _ in 0..10 {
        pair.advance(Duration::from_secs(1));
        pair.send(LEFT, &Frame::Ping(1));
        pair.shuttle();
        assert_eq!(pair.take_seen(RIGHT), []);
    }
    pair.send(LEFT, &Frame::Ping(1));
    pair.shuttle();
    assert_eq!(pair.only(RIGHT), Seen::Breach(FLOOD.to_owned()));
}

#[test]
fn a_kind_that_nobody_knows_is_answered_and_the_connection_goes_on() {
    let mut pair = Pair::new();
    for kind in [0, 7, 8, 9, 10, 18, 99, 255] {
        pair.send_bytes(LEFT, vec![kind, 1, 2, 3]);
        assert!(pair.deliver(RIGHT));
        let mut answer = Vec::new();
        assert!(pair.conn(RIGHT).poll_transmit(&mut answer));
        assert_eq!(answer, encoded(&Frame::Unimplemented(kind)));
        pair.send_bytes(RIGHT, answer);
        pair.shuttle();
        assert_eq!((pair.take_seen(LEFT), pair.take_seen(RIGHT)), (vec![], vec![]));
    }
    let call = pair.call(LEFT, b"");
    pair.shuttle();
    assert!(pair.reply(RIGHT, call, b""));
}

#[test]
fn malformed_frames_are_a_breach() {
    let check = |bytes: &[u8], want: &str| {
        let mut pair = Pair::new();
        pair.send_bytes(LEFT, bytes.to_vec());
        pair.shuttle();
        assert_eq!(pair.only(RIGHT), Seen::Breach(want.to_owned()), "{bytes:?}");
    };
    let object = releasing(ObjectId { slot: 1, generation: 0 }, 1);
    check(&[], "a frame ends inside of a field");
    check(&object[..2], "a frame ends inside of a field");
    check(&[&object[..], &[0]].concat(), "a frame ends inside of a field");
    check(&releasing(ObjectId::ROOT, 0), "a field of a frame has an unknown value");
    check(&[11, 0, 0], "a frame has bytes after its last field");
    check(&[2, 0x80, 0, 0, 0, 0, 1, 2, 3, 4, 1, 2], "a frame ends inside of a field");
    check(&[2, 0x40, 0, 0, 0, 0, 1, 2, 3, 4], "a field of a frame has an unknown value");
    check(&[3, 8, 0, 0], "a field of a frame has an unknown value");
    check(&[11, 0x80, 0], "a number in a frame is malformed");
    check(&[14, 0, 0, 0xff], "a text in a frame is not UTF-8");
}

#[test]
fn interfaces_are_described_up_to_a_limit() {
    let check = |limits: Limits, most: usize, text: &str| {
        let mut pair = Pair::with(limits);
        let described = encoded(&Frame::Interface(b"12345678"));
        for _ in 0..most {
            pair.send_bytes(LEFT, described.clone());
        }
        pair.shuttle();
        let breaches = |seen: Vec<Seen>| {
            let text = |seen| if let Seen::Breach(text) = seen { Some(text) } else { None };
            seen.into_iter().filter_map(text).collect::<Vec<_>>()
        };
        assert_eq!(breaches(pair.take_seen(RIGHT)), Vec::<String>::new());
        pair.send_bytes(LEFT, described);
        pair.shuttle();
        assert_eq!(breaches(pair.take_seen(RIGHT)), [text]);
    };
    let few = Limits { interfaces: 3, ..Limits::default() };
    check(few, 3, "the peer described more than 3 interfaces, or in more than 1048576 bytes");
    let short = Limits { interface_bytes: 40, ..Limits::default() };
    check(short, 5, "the peer described more than 1024 interfaces, or in more than 40 bytes");
}
