//! Blocks that are lent: nothing is copied, nothing is lost, and whoever lies about one is found out.

use super::*;
use crate::shm::ring::{Readable, Writable};
use farcall_core::{
    payload::{Loan, Payload},
    transport::Purpose,
};
use std::io::ErrorKind;

fn loan(side: &Side, length: usize) -> Loan {
    side.wire.tx.loan(length, Purpose::Loan).expect("there is room")
}

fn filled(side: &Side, length: usize, byte: u8) -> Payload {
    let mut loan = loan(side, length);
    loan.fill(byte);
    loan.into()
}

fn lend(side: &Side, payloads: &[Payload]) -> io::Result<()> {
    for (at, payload) in payloads.iter().enumerate() {
        assert!(side.wire.tx.carries(payload, at), "{payload:?}");
    }
    side.wire.tx.append_with(&[b"frame"], None, payloads.to_vec())?;
    side.wire.tx.flush().map(drop)
}

/// The payloads that came with the next frame.
fn borrow(side: &mut Side) -> io::Result<Vec<Payload>> {
    let mut frame = Buffer::new();
    match side.wire.rx.recv(&mut frame)? {
        Received::Frame => Ok(side.wire.rx.payloads()),
        other => panic!("{other:?}"),
    }
}

fn is_own(payload: &Payload) -> bool {
    payload.try_as_slice().is_some()
}

#[test]
fn a_block_is_read_where_it_lies() {
    run(async {
        let (left, mut right) = sides();
        let own = filled(&left, 100_000, 1);
        lend(&left, std::slice::from_ref(&own)).expect("it is open");
        let [borrowed] = &borrow(&mut right).expect("valid")[..] else { panic!("not one") };
        assert_eq!((borrowed.len(), borrowed.to_vec()), (100_000, vec![1; 100_000]));
        assert_eq!(borrowed.try_as_slice(), None, "the peer could write it");
        // What its owner may do at any time, it is seen: there was no copy.
        let offset = 0x2000 + (512 << 10);
        left.segment.write(offset, &[2; 64]);
        let mut first = [0; 65];
        borrowed.copy_to(0, &mut first);
        assert_eq!((first[63], first[64]), (2, 1));
    });
}

#[test]
fn blocks_come_back_and_none_is_lost() {
    run(async {
        let (mut left, mut right) = sides();
        for number in 0..5000_u32 {
            let length = 1024 + (number as usize * 7919) % 300_000;
            let own = filled(&left, length, number as u8);
            lend(&left, &[own.clone(), own]).expect("it is open");
            let both = borrow(&mut right).expect("valid");
            assert_eq!(both[1].to_vec(), vec![number as u8; length]);
            if number % 3 == 0 {
                // One goes home, and is the block itself again; a clone of the other keeps it from that.
                let [home, other] = <[Payload; 2]>::try_from(both).expect("two");
                let clone = other.clone();
                assert!(!right.wire.tx.carries(&other, 1));
                right.wire.tx.append_with(&[b"home"], None, vec![home]).expect("it is open");
                assert_eq!(right.wire.tx.flush().expect("it is open"), Flush::Done);
                let back = borrow(&mut left).expect("valid");
                assert!(is_own(&back[0]) && back[0].len() == length);
                drop((other, clone));
            }
        }
        assert_eq!(left.end.lender.used(), 0);
    });
}

#[test]
fn a_block_that_is_kept_is_not_used_again() {
    run(async {
        let (left, mut right) = sides();
        lend(&left, &[filled(&left, 8192, 1)]).expect("it is open");
        let kept = borrow(&mut right).expect("valid");
        let clone = kept[0].clone();
        drop(kept);
        for _ in 0..100 {
            lend(&left, &[filled(&left, 8192, 2)]).expect("it is open");
            drop(borrow(&mut right).expect("valid"));
        }
        assert_eq!(left.end.lender.used(), 2);
        drop((left, right));
        assert_eq!(clone.to_vec(), vec![1; 8192], "without either side");
    });
}

#[test]
fn where_there_is_no_room_there_is_no_loan() {
    run(async {
        let (left, _right) = sides();
        let tx = &left.wire.tx;
        assert!(tx.loan(1000, Purpose::Loan).is_none(), "not worth a page");
        assert!(tx.loan((64 << 20) + 1, Purpose::Loan).is_none());
        let all = loan(&left, 64 << 20);
        assert_eq!(all.len(), 64 << 20);
        assert!(tx.loan(4096, Purpose::Loan).is_none());
        drop(all);
        let half = loan(&left, (32 << 20) + 1);
        assert!(tx.loan(4096, Purpose::Copy).is_none(), "copies leave half of it to loans");
        drop(half);
        assert!(tx.loan(4096, Purpose::Copy).is_some());
        let many: Vec<_> = (0..1024).map(|_| loan(&left, 1024)).collect();
        assert!(tx.loan(1024, Purpose::Loan).is_none(), "one more than the limit");
        drop(many);
        drop(loan(&left, 1024));
        tx.close();
        assert!(tx.loan(4096, Purpose::Loan).is_none(), "the wire is closed");
    });
}

#[test]
fn no_more_is_lent_than_can_come_back() {
    run(async {
        let (left, mut right) = sides();
        let own = filled(&left, 4096, 3);
        let mut kept = Vec::new();
        for _ in 0..1024 / 64 {
            lend(&left, &vec![own.clone(); 64]).expect("it is open");
            kept.extend(borrow(&mut right).expect("valid"));
        }
        assert!(!left.wire.tx.carries(&own, 0), "1024 are lent");
        let refused = left.wire.tx.append_with(&[b"one more"], None, vec![own.clone()]);
        assert_eq!(refused.expect_err("nobody asked").kind(), ErrorKind::InvalidInput);
        kept.truncate(1000);
        assert!(left.wire.tx.carries(&own, 23));
        assert!(!left.wire.tx.carries(&own, 24));
        drop(kept);
        assert!(left.wire.tx.carries(&own, 1023));
    });
}

#[test]
fn only_what_is_of_the_wire_travels_beside_a_frame() {
    run(async {
        let ((left, _), (other, _)) = (sides(), sides());
        for payload in [Payload::from(vec![1; 5000]), filled(&other, 5000, 1), Payload::new()] {
            assert!(!left.wire.tx.carries(&payload, 0));
            assert!(left.wire.tx.append_with(&[b"frame"], None, vec![payload]).is_err());
        }
    });
}

#[test]
fn blocks_go_with_frames_of_every_size() {
    run(async {
        let (left, mut right) = sides();
        for length in [1, 100, 15 << 10, 32 << 10, 33_000, 200_000] {
            for count in [1, 7, 64] {
                let payloads: Vec<_> = (0..count).map(|at| filled(&left, 2000, at)).collect();
                let frame = vec![9; length];
                left.wire.tx.append_with(&[&frame], None, payloads).expect("it is open");
                assert_eq!(left.wire.tx.flush().expect("it is open"), Flush::Done);
                let mut found = Buffer::new();
                assert_eq!(right.wire.rx.recv(&mut found).expect("valid"), Received::Frame);
                assert!(*found == frame, "{length}");
                let beside = right.wire.rx.payloads();
                let bytes: Vec<_> = beside.iter().map(|payload| payload.to_vec()[1999]).collect();
                assert_eq!(bytes, (0..count).collect::<Vec<_>>());
            }
        }
        assert_eq!(left.end.lender.used(), 0);
    });
}

#[test]
fn what_nobody_asks_for_goes_back() {
    run(async {
        let (left, mut right) = sides();
        lend(&left, &[filled(&left, 4096, 1)]).expect("it is open");
        let mut frame = Buffer::new();
        assert_eq!(right.wire.rx.recv(&mut frame).expect("valid"), Received::Frame);
        assert_eq!(right.wire.rx.recv(&mut frame).expect("valid"), Received::Empty);
        assert_eq!(left.end.lender.used(), 0);
    });
}

/// Bytes of memory behind a side's segment.
fn resident(side: &Side) -> usize {
    let memory = side.segment.memory().expect("it is its own");
    usize::try_from(rustix::fs::fstat(memory).expect("it is open").st_blocks).expect("a size") * 512
}

#[test]
fn an_arena_has_memory_only_where_it_is_used() {
    run(async {
        let (left, _right) = sides();
        assert!(resident(&left) <= 64 << 10);
        drop(loan(&left, 4096));
        assert!(resident(&left) <= (64 << 10) + (1 << 20));
        for _ in 0..100 {
            drop(loan(&left, 900_000));
        }
        assert!(resident(&left) <= (64 << 10) + (1 << 20));
        drop(loan(&left, 3 << 20));
        assert!(resident(&left) <= (64 << 10) + (3 << 20));
    });
}

/// The descriptor of the first record.
const DESCRIPTOR: usize = 0x2010;

#[test]
fn a_descriptor_may_say_anything() {
    run(async {
        let mut refused = 0;
        for place in [0, 4] {
            for value in
                [0, 1, 2, 4095, 4096, 16_383, 16_384, 64 << 20, 1 << 31, (1 << 31) + 1, u32::MAX]
            {
                let (hostile, mut victim) = sides();
                let own = filled(&hostile, 5000, 1);
                hostile.wire.tx.append_with(&[b"frame"], None, vec![own]).expect("it is open");
                hostile.segment.store(DESCRIPTOR + place, value);
                match borrow(&mut victim) {
                    Ok(payloads) => payloads.iter().for_each(|payload| drop(payload.to_vec())),
                    Err(error) => {
                        assert_eq!(error.kind(), ErrorKind::InvalidData, "{error}");
                        assert!(error.to_string().contains("lent memory"), "{error}");
                        refused += 1;
                    }
                }
            }
        }
        assert!(refused >= 10, "{refused}");
    });
}

#[test]
fn a_record_may_say_any_number_of_descriptors() {
    run(async {
        for (count, valid) in
            [(0, true), (1, true), (2, false), (64, false), (65, false), (1 << 23, false)]
        {
            let (hostile, mut victim) = sides();
            let own = filled(&hostile, 5000, 1);
            hostile.wire.tx.append_with(&[&[0; 100]], None, vec![own]).expect("it is open");
            hostile.segment.store(0x2008, 1 + count * 256);
            let found = borrow(&mut victim);
            assert_eq!(found.is_ok(), valid, "{count}: {found:?}");
        }
    });
}

/// What a lender says of a borrower that has given back these numbers, with one block lent once.
fn gives_back(numbers: &[u32], tail: u32) -> io::Error {
    let (victim, mut hostile) = sides();
    lend(&victim, &[filled(&victim, 4096, 1)]).expect("it is open");
    let _kept = borrow(&mut hostile).expect("valid");
    for (at, number) in numbers.iter().enumerate() {
        hostile.segment.store(0x1000 + at * 4, *number);
    }
    hostile.segment.publish(0x580, tail);
    assert!(victim.wire.tx.loan(4096, Purpose::Loan).is_none());
    victim.wire.tx.append(&[b"frame"], None).expect_err("the wire is broken")
}

#[test]
fn what_was_not_lent_cannot_be_given_back() {
    run(async {
        for (numbers, tail) in [
            (&[1][..], 1),
            (&[u32::MAX], 1),
            (&[1 << 31], 1),
            (&[0, 0], 2),
            (&[], 1025),
            (&[], u32::MAX),
            (&[], 1 << 31),
        ] {
            let error = gives_back(numbers, tail);
            assert_eq!(error.kind(), ErrorKind::InvalidData, "{numbers:?} {tail}: {error}");
            assert!(error.to_string().contains("the peer broke the rules"), "{error}");
        }
    });
}

#[test]
fn a_block_is_given_back_once_for_each_lend() {
    run(async {
        let (victim, mut hostile) = sides();
        let own = filled(&victim, 4096, 1);
        lend(&victim, &[own.clone(), own.clone()]).expect("it is open");
        let kept = borrow(&mut hostile).expect("valid");
        hostile.segment.store(0x1000, 0);
        hostile.segment.store(0x1004, 0);
        hostile.segment.publish(0x580, 2);
        assert!(victim.wire.tx.loan(4096, Purpose::Loan).is_some(), "both lends are over");
        drop(kept);
        hostile.segment.publish(0x580, 3);
        assert!(victim.wire.tx.loan(4096, Purpose::Loan).is_none());
    });
}

#[test]
fn a_block_that_is_not_lent_cannot_come_home() {
    run(async {
        for (block, length, text) in [
            (1_u32 << 31, 4095_u32, "another length"),
            ((1 << 31) + 1, 4096, "was not lent"),
            (u32::MAX, 4096, "was not lent"),
        ] {
            let (mut victim, mut hostile) = sides();
            lend(&victim, &[filled(&victim, 4096, 1)]).expect("it is open");
            let kept = borrow(&mut hostile).expect("valid");
            hostile.wire.tx.append_with(&[b"home"], None, kept).expect("it is open");
            hostile.segment.store(DESCRIPTOR, block);
            hostile.segment.store(DESCRIPTOR + 4, length);
            let error = borrow(&mut victim).expect_err(text);
            assert!(error.to_string().contains(text), "{error}");
        }
        let (mut victim, mut hostile) = sides();
        lend(&victim, &[filled(&victim, 4096, 1)]).expect("it is open");
        let kept = borrow(&mut hostile).expect("valid");
        hostile.segment.publish(0x580, 1);
        assert!(victim.wire.tx.loan(4096, Purpose::Loan).is_some(), "it was given back");
        hostile.wire.tx.append_with(&[b"and home"], None, kept).expect("it is open");
        assert!(borrow(&mut victim).is_err(), "twice");
    });
}

#[test]
fn a_peer_that_lends_without_end_is_refused() {
    run(async {
        let (hostile, mut victim) = sides();
        let mut kept = Vec::new();
        let own = filled(&hostile, 4096, 1);
        for _ in 0..1024 / 64 {
            lend(&hostile, &vec![own.clone(); 64]).expect("it is open");
            kept.extend(borrow(&mut victim).expect("valid"));
        }
        // It says that it got everything back, and lends one more.
        (0..1024).for_each(|at| victim.segment.store(0x1000 + at * 4, 0));
        victim.segment.publish(0x580, 1024);
        lend(&hostile, &[own]).expect("it is open");
        let error = borrow(&mut victim).expect_err("one more than the limit");
        assert!(error.to_string().contains("more blocks than it may"), "{error}");
    });
}

#[test]
fn a_block_that_changes_while_it_is_read_is_some_bytes() {
    run(async {
        let (hostile, mut victim) = sides();
        lend(&hostile, &[filled(&hostile, 1 << 20, 1)]).expect("it is open");
        let payload = borrow(&mut victim).expect("valid").remove(0);
        let (segment, over) = (hostile.segment.clone(), std::sync::atomic::AtomicBool::new(false));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let offset = 0x2000 + (512 << 10);
                let mut byte = 0_u8;
                while !over.load(std::sync::atomic::Ordering::Relaxed) {
                    byte = byte.wrapping_add(1);
                    segment.write(offset, &[byte; 4096]);
                }
            });
            for _ in 0..100 {
                assert_eq!(payload.to_vec().len(), 1 << 20);
                let mut count = 0;
                payload.for_each_chunk(|chunk| count += chunk.len());
                assert_eq!(count, 1 << 20);
            }
            over.store(true, std::sync::atomic::Ordering::Relaxed);
        });
        assert!(payload.block().expect("it is borrowed").is_borrowed());
        assert_eq!(victim.segment.load(0x580), 0);
        drop(payload);
        assert_eq!(victim.segment.load(0x580), 1);
    });
}
