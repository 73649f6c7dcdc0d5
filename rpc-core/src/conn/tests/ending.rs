//! Goodbyes, aborts and wires that are gone: what each call is told about whether it ran.

use crate::{
    conn::{
        Unsent,
        pair::{LEFT, Pair, RIGHT, ROOT, Seen, header},
    },
    error::{Error, ErrorKind, Executed},
    frame::{Descriptor, Frame, Outcome, References, ReturnHeader},
    id::ObjectId,
    limits::Limits,
};
use std::time::Duration;

#[test]
fn calls_in_flight_may_have_run_when_the_wire_is_gone() {
    let mut pair = Pair::new();
    let [returned, waiting, gone, expired] = [0_u8; 4].map(|_| {
        let now = pair.now;
        let call = pair.conn(LEFT).reserve(Some(now + Duration::from_secs(1)));
        pair.send_call(LEFT, &header(Some(call)), b"");
        call
    });
    let held = pair.conn(LEFT).reserve(None);
    pair.shuttle();
    pair.take_seen(RIGHT);
    assert!(pair.reply(RIGHT, returned, b""));
    pair.shuttle();
    assert_eq!(pair.only(LEFT), Seen::Ok(returned, vec![]));
    pair.conn(LEFT).forget(gone);
    pair.conn(LEFT).resolve(expired);
    let want = [Unsent { call: waiting, executed: Executed::Maybe }];
    assert_eq!(pair.conn(LEFT).unsend(), want);
    assert_eq!(pair.conn(LEFT).in_flight(), 0);
    assert_eq!(pair.conn(LEFT).unsend(), [], "once");
    for call in [returned, waiting, expired, held] {
        assert!(!pair.conn(LEFT).is_idle());
        pair.conn(LEFT).forget(call);
    }
    assert!(pair.conn(LEFT).is_idle());
    assert!(pair.conn(LEFT).close().contains(&ROOT));
    assert!(!pair.conn(LEFT).poll_transmit(&mut Vec::new()), "there is nobody to tell");
}

/// Calls beyond those that the peer has accepted surely did not run. One-way calls count.
#[test]
fn goodbye_tells_which_calls_ran() {
    let mut pair = Pair::new();
    let first = pair.call(LEFT, b"");
    pair.send_call(LEFT, &header(None), b"");
    let third = pair.call(LEFT, b"");
    pair.shuttle();
    assert_eq!(pair.take_seen(RIGHT).len(), 3);
    pair.conn(RIGHT).goodbye();
    pair.conn(RIGHT).goodbye();
    assert!(pair.conn(RIGHT).is_draining());
    let late = [0; 2].map(|_| pair.call(LEFT, b""));
    pair.shuttle();
    assert_eq!(pair.take_seen(RIGHT), [], "calls that crossed the goodbye are not taken");
    assert_eq!(pair.only(LEFT), Seen::Refused);
    assert!(pair.conn(LEFT).is_refused() && !pair.conn(LEFT).can_send());
    assert_eq!(pair.conn(LEFT).in_flight_before_refusal(), 2);
    assert!(pair.reply(RIGHT, first, b"still answered"));
    pair.shuttle();
    assert_eq!(pair.only(LEFT), Seen::Ok(first, b"still answered".to_vec()));
    assert_eq!(pair.conn(LEFT).in_flight_before_refusal(), 1);
    let want = [
        Unsent { call: third, executed: Executed::Maybe },
        Unsent { call: late[0], executed: Executed::No },
        Unsent { call: late[1], executed: Executed::No },
    ];
    assert_eq!(pair.conn(LEFT).unsend(), want, "in the order of sending");
}

/// An answer that is a breach is none: its call is among those that are told of the end.
#[test]
fn an_answer_that_is_a_breach_leaves_its_call_unanswered() {
    let mut pair = Pair::new();
    let call = pair.call(LEFT, b"");
    pair.shuttle();
    let mut references = Vec::new();
    References::encode(
        &[Descriptor::Mine(ObjectId { slot: 5, generation: 0 }, 0)],
        &mut references,
    );
    let header = ReturnHeader { references: References::of(&references), ..ReturnHeader::of(call) };
    let mut bytes = Vec::new();
    Frame::Return(header, Outcome::Ok(&[0])).encode(&mut bytes);
    pair.send_bytes(RIGHT, bytes);
    pair.shuttle();
    assert!(matches!(pair.only(LEFT), Seen::Breach(why) if why.contains("has not described")));
    let want = [Unsent { call, executed: Executed::Maybe }];
    assert_eq!(pair.conn(LEFT).unsend(), want);
}

/// Slots are used again out of order; the order of sending is what counts.
#[test]
fn the_order_of_sending_is_not_the_order_of_slots() {
    let mut pair = Pair::new();
    let [a, b] = [pair.conn(LEFT).reserve(None), pair.conn(LEFT).reserve(None)];
    pair.send_call(LEFT, &header(Some(b)), b"");
    pair.shuttle();
    pair.conn(RIGHT).goodbye();
    pair.send_call(LEFT, &header(Some(a)), b"");
    pair.shuttle();
    let want =
        [Unsent { call: b, executed: Executed::Maybe }, Unsent { call: a, executed: Executed::No }];
    assert_eq!(pair.conn(LEFT).unsend(), want);
}

/// Each wire counts from nought: a goodbye on the second is about calls of the second.
#[test]
fn a_goodbye_is_about_its_own_wire() {
    let mut pair = Pair::new();
    for _ in 0..3 {
        pair.call(LEFT, b"");
    }
    let (now, hello) = (pair.now, crate::conn::pair::hello(&Limits::default()));
    pair.shuttle();
    for end in [LEFT, RIGHT] {
        pair.take_seen(end);
        pair.conn(end).unsend();
        pair.conn(end).close();
        pair.conn(end).restart(now, hello.clone(), Some(ROOT), false);
    }
    pair.shuttle();
    let taken = pair.call(LEFT, b"");
    pair.shuttle();
    pair.conn(RIGHT).goodbye();
    let late = pair.call(LEFT, b"");
    pair.shuttle();
    assert_eq!(pair.conn(LEFT).in_flight_before_refusal(), 1);
    let want = [
        Unsent { call: taken, executed: Executed::Maybe },
        Unsent { call: late, executed: Executed::No },
    ];
    assert_eq!(pair.conn(LEFT).unsend(), want);
}

#[test]
fn refused_and_stray_calls_count_as_accepted() {
    let mut pair = Pair::with(Limits { serving: 1, ..Limits::default() });
    for _ in 0..2 {
        let call = pair.conn(LEFT).reserve(None);
        let mut bytes = Vec::new();
        pair.conn(LEFT).send(&header(Some(call)), &mut bytes);
        pair.send_bytes(LEFT, bytes);
    }
    pair.shuttle();
    pair.conn(RIGHT).goodbye();
    let mut bytes = Vec::new();
    let goodbye = Frame::Goodbye { accepted: 2 };
    goodbye.encode(&mut bytes);
    let mut sent = Vec::new();
    assert!(pair.conn(RIGHT).poll_transmit(&mut sent));
    assert_eq!(sent, bytes);
}

#[test]
fn both_may_say_goodbye() {
    let mut pair = Pair::new();
    let calls = [pair.call(LEFT, b""), pair.call(RIGHT, b"")];
    pair.shuttle();
    for end in [LEFT, RIGHT] {
        assert_eq!(pair.take_seen(end).len(), 1);
        pair.conn(end).goodbye();
    }
    pair.shuttle();
    for end in [LEFT, RIGHT] {
        assert_eq!(pair.only(end), Seen::Refused);
        assert!(pair.reply(end, calls[1 - end], b""));
    }
    pair.shuttle();
    for end in [LEFT, RIGHT] {
        assert_eq!(pair.only(end), Seen::Ok(calls[end], vec![]));
    }
}

#[test]
fn a_goodbye_before_the_handshake_is_said_after_it() {
    let mut pair = Pair::strangers(Limits::default(), false);
    pair.conn(RIGHT).goodbye();
    assert!(!pair.conn(RIGHT).is_draining());
    pair.shuttle();
    assert_eq!(pair.only(RIGHT), Seen::Connected);
    assert_eq!(pair.take_seen(LEFT), [Seen::Connected, Seen::Refused]);
    assert!(pair.conn(RIGHT).is_draining() && !pair.conn(LEFT).can_send());
}

#[test]
fn an_abort_names_its_reason() {
    let mut pair = Pair::new();
    pair.conn(LEFT).abort(&Error::of(ErrorKind::PermissionDenied, "go away"));
    pair.shuttle();
    assert_eq!(pair.only(RIGHT), Seen::Aborted(ErrorKind::PermissionDenied));
}

#[test]
fn nothing_of_an_old_wire_is_left_on_the_next() {
    let mut pair = Pair::new();
    let call = pair.call(RIGHT, b"");
    pair.shuttle();
    let id = pair.conn(LEFT).lend(7, 70);
    pair.conn(LEFT).borrow_object(id).unwrap();
    pair.conn(LEFT).goodbye();
    let mut dropped = pair.conn(LEFT).close();
    dropped.sort_unstable();
    assert_eq!(dropped, [70, ROOT]);
    let (now, hello) = (pair.now, crate::conn::pair::hello(&Limits::default()));
    pair.conn(LEFT).restart(now, hello, Some(ROOT), false);
    let conn = pair.conn(LEFT);
    assert_eq!((conn.serving(), conn.objects(), conn.is_draining()), (0, (0, 0), false));
    assert!(!conn.reply(&ReturnHeader::of(call), &Outcome::Cancelled, None, &mut Vec::new()));
    conn.release(now, id);
    let mut sent = Vec::new();
    assert!(conn.poll_transmit(&mut sent) && !conn.poll_transmit(&mut Vec::new()));
    assert!(matches!(Frame::decode(&sent), Ok(Frame::Hello(_))), "only a Hello goes out");
}
