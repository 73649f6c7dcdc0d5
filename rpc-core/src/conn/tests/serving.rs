//! The callee's side: limits, numbers that are busy, answers that nobody asked for.

use crate::{
    conn::pair::{LEFT, Pair, RIGHT, ROOT, Seen, header},
    error::{Error, ErrorKind, Executed},
    frame::{CallHeader, Descriptor, Frame, Outcome, References, ReturnHeader, Target},
    id::{CallId, ObjectId},
    limits::Limits,
};

fn id(slot: u32, generation: u16) -> CallId {
    CallId { slot, generation }
}

/// A peer that respects no limit: its frame goes out as it is.
fn force_call(pair: &mut Pair, call: Option<CallId>, target: ObjectId) {
    pair.send(
        LEFT,
        &Frame::Call(CallHeader { target: Target::Export(target), ..header(call) }, b""),
    );
    pair.shuttle();
}

fn answer(pair: &mut Pair, call: CallId, outcome: Outcome<'static>) {
    pair.send(RIGHT, &Frame::Return(ReturnHeader::of(call), outcome));
    pair.shuttle();
}

#[test]
fn one_call_beyond_the_limit_is_refused() {
    let mut pair = Pair::with(Limits { serving: 2, ..Limits::default() });
    let [first, second] = [0, 1].map(|n| pair.call(LEFT, &[n]));
    let third = pair.conn(LEFT).reserve(None);
    let mut bytes = Vec::new();
    pair.conn(LEFT).send(&header(Some(third)), &mut bytes);
    pair.send_bytes(LEFT, bytes);
    pair.shuttle();
    assert_eq!(pair.take_seen(RIGHT).len(), 2);
    assert_eq!(pair.conn(RIGHT).serving(), 2);
    assert_eq!(pair.only(LEFT), Seen::Failed(third, ErrorKind::Overloaded, Executed::No));
    // One that is cancelled and still runs counts; one that is answered does not.
    pair.conn(LEFT).forget(first);
    pair.shuttle();
    assert_eq!(pair.only(RIGHT), Seen::Cancel(first));
    assert_eq!((pair.conn(RIGHT).serving(), pair.conn(RIGHT).cancelled()), (2, 1));
    assert!(pair.reply(RIGHT, first, b""));
    assert!(pair.reply(RIGHT, second, b""));
    assert_eq!((pair.conn(RIGHT).serving(), pair.conn(RIGHT).cancelled()), (0, 0));
}

#[test]
fn a_number_that_is_busy_is_a_breach() {
    for generation in [0, 1] {
        let mut pair = Pair::new();
        force_call(&mut pair, Some(id(5, 0)), ObjectId::ROOT);
        assert_eq!(pair.only(RIGHT), Seen::Call(Some(id(5, 0)), ROOT, vec![]));
        force_call(&mut pair, Some(id(5, generation)), ObjectId::ROOT);
        let want = format!("the peer used call 5.{generation} twice");
        assert_eq!(pair.only(RIGHT), Seen::Breach(want));
        assert_eq!(pair.only(LEFT), Seen::Aborted(ErrorKind::Protocol));
    }
}

/// Else a connection that drains would wait for it.
#[test]
fn a_call_that_lends_what_it_may_not_is_a_breach_and_is_not_served() {
    let mut pair = Pair::new();
    let mut lent = Vec::new();
    References::encode(&[Descriptor::Mine(ObjectId { slot: 7, generation: 0 }, 3)], &mut lent);
    let header = CallHeader { references: References::of(&lent), ..header(Some(id(5, 0))) };
    pair.send(LEFT, &Frame::Call(header, b""));
    pair.shuttle();
    let want = "the peer lent an object whose interface it has not described".to_owned();
    assert_eq!(pair.only(RIGHT), Seen::Breach(want));
    assert_eq!(pair.conn(RIGHT).serving(), 0);
}

#[test]
fn numbers_are_bounded() {
    let mut pair = Pair::new();
    force_call(&mut pair, Some(id(0xffff, 0)), ObjectId::ROOT);
    assert_eq!(pair.only(RIGHT), Seen::Call(Some(id(0xffff, 0)), ROOT, vec![]));
    for slot in [0x1_0000, u32::MAX] {
        let mut pair = Pair::new();
        force_call(&mut pair, Some(id(slot, 0)), ObjectId::ROOT);
        assert!(matches!(pair.only(RIGHT), Seen::Breach(_)));
    }
}

#[test]
fn answers_that_nobody_waits_for_are_a_breach() {
    let outcomes = [
        Outcome::Ok(b""),
        Outcome::App(b""),
        Outcome::Rpc(Error::of(ErrorKind::Overloaded, "")),
        Outcome::Cancelled,
    ];
    for outcome in outcomes {
        let check = |pair: &mut Pair, call| {
            answer(pair, call, outcome.clone());
            let want = format!("the peer answered {call}, which was not waiting for an answer");
            assert_eq!(pair.only(LEFT), Seen::Breach(want));
        };
        // Never made; held; of an earlier use; of a later one; twice, before and after the waiter took it.
        check(&mut Pair::new(), id(0, 0));
        check(&mut Pair::new(), id(u32::MAX, u16::MAX));
        let mut pair = Pair::new();
        let held = pair.conn(LEFT).reserve(None);
        check(&mut pair, held);
        for generation in [1, u16::MAX] {
            let mut pair = Pair::new();
            pair.call(LEFT, b"");
            check(&mut pair, id(0, generation));
        }
        for taken in [false, true] {
            let mut pair = Pair::new();
            let call = pair.call(LEFT, b"");
            answer(&mut pair, call, outcome.clone());
            pair.only(LEFT);
            if taken {
                pair.conn(LEFT).forget(call);
            }
            check(&mut pair, call);
        }
        // The late return of a call that nobody waits for is discarded once; again it is a breach.
        let mut pair = Pair::new();
        let call = pair.call(LEFT, b"");
        pair.conn(LEFT).forget(call);
        answer(&mut pair, call, outcome.clone());
        assert_eq!(pair.take_seen(LEFT), []);
        check(&mut pair, call);
    }
}

#[test]
fn finishing_twice_or_the_wrong_call_is_no_news() {
    let mut pair = Pair::new();
    let call = pair.call(LEFT, b"");
    pair.send(LEFT, &Frame::Finish(id(call.slot, 9)));
    pair.shuttle();
    assert_eq!(pair.only(RIGHT), Seen::Call(Some(call), ROOT, vec![]), "of another use");
    for finished in [call, call, id(7, 0), id(u32::MAX, 0)] {
        pair.send(LEFT, &Frame::Finish(finished));
    }
    pair.shuttle();
    assert_eq!(pair.only(RIGHT), Seen::Cancel(call));
    assert_eq!(pair.conn(RIGHT).cancelled(), 1);
    assert!(pair.reply(RIGHT, call, b""));
    assert_eq!(pair.conn(RIGHT).cancelled(), 0);
    pair.send(LEFT, &Frame::Finish(call));
    pair.shuttle();
    assert_eq!(pair.take_seen(RIGHT), []);
    assert!(!pair.conn(RIGHT).is_cancelled(call));
}

#[test]
fn calls_on_objects_that_are_not_lent_end_the_connection_after_64() {
    let unknown = [
        ObjectId { slot: 0, generation: 1 },
        ObjectId { slot: 1, generation: 0 },
        ObjectId { slot: u32::MAX, generation: u16::MAX },
    ];
    let mut pair = Pair::new();
    for n in 0..64 {
        let call = pair.conn(LEFT).reserve(None);
        let target = unknown[n % 3];
        let mut bytes = Vec::new();
        let stray = CallHeader { target: Target::Export(target), ..header(Some(call)) };
        pair.conn(LEFT).send(&stray, &mut bytes);
        pair.send_bytes(LEFT, bytes);
        pair.shuttle();
        assert_eq!(pair.take_seen(RIGHT), []);
        assert_eq!(pair.only(LEFT), Seen::Failed(call, ErrorKind::Broken, Executed::No));
        pair.conn(LEFT).forget(call);
    }
    force_call(&mut pair, None, unknown[0]);
    let want = "the peer keeps calling objects that were never lent to it";
    assert_eq!(pair.only(RIGHT), Seen::Breach(want.to_owned()));
}

#[test]
fn one_way_calls_on_objects_that_are_not_lent_count_as_well() {
    let mut pair = Pair::with(Limits { strays: 2, ..Limits::default() });
    for _ in 0..2 {
        force_call(&mut pair, None, ObjectId { slot: 9, generation: 0 });
        assert_eq!((pair.take_seen(LEFT), pair.take_seen(RIGHT)), (vec![], vec![]));
    }
    force_call(&mut pair, None, ObjectId { slot: 9, generation: 0 });
    assert!(matches!(pair.only(RIGHT), Seen::Breach(_)));
}

#[test]
fn an_endpoint_without_a_root_lends_nothing() {
    let mut pair = Pair::new();
    let (now, limits) = (pair.now, Limits::default());
    let hello = crate::conn::pair::hello(&limits);
    pair.conn(RIGHT).restart(now, hello.clone(), None, false);
    pair.conn(LEFT).restart(now, hello, None, false);
    pair.shuttle();
    assert_eq!([pair.only(LEFT), pair.only(RIGHT)], [Seen::Connected, Seen::Connected]);
    let call = pair.call(LEFT, b"");
    pair.shuttle();
    assert_eq!(pair.only(LEFT), Seen::Failed(call, ErrorKind::Broken, Executed::No));
    assert_eq!(pair.take_seen(RIGHT), []);
}
