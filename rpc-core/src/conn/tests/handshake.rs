//! The first frames, both ways.

use crate::{
    conn::pair::{LEFT, Pair, RIGHT, ROOT, Seen, hello, other},
    error::{Error, ErrorKind},
    frame::{Frame, Hello},
    id::CallId,
    limits::Limits,
};
use std::time::Duration;

#[test]
fn both_say_hello_and_calls_flow() {
    let limits = Limits { serving: 7, frame: 5000, ..Limits::default() };
    let mut pair = Pair::strangers(limits.clone(), false);
    for end in [LEFT, RIGHT] {
        assert_eq!(pair.conn(end).peer(), None);
        assert_eq!(pair.conn(end).frame_limit(), 5000, "its own, before it knows the peer's");
        assert!(!pair.conn(end).can_send());
    }
    pair.shuttle();
    for end in [LEFT, RIGHT] {
        assert_eq!(pair.only(end), Seen::Connected);
        assert_eq!(pair.conn(end).peer(), Some(&hello(&limits)));
        assert_eq!(pair.conn(end).frame_limit(), 5000);
        assert!(pair.conn(end).can_send());
    }
}

#[test]
fn first_frames_that_are_no_hello() {
    fn check(first: &Frame<'_>, want: Seen) {
        let mut bytes = Vec::new();
        first.encode(&mut bytes);
        check_bytes(&bytes, want);
    }
    fn check_bytes(first: &[u8], want: Seen) {
        let mut pair = Pair::strangers(Limits::default(), false);
        let mut hello = Vec::new();
        assert!(pair.conn(LEFT).poll_transmit(&mut hello), "the real Hello is thrown away");
        pair.send_bytes(LEFT, first.to_vec());
        pair.shuttle();
        assert_eq!(pair.only(RIGHT), want);
        assert!(!pair.conn(RIGHT).can_send());
    }
    let breach = |text: &str| Seen::Breach(text.to_owned());
    let other_hello = |version| Hello { version, ..hello(&Limits::default()) };
    for version in [0, 2, u16::MAX] {
        let text = format!(
            "the peer speaks version {version} of the protocol and this build version 1: build both with the same farcall"
        );
        check(&Frame::Hello(other_hello(version)), breach(&text));
    }
    let none = "the peer's first frame is not a Hello";
    check(&Frame::Ping(1), breach(none));
    check(&Frame::Finish(CallId { slot: 0, generation: 0 }), breach(none));
    check(&Frame::Unknown(99), breach(none));
    let error = Error::of(ErrorKind::Overloaded, "no room");
    check(&Frame::Abort(error), Seen::Aborted(ErrorKind::Overloaded));
    let stranger = "the peer does not speak farcall's protocol: check the address and the port";
    check_bytes(b"\x01HTTP/1.1", breach(stranger));
    check_bytes(b"", breach("a frame ends inside of a field"));
}

#[test]
fn a_second_hello_is_a_breach() {
    let mut pair = Pair::new();
    pair.send(LEFT, &Frame::Hello(hello(&Limits::default())));
    pair.shuttle();
    assert_eq!(pair.only(RIGHT), Seen::Breach("the peer sent a second Hello".to_owned()));
    assert_eq!(pair.only(LEFT), Seen::Aborted(ErrorKind::Protocol));
}

#[test]
fn a_peer_that_says_nothing_is_given_up() {
    for (local, handshake_time, want) in [(false, 10, 10), (true, 10, 5), (true, 3, 3)] {
        let handshake_time = Duration::from_secs(handshake_time);
        let mut pair = Pair::strangers(Limits { handshake_time, ..Limits::default() }, local);
        let want = Duration::from_secs(want);
        assert_eq!(pair.timer(LEFT), Some(want));
        assert_eq!(pair.tick(LEFT, want - Duration::from_millis(1)), Ok(()));
        let error = pair.tick(LEFT, Duration::from_millis(1)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Protocol);
        let text = "the peer sent no farcall handshake in time: check the address and the port";
        assert_eq!(error.text(), text);
    }
}

#[test]
fn who_leaves_does_not_wait_long_for_a_handshake() {
    let mut pair = Pair::strangers(Limits::default(), false);
    pair.conn(LEFT).goodbye();
    let soon = Duration::from_millis(500);
    assert_eq!(pair.timer(LEFT), Some(soon));
    let error = pair.tick(LEFT, soon).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protocol);
}

/// Calls that were made before are sent afterwards: the tables outlive a wire, and the handshake begins again.
#[test]
fn a_new_wire_begins_with_a_handshake() {
    let mut pair = Pair::new();
    let limits = Limits::default();
    let call = pair.call(LEFT, b"lost");
    assert_eq!(pair.conn(LEFT).unsend().len(), 1);
    let now = pair.now;
    let mut next = Pair::strangers(limits.clone(), false);
    std::mem::swap(&mut pair.ends[LEFT].conn, &mut next.ends[LEFT].conn);
    next.conn(LEFT).restart(now, hello(&limits), Some(ROOT), false);
    assert!(!next.conn(LEFT).can_send());
    next.shuttle();
    for end in [LEFT, RIGHT] {
        assert_eq!(next.only(end), Seen::Connected);
        assert_eq!(next.conn(other(end)).in_flight(), 0);
    }
    next.send_call(LEFT, &crate::conn::pair::header(Some(call)), b"again");
    next.shuttle();
    assert_eq!(next.only(RIGHT), Seen::Call(Some(call), ROOT, b"again".to_vec()));
    assert!(next.reply(RIGHT, call, b"late"));
    next.shuttle();
    assert_eq!(next.only(LEFT), Seen::Ok(call, b"late".to_vec()));
}
