//! What a wire costs: no ring while the peer is awake, one per sleep, and little memory where little is sent.

use super::*;
use crate::shm::doorbell::Doorbell;
use farcall_core::transport::Interest;
use rustix::{fs::fstat, io::read};
use std::{
    task::{Context, Waker},
    thread,
};

/// How often a doorbell was rung since it was last asked.
fn rings(doorbell: &Doorbell) -> u64 {
    let mut count = [0; 8];
    read(doorbell, &mut count).map_or(0, |_| u64::from_ne_bytes(count))
}

/// Sends one frame each way, without ever sleeping.
fn there_and_back(left: &mut Side, right: &mut Side, length: usize) {
    for _ in 0..2 {
        left.wire.tx.append(&[&vec![1; length]], None).expect("it is open");
        assert_eq!(left.wire.tx.flush().expect("it is open"), Flush::Done);
        let mut frame = Buffer::new();
        assert_eq!(right.wire.rx.recv(&mut frame).expect("valid"), Received::Frame);
        assert_eq!(frame.len(), length);
        assert_eq!(right.wire.rx.recv(&mut frame).expect("valid"), Received::Empty);
        std::mem::swap(left, right);
    }
}

/// After records that came one by one, the receiver says that there is none without a look.
#[test]
fn a_record_that_a_guess_has_missed_is_found_by_who_looks_and_by_who_sleeps() {
    run(async {
        let (mut left, mut right) = sides();
        for _ in 0..3 {
            there_and_back(&mut left, &mut right, 10);
        }
        let (mut frame, mut guesses) = (Buffer::new(), 0);
        for last in [&b"first"[..], b"second", b"third"] {
            left.wire.tx.append(&[b"expected"], None).expect("it is open");
            left.wire.tx.append(&[last], None).expect("it is open");
            assert_eq!(right.wire.rx.recv(&mut frame).expect("valid"), Received::Frame);
            let mut again = right.wire.rx.recv(&mut frame).expect("valid");
            if again == Received::Empty {
                guesses += 1;
                let cx = &mut Context::from_waker(Waker::noop());
                assert!(right.wire.ready.poll_readable(cx).is_ready(), "it would sleep");
                right.wire.ready.wait(Interest::Read, None);
                again = right.wire.rx.recv(&mut frame).expect("valid");
            }
            assert_eq!((again, &frame[..]), (Received::Frame, last));
            assert_eq!(right.wire.rx.recv(&mut frame).expect("valid"), Received::Empty);
            there_and_back(&mut left, &mut right, 10);
        }
        assert!(guesses > 0, "each record was looked for");
    });
}

#[test]
fn nobody_is_rung_for_while_awake() {
    run(async {
        let (mut left, mut right) = sides();
        for side in [&left, &right] {
            side.wire.ready.disarm();
        }
        for number in 0..10_000 {
            there_and_back(&mut left, &mut right, 1 + number % 500);
        }
        for side in [&left, &right] {
            assert_eq!((rings(&side.end.ours.task), rings(&side.end.ours.thread)), (0, 0));
        }
    });
}

/// What is given away as it is appended needs a flush only for who sleeps.
#[test]
fn at_once_is_for_those_who_are_awake() {
    run(async {
        let (left, mut right) = sides();
        let cx = &mut Context::from_waker(Waker::noop());
        let mut frame = Buffer::new();
        for _ in 0..10 {
            right.wire.ready.disarm();
            left.wire.tx.append(&[b"before"], None).expect("it is open");
            left.wire.tx.append_now(&[b"awake"], None).expect("it is open");
            assert_eq!(left.wire.tx.queued(), 0);
            while right.wire.rx.recv(&mut frame).expect("valid") == Received::Frame {}
            right.wire.ready.arm();
            assert!(right.wire.ready.poll_readable(cx).is_pending());
            left.wire.tx.append_now(&[b"asleep"], None).expect("it is open");
            assert!(left.wire.tx.queued() > 0);
            assert_eq!(rings(&right.end.ours.task), 0);
            assert_eq!(left.wire.tx.flush().expect("it is open"), Flush::Done);
            assert_eq!((left.wire.tx.queued(), rings(&right.end.ours.task)), (0, 1));
            assert_eq!(right.wire.rx.recv(&mut frame).expect("valid"), Received::Frame);
            assert_eq!(&frame[..], b"asleep");
        }
        // Too large for that way.
        left.wire.tx.append_now(&[&[7; 100_000]], None).expect("it is open");
        assert!(left.wire.tx.queued() > 0);
    });
}

#[test]
fn a_task_that_sleeps_is_rung_for_once() {
    run(async {
        let (left, mut right) = sides();
        let cx = &mut Context::from_waker(Waker::noop());
        for _ in 0..10 {
            assert!(right.wire.ready.poll_readable(cx).is_pending());
            for _ in 0..3 {
                send(&left.wire, b"frame").await.expect("it is open");
            }
            assert_eq!((rings(&right.end.ours.task), rings(&right.end.ours.thread)), (1, 0));
            let mut frame = Buffer::new();
            while right.wire.rx.recv(&mut frame).expect("valid") == Received::Frame {}
        }
    });
}

#[test]
fn a_thread_that_sleeps_is_rung_for_and_the_task_is_not() {
    run(async {
        let (left, mut right) = sides();
        right.wire.ready.disarm();
        let cx = &mut Context::from_waker(Waker::noop());
        assert!(right.wire.ready.poll_readable(cx).is_pending());
        thread::scope(|scope| {
            let waiting = scope.spawn(|| {
                let mut frame = Buffer::new();
                while right.wire.rx.recv(&mut frame).expect("valid") != Received::Frame {
                    right.wire.ready.wait(Interest::Read, None);
                }
            });
            left.wire.tx.append(&[b"frame"], None).expect("it is open");
            left.wire.tx.flush().expect("it is open");
            waiting.join().expect("it does not panic");
        });
        assert_eq!(rings(&right.end.ours.task), 0);
    });
}

/// Bytes of memory behind a side's segment.
fn resident(side: &Side) -> usize {
    let memory = side.segment.memory().expect("it is its own");
    usize::try_from(fstat(memory).expect("it is open").st_blocks).expect("a size") * 512
}

#[test]
fn what_carries_little_stays_small() {
    run(async {
        let (mut left, mut right) = sides();
        assert!(resident(&left) <= 64 << 10, "{}", resident(&left));
        for number in 0..50_000 {
            there_and_back(&mut left, &mut right, 1 + number % 5000);
        }
        assert!(resident(&left) <= 64 << 10, "{}", resident(&left));
        let large = vec![1; 4 << 20];
        let (sent, found) = tokio::join!(send(&left.wire, &large), recv(&mut right.wire));
        sent.expect("it is open");
        assert!(found.expect("valid").expect("not the end") == large);
        assert!(resident(&left) <= (512 << 10) + 8192, "{}", resident(&left));
        assert!(resident(&right) <= 64 << 10, "{}", resident(&right));
    });
}
