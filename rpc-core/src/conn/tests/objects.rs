//! Objects lent and borrowed: the rules R1 to R5 of counting.

use crate::{
    conn::pair::{LEFT, Pair, RIGHT, ROOT, Seen, releasing},
    error::ErrorKind,
    id::ObjectId,
    limits::Limits,
};

const fn id(slot: u32, generation: u16) -> ObjectId {
    ObjectId { slot, generation }
}

#[test]
fn the_same_object_is_lent_once_and_counted() {
    let mut pair = Pair::new();
    let lend = |pair: &mut Pair, key, object| pair.conn(LEFT).lend(key, object);
    assert_eq!(lend(&mut pair, 7, 70), id(1, 0));
    assert_eq!(lend(&mut pair, 8, 80), id(2, 0));
    assert_eq!(lend(&mut pair, 7, 70), id(1, 0));
    assert_eq!(pair.conn(LEFT).objects(), (2, 0), "the root is not counted");
    assert_eq!(pair.conn(LEFT).export(id(1, 0)), Some(&70));
    assert_eq!(pair.conn(LEFT).export(ObjectId::ROOT), Some(&ROOT));
    for wrong in [id(1, 1), id(3, 0), id(u32::MAX, 0)] {
        assert_eq!(pair.conn(LEFT).export(wrong), None);
    }
    for object in [id(1, 0), id(2, 0), id(1, 0)] {
        pair.conn(RIGHT).borrow_object(object).unwrap();
    }
    assert_eq!(pair.conn(RIGHT).objects(), (0, 2));
    pair.release(RIGHT, id(1, 0));
    pair.release(RIGHT, id(1, 0));
    pair.release(RIGHT, id(2, 1));
    assert_eq!(pair.conn(RIGHT).objects(), (0, 1));
    pair.shuttle();
    assert_eq!(pair.only(LEFT), Seen::Released(vec![70]));
    assert_eq!(pair.conn(LEFT).export(id(1, 0)), None);
    pair.release(RIGHT, id(2, 0));
    pair.shuttle();
    assert_eq!(pair.only(LEFT), Seen::Released(vec![80]));
    assert_eq!((pair.conn(LEFT).objects(), pair.conn(RIGHT).objects()), ((0, 0), (0, 0)));
    // Numbers are used again, with the next generation.
    assert_eq!(lend(&mut pair, 7, 70), id(2, 1));
    assert_eq!(lend(&mut pair, 9, 90), id(1, 1));
}

/// R5: a descriptor and a release that cross. Whichever is seen first, the object lives until both are settled.
#[test]
fn a_release_that_crosses_a_descriptor() {
    for descriptor_first in [false, true] {
        let mut pair = Pair::new();
        let object = pair.conn(LEFT).lend(7, 70);
        pair.conn(RIGHT).borrow_object(object).unwrap();
        // The last handle goes while the object is lent again.
        pair.release(RIGHT, object);
        let again = pair.conn(LEFT).lend(7, 70);
        assert_eq!(again, object);
        if descriptor_first {
            pair.conn(RIGHT).borrow_object(again).unwrap();
            pair.shuttle();
        } else {
            pair.shuttle();
            pair.conn(RIGHT).borrow_object(again).unwrap();
        }
        assert_eq!(pair.take_seen(LEFT), [], "one reference is left");
        assert_eq!(pair.conn(LEFT).export(object), Some(&70));
        pair.release(RIGHT, object);
        pair.shuttle();
        assert_eq!(pair.only(LEFT), Seen::Released(vec![70]));
        assert_eq!((pair.conn(LEFT).objects(), pair.conn(RIGHT).objects()), ((0, 0), (0, 0)));
    }
}

#[test]
fn giving_back_more_than_was_lent_is_a_breach() {
    let check = |lent: u32, object: ObjectId, count: u32| {
        let mut pair = Pair::new();
        for _ in 0..lent {
            pair.conn(RIGHT).lend(7, 70);
        }
        pair.send_bytes(LEFT, releasing(object, count));
        pair.shuttle();
        let want = format!("the peer gave back more of {object} than it has");
        assert_eq!(pair.only(RIGHT), Seen::Breach(want));
        assert_eq!(pair.only(LEFT), Seen::Aborted(ErrorKind::Protocol));
    };
    check(1, id(1, 0), 2);
    check(3, id(1, 0), u32::MAX);
    check(1, id(1, 1), 1);
    check(1, id(2, 0), 1);
    check(0, id(1, 0), 1);
    check(0, id(u32::MAX, u16::MAX), 1);
    check(0, ObjectId::ROOT, 1);
}

#[test]
fn given_back_twice_is_a_breach() {
    let mut pair = Pair::new();
    let object = pair.conn(RIGHT).lend(7, 70);
    pair.send_bytes(LEFT, releasing(object, 1));
    pair.send_bytes(LEFT, releasing(object, 1));
    pair.deliver(RIGHT);
    assert_eq!(pair.only(RIGHT), Seen::Released(vec![70]));
    pair.deliver(RIGHT);
    assert!(matches!(pair.only(RIGHT), Seen::Breach(_)));
}

#[test]
fn one_object_beyond_the_limit_is_refused() {
    let mut pair = Pair::with(Limits { objects: 2, ..Limits::default() });
    let first = pair.conn(LEFT).lend(1, 10);
    pair.conn(LEFT).lend(2, 20);
    assert!(pair.conn(LEFT).can_lend(0) && !pair.conn(LEFT).can_lend(1));
    assert_eq!(pair.conn(LEFT).lend(1, 10), first, "what is lent already takes no more room");
    pair.send_bytes(RIGHT, releasing(first, 2));
    pair.shuttle();
    assert_eq!(pair.only(LEFT), Seen::Released(vec![10]));
    assert!(pair.conn(LEFT).can_lend(1));
    assert_eq!(pair.conn(LEFT).lend(3, 30), id(1, 1));
}

#[test]
fn a_connection_that_ends_gives_everything_back_once() {
    let mut pair = Pair::new();
    for key in [1, 2, 1, 3] {
        pair.conn(LEFT).lend(key, key as u32 * 10);
    }
    pair.send_bytes(RIGHT, releasing(id(2, 0), 1));
    pair.shuttle();
    assert_eq!(pair.only(LEFT), Seen::Released(vec![20]));
    let mut dropped = pair.conn(LEFT).close();
    dropped.sort_unstable();
    assert_eq!(dropped, [10, 30, ROOT]);
    assert_eq!(pair.conn(LEFT).close(), []);
    assert_eq!(pair.conn(LEFT).objects(), (0, 0));
}
