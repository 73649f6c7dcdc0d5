//! Signs of life: asked for across a network by both ends, and never on one host.

use crate::{
    conn::pair::{LEFT, Pair, RIGHT, Seen},
    error::{ErrorKind, Executed},
    frame::Frame,
    limits::Limits,
};
use std::time::Duration;

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn transmitted(pair: &mut Pair, end: usize) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    pair.conn(end).poll_transmit(&mut bytes).then_some(bytes)
}

fn encoded(frame: &Frame<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    frame.encode(&mut bytes);
    bytes
}

#[test]
fn a_silent_peer_is_asked_at_15_seconds_and_dead_at_30() {
    let mut pair = Pair::new();
    pair.call(LEFT, b"");
    pair.shuttle();
    assert_eq!(pair.timer(LEFT), Some(seconds(15)));
    assert_eq!(pair.tick(LEFT, seconds(15) - Duration::from_nanos(1)), Ok(()));
    assert_eq!(transmitted(&mut pair, LEFT), None);
    assert_eq!(pair.tick(LEFT, Duration::from_nanos(1)), Ok(()));
    assert_eq!(transmitted(&mut pair, LEFT), Some(encoded(&Frame::Ping(1))));
    assert_eq!(pair.timer(LEFT), Some(seconds(15)));
    assert_eq!(pair.tick(LEFT, seconds(15) - Duration::from_nanos(1)), Ok(()));
    assert_eq!(transmitted(&mut pair, LEFT), None, "asked once");
    let error = pair.tick(LEFT, Duration::from_nanos(1)).unwrap_err();
    assert_eq!((error.kind(), error.executed()), (ErrorKind::Disconnected, Executed::Maybe));
}

#[test]
fn any_frame_is_a_sign_of_life() {
    let mut pair = Pair::new();
    pair.call(LEFT, b"");
    pair.shuttle();
    for number in 1..=3 {
        assert_eq!(pair.tick(LEFT, seconds(15)), Ok(()));
        pair.advance(seconds(14));
        if number == 2 {
            pair.call(RIGHT, b"");
        }
        pair.shuttle();
        assert_eq!(pair.timer(LEFT), Some(seconds(15)), "the pong, or a call before it");
    }
    assert_eq!(pair.tick(LEFT, seconds(15)), Ok(()));
    assert_eq!(transmitted(&mut pair, LEFT), Some(encoded(&Frame::Ping(4))));
}

#[test]
fn whoever_only_serves_asks_too() {
    let mut pair = Pair::new();
    let call = pair.call(RIGHT, b"");
    pair.shuttle();
    assert_eq!(pair.timer(LEFT), Some(seconds(15)));
    assert_eq!(pair.tick(LEFT, seconds(15)), Ok(()));
    assert_eq!(transmitted(&mut pair, LEFT), Some(encoded(&Frame::Ping(1))));
    let error = pair.tick(LEFT, seconds(15)).unwrap_err();
    assert_eq!((error.kind(), error.executed()), (ErrorKind::Disconnected, Executed::Maybe));

    let mut pair = Pair::new();
    pair.call(RIGHT, b"");
    pair.shuttle();
    pair.reply(LEFT, call, b"");
    assert_eq!(pair.tick(LEFT, seconds(15)), Ok(()), "the answer may never arrive");
    assert!(pair.tick(LEFT, seconds(15)).is_err());
}

#[test]
fn an_idle_peer_is_asked_for_ever() {
    let mut pair = Pair::new();
    for number in 1..=100 {
        assert_eq!(pair.timer(LEFT), Some(seconds(15)));
        assert_eq!(pair.tick(LEFT, seconds(15)), Ok(()), "{number}");
        pair.shuttle();
    }
    assert_eq!(pair.tick(LEFT, seconds(15)), Ok(()));
    assert_eq!(transmitted(&mut pair, LEFT), Some(encoded(&Frame::Ping(101))));
    assert!(pair.tick(LEFT, seconds(15)).is_err());
}

#[test]
fn nobody_is_asked_on_one_host() {
    let mut pair = Pair::strangers(Limits::default(), true);
    pair.shuttle();
    pair.call(LEFT, b"");
    assert_eq!(pair.timer(LEFT), None);
    assert_eq!(pair.tick(LEFT, seconds(3600)), Ok(()));
    assert_eq!(transmitted(&mut pair, LEFT), None);
}

/// Where this process itself was stopped, silence proves nothing: it asks, and waits for the answer.
#[test]
fn a_peer_is_not_dead_for_having_had_nothing_to_say() {
    let mut pair = Pair::new();
    pair.advance(seconds(3600));
    pair.call(LEFT, b"");
    assert_eq!(pair.tick(LEFT, Duration::ZERO), Ok(()));
    assert_eq!(pair.timer(LEFT), Some(seconds(15)));
    assert_eq!(pair.tick(LEFT, seconds(14)), Ok(()));
    pair.shuttle();
    assert_eq!(pair.timer(LEFT), Some(seconds(15)), "it has answered");
    pair.advance(seconds(3600));
    assert_eq!(pair.tick(LEFT, Duration::ZERO), Ok(()), "this process itself was stopped");
    assert!(pair.tick(LEFT, seconds(15)).is_err());
}

/// One call, open for a week: the pings both ways are no flood.
#[test]
fn pings_alone_never_use_the_overhead_up() {
    let mut pair = Pair::new();
    let call = pair.call(LEFT, b"");
    pair.shuttle();
    pair.take_seen(RIGHT);
    for _ in 0..7 * 24 * 60 * 4 {
        assert_eq!(pair.tick(LEFT, seconds(15)), Ok(()));
        pair.shuttle();
    }
    assert!(pair.reply(RIGHT, call, b"at last"));
    pair.shuttle();
    assert_eq!(pair.only(LEFT), Seen::Ok(call, b"at last".to_vec()));
    assert_eq!(pair.take_seen(RIGHT), []);
}

/// The timers of both ends run from the same frames: they ask at once, and a ping and a pong come together.
#[test]
fn pings_of_both_at_once_never_use_the_overhead_up() {
    let mut pair = Pair::new();
    for day in 0..365 {
        for _ in 0..24 * 60 * 4 {
            assert_eq!(pair.tick(LEFT, seconds(15)), Ok(()));
            assert_eq!(pair.tick(RIGHT, Duration::ZERO), Ok(()));
            pair.shuttle();
        }
        assert_eq!((pair.take_seen(LEFT), pair.take_seen(RIGHT)), (vec![], vec![]), "day {day}");
    }
}
