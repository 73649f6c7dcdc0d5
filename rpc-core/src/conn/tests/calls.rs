//! The caller's side: results, credit, going away, deadlines, numbers used again.

use crate::{
    conn::{
        Unsent,
        pair::{LEFT, Pair, RIGHT, ROOT, Seen, header, other},
    },
    error::{Error, ErrorKind, Executed},
    frame::{CallHeader, Outcome, References, Table, Target},
    id::{CallId, MethodId, ObjectId},
    limits::Limits,
};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

fn id(slot: u32, generation: u16) -> CallId {
    CallId { slot, generation }
}

/// Nobody has anything to do with anybody any more.
fn assert_over(pair: &mut Pair) {
    for end in [LEFT, RIGHT] {
        let conn = pair.conn(end);
        assert!(conn.is_idle());
        assert_eq!((conn.in_flight(), conn.serving(), conn.cancelled()), (0, 0, 0));
        assert_eq!(pair.take_seen(end), []);
    }
}

#[test]
fn both_ends_call_at_once_with_the_same_number() {
    let mut pair = Pair::new();
    let calls = [LEFT, RIGHT].map(|end| pair.call(end, &[end as u8]));
    assert_eq!(calls, [id(0, 0); 2]);
    pair.shuttle();
    for end in [LEFT, RIGHT] {
        assert_eq!(pair.only(end), Seen::Call(Some(id(0, 0)), ROOT, vec![other(end) as u8]));
        assert_eq!((pair.conn(end).in_flight(), pair.conn(end).serving()), (1, 1));
    }
    for end in [LEFT, RIGHT] {
        assert!(pair.reply(end, id(0, 0), &[10 + end as u8]));
        assert!(!pair.reply(end, id(0, 0), b"twice"), "it was not open any more");
    }
    pair.shuttle();
    for end in [LEFT, RIGHT] {
        assert_eq!(pair.only(end), Seen::Ok(id(0, 0), vec![10 + other(end) as u8]));
        assert!(!pair.conn(end).is_idle(), "the waiter has not taken it");
        pair.conn(end).forget(id(0, 0));
    }
    assert_over(&mut pair);
}

#[test]
fn every_outcome_arrives_as_it_was_sent() {
    let check = |outcome: Outcome<'_>, want: Seen| {
        let mut pair = Pair::new();
        let call = pair.call(LEFT, b"");
        pair.shuttle();
        pair.take_seen(RIGHT);
        assert!(pair.reply_as(RIGHT, call, &outcome));
        pair.shuttle();
        assert_eq!(pair.only(LEFT), want);
        pair.conn(LEFT).forget(call);
        assert_over(&mut pair);
    };
    let call = id(0, 0);
    check(Outcome::Ok(b""), Seen::Ok(call, vec![]));
    check(Outcome::Ok(b"value"), Seen::Ok(call, b"value".to_vec()));
    check(Outcome::App(b"error"), Seen::App(call, b"error".to_vec()));
    let error = Error::of(ErrorKind::Panicked, "text").executed_as(Executed::Yes);
    check(Outcome::Rpc(error), Seen::Failed(call, ErrorKind::Panicked, Executed::Yes));
    check(Outcome::Cancelled, Seen::Failed(call, ErrorKind::Cancelled, Executed::Maybe));
}

#[test]
fn what_a_header_says_arrives() {
    let mut pair = Pair::new();
    let full = CallHeader {
        call: None,
        target: Target::Export(ObjectId::ROOT),
        method: MethodId::of("method"),
        remaining: Some(1500),
        chain: Some(3),
        trace: Some(&[4; 25]),
        metadata: b"metadata",
        references: References::default(),
        payloads: Table::default(),
    };
    let mut frame = Vec::new();
    pair.conn(LEFT).send(&full, &mut frame);
    frame.extend_from_slice(b"arguments");
    let now = pair.now + SECOND;
    let event = pair.conn(RIGHT).handle_frame(now, &frame);
    let Ok(crate::conn::Event::Call(object, call)) = event else { panic!("{event:?}") };
    assert_eq!((call.call, object, call.target), (None, ROOT, full.target));
    assert_eq!(
        (call.method, call.chain, call.trace),
        (full.method, Some(3), Some(Box::new([4; 25])))
    );
    assert_eq!(call.deadline, Some(now + Duration::from_millis(1500)), "from its receipt on");
    assert_eq!(&frame[call.metadata], b"metadata");
    assert_eq!(&frame[call.arguments.values.start..], b"arguments");
    assert_over(&mut pair);
}

/// Entries of four bytes: as many as the limits allow are a call, and one more is a breach.
#[test]
fn metadata_has_a_bound() {
    let check = |limits: Limits, most: usize| {
        for (entries, passes) in [(most, true), (most + 1, false)] {
            let mut pair = Pair::with(limits.clone());
            let call = pair.conn(LEFT).reserve(None);
            let metadata = b"\x01k\x01v".repeat(entries);
            pair.send_call(LEFT, &CallHeader { metadata: &metadata, ..header(Some(call)) }, b"");
            pair.shuttle();
            let want = match passes {
                true => Seen::Call(Some(call), ROOT, Vec::new()),
                false => Seen::Breach(
                    "the peer sent more metadata with a call than the limits allow".to_owned(),
                ),
            };
            assert_eq!(pair.only(RIGHT), want, "{entries} entries");
        }
    };
    check(Limits::default(), 32);
    check(Limits { metadata_entries: 3, ..Limits::default() }, 3);
    check(Limits { metadata_bytes: 20, ..Limits::default() }, 5);
}

#[test]
fn credit_is_what_the_peer_serves_at_a_time() {
    let mut pair = Pair::with(Limits { serving: 3, ..Limits::default() });
    let calls = [0, 1, 2].map(|n| pair.call(LEFT, &[n]));
    assert!(!pair.conn(LEFT).can_send());
    pair.shuttle();
    assert!(!pair.conn(LEFT).can_send());
    assert!(pair.conn(RIGHT).can_send(), "the other direction has credit of its own");
    // Going away gives no credit back: the peer still works on it. Its return does.
    pair.conn(LEFT).forget(calls[0]);
    pair.shuttle();
    assert!(!pair.conn(LEFT).can_send());
    assert!(pair.reply(RIGHT, calls[0], b""));
    assert!(!pair.conn(LEFT).can_send());
    pair.shuttle();
    assert!(pair.conn(LEFT).can_send());
    pair.call(LEFT, b"");
    assert!(!pair.conn(LEFT).can_send());
}

/// Those that it makes while it serves some itself wait for nobody, up to a bound of their own.
#[test]
fn calls_that_are_made_while_serving_have_credit_of_their_own() {
    const MOST: usize = 1 + 255;
    let mut pair = Pair::with(Limits { serving: 1, ..Limits::default() });
    for number in 0..=MOST {
        assert_eq!(pair.conn(LEFT).can_send(), number == 0);
        assert_eq!(pair.conn(LEFT).can_send_nested(), number < MOST);
        let call = pair.conn(LEFT).reserve(None);
        let chain = Some(0x100 + number.min(1) as u64);
        // Beyond the bound, too.
        let mut frame = Vec::new();
        pair.conn(LEFT).send(&CallHeader { chain, ..header(Some(call)) }, &mut frame);
        pair.send_bytes(LEFT, frame);
        pair.shuttle();
        match number {
            MOST => {
                let refused = Seen::Failed(call, ErrorKind::Overloaded, Executed::No);
                assert_eq!(pair.only(LEFT), refused);
            }
            _ => assert_eq!(pair.only(RIGHT), Seen::Call(Some(call), ROOT, Vec::new())),
        }
    }
}

#[test]
fn one_way_calls_need_no_credit_and_leave_no_trace() {
    let mut pair = Pair::with(Limits { serving: 1, ..Limits::default() });
    for _ in 0..3 {
        pair.send_call(LEFT, &header(None), b"!");
    }
    pair.shuttle();
    assert_eq!(pair.take_seen(RIGHT), vec![Seen::Call(None, ROOT, b"!".to_vec()); 3]);
    assert_over(&mut pair);
}

#[test]
fn going_before_sending_tells_nobody() {
    let mut pair = Pair::new();
    let call = pair.conn(LEFT).reserve(None);
    assert!(!pair.conn(LEFT).is_idle());
    pair.conn(LEFT).forget(call);
    pair.conn(LEFT).forget(call);
    assert!(!pair.conn(LEFT).poll_transmit(&mut Vec::new()));
    assert_over(&mut pair);
}

#[test]
fn going_after_sending_cancels_and_the_late_return_is_discarded() {
    let mut pair = Pair::new();
    let call = pair.call(LEFT, b"");
    pair.conn(LEFT).forget(call);
    pair.conn(LEFT).forget(call);
    pair.shuttle();
    let want = [Seen::Call(Some(call), ROOT, vec![]), Seen::Cancel(call)];
    assert_eq!(pair.take_seen(RIGHT), want, "one Finish, and only one");
    assert!(pair.conn(RIGHT).is_cancelled(call));
    assert_eq!(pair.conn(RIGHT).cancelled(), 1);
    // The number stays busy until the return.
    assert_eq!(pair.conn(LEFT).reserve(None), id(1, 0));
    pair.conn(LEFT).forget(id(1, 0));
    assert_eq!(pair.conn(LEFT).in_flight(), 1);
    assert!(pair.reply(RIGHT, call, b"late"));
    pair.shuttle();
    assert_over(&mut pair);
}

#[test]
fn going_with_the_result_on_its_way() {
    let mut pair = Pair::new();
    let call = pair.call(LEFT, b"");
    pair.shuttle();
    assert!(pair.reply(RIGHT, call, b"crossing"));
    pair.conn(LEFT).forget(call);
    pair.shuttle();
    assert_eq!(pair.only(RIGHT), Seen::Call(Some(call), ROOT, vec![]), "the Finish is no news");
    assert_over(&mut pair);
}

#[test]
fn a_number_used_again_has_the_next_generation() {
    let mut pair = Pair::new();
    // Until they begin again; Miri would take hours for so many.
    let all = if cfg!(miri) { 0..=50 } else { 0..=u16::MAX };
    let again = if cfg!(miri) { 0..0 } else { 0..3 };
    for generation in all.chain(again) {
        let call = pair.call(LEFT, b"");
        assert_eq!(call, id(0, generation));
        pair.shuttle();
        assert_eq!(pair.only(RIGHT), Seen::Call(Some(call), ROOT, vec![]));
        assert!(!pair.reply(RIGHT, id(0, generation.wrapping_sub(1)), b"stale"));
        assert!(pair.reply(RIGHT, call, b""));
        pair.shuttle();
        assert_eq!(pair.only(LEFT), Seen::Ok(call, vec![]));
        pair.conn(LEFT).forget(call);
    }
    assert_over(&mut pair);
}

#[test]
fn a_call_that_is_held_expires_unsent() {
    let mut pair = Pair::on_one_host();
    let now = pair.now;
    let call = pair.conn(LEFT).reserve(Some(now + SECOND));
    assert_eq!(pair.timer(LEFT), Some(SECOND));
    assert_eq!(pair.conn(LEFT).poll_expired(now), None);
    assert_eq!(pair.conn(LEFT).poll_expiry(), Some(now + SECOND));
    let expired = pair.conn(LEFT).poll_expired(now + SECOND);
    assert_eq!(expired, Some(Unsent { call, executed: Executed::No }));
    assert_eq!(pair.conn(LEFT).poll_expired(now + SECOND), None);
    assert_eq!(pair.timer(LEFT), None);
    assert!(!pair.conn(LEFT).poll_transmit(&mut Vec::new()), "the peer knows nothing of it");
    pair.conn(LEFT).forget(call);
    assert_over(&mut pair);
}

#[test]
fn a_call_that_is_out_expires_and_is_cancelled() {
    let mut pair = Pair::new();
    let now = pair.now;
    let call = pair.conn(LEFT).reserve(Some(now + SECOND));
    pair.send_call(LEFT, &header(Some(call)), b"");
    pair.advance(SECOND);
    let expired = pair.conn(LEFT).poll_expired(now + SECOND);
    assert_eq!(expired, Some(Unsent { call, executed: Executed::Maybe }));
    assert!(!pair.conn(LEFT).resolve(call), "it has its result");
    pair.conn(LEFT).forget(call);
    let mut finish = Vec::new();
    assert!(pair.conn(LEFT).poll_transmit(&mut finish));
    assert!(!pair.conn(LEFT).poll_transmit(&mut Vec::new()), "the peer is told once");
    pair.send_bytes(LEFT, finish);
    pair.shuttle();
    let want = [Seen::Call(Some(call), ROOT, vec![]), Seen::Cancel(call)];
    assert_eq!(pair.take_seen(RIGHT), want);
    assert!(pair.reply(RIGHT, call, b"late"));
    pair.shuttle();
    assert_over(&mut pair);
}

#[test]
fn deadlines_expire_in_their_own_time() {
    let mut pair = Pair::on_one_host();
    let now = pair.now;
    let seconds = [3_u32, 1, 2, 1];
    let calls = seconds.map(|n| pair.conn(LEFT).reserve(Some(now + SECOND * n)));
    pair.conn(LEFT).forget(calls[2]);
    let none = pair.conn(LEFT).reserve(None);
    let mut expired = Vec::new();
    while let Some(wait) = pair.timer(LEFT) {
        pair.advance(wait);
        let at = pair.now;
        while let Some(Unsent { call, .. }) = pair.conn(LEFT).poll_expired(at) {
            expired.push((call, at - now));
        }
    }
    let want = [(calls[1], SECOND), (calls[3], SECOND), (calls[0], SECOND * 3)];
    assert_eq!(expired, want);
    for call in [calls[0], calls[1], calls[3], none] {
        pair.conn(LEFT).forget(call);
    }
    assert_over(&mut pair);
}

#[test]
fn a_result_in_time_stops_the_clock() {
    let mut pair = Pair::on_one_host();
    let now = pair.now;
    let call = pair.conn(LEFT).reserve(Some(now + SECOND));
    pair.send_call(LEFT, &header(Some(call)), b"");
    pair.shuttle();
    pair.take_seen(RIGHT);
    assert!(pair.reply(RIGHT, call, b""));
    pair.shuttle();
    assert_eq!(pair.only(LEFT), Seen::Ok(call, vec![]));
    assert_eq!(pair.conn(LEFT).poll_expired(now + SECOND), None);
    assert_eq!(pair.timer(LEFT), None);
    pair.conn(LEFT).forget(call);
    assert_over(&mut pair);
}
