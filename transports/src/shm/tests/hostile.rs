//! A peer that writes what it likes into its own segment: an error for the wire, and nothing else.

use super::*;
use crate::shm::ring::{Readable, Writable};
use farcall_core::transport::{Interest, Ready};
use std::{
    io::ErrorKind,
    sync::atomic::{AtomicBool, Ordering},
    task::{Context, Waker},
    thread,
};

/// The words that say who sleeps and how far the other ring is consumed, and those of the first records.
fn shared_words() -> impl Iterator<Item = usize> {
    let control = [0x400, 0x404, 0x480, 0x500, 0x504, 0x580];
    let returns = (0x1000..0x1010).step_by(4);
    control.into_iter().chain(returns).chain((0x2000..0x2080).step_by(4))
}

const VALUES: [u32; 9] =
    [0, 1, 2, 0x7fff_ffff, 0x8000_0000, 0x8000_0001, u32::MAX, 0x10_000, 0x1234_5679];

/// A few frames in, whatever there is out, and every way to sleep for no time at all.
fn work(victim: &mut Wire, round: usize) -> io::Result<()> {
    let mut frame = Buffer::new();
    for number in 0..6 {
        let bytes = vec![number as u8; 1 + (round * 7919 + number * 9973) % 40_000];
        victim.tx.append(&[&bytes], None)?;
        victim.tx.flush()?;
        victim.rx.recv(&mut frame)?;
    }
    look(&*victim.ready);
    for _ in 0..100 {
        if victim.rx.recv(&mut frame)? != Received::Frame {
            break;
        }
    }
    Ok(())
}

fn look(ready: &dyn Ready) {
    let cx = &mut Context::from_waker(Waker::noop());
    ready.disarm();
    ready.arm();
    let _ = ready.poll_readable(cx);
    let _ = ready.poll_writable(cx);
    ready.wait(Interest::ReadWrite, Some(Duration::ZERO));
}

/// Whatever the peer did, it is said that it broke the rules.
fn check(done: io::Result<()>) -> bool {
    if let Err(error) = &done {
        assert_eq!(error.kind(), ErrorKind::InvalidData, "{error}");
        assert!(error.to_string().contains("peer"), "{error}");
    }
    done.is_err()
}

#[test]
fn every_shared_word_may_have_any_value() {
    run(async {
        let mut refused = 0;
        for word in shared_words() {
            for value in VALUES {
                let (hostile, mut victim) = sides();
                hostile.wire.tx.append(&[b"honest so far"], None).expect("it is open");
                hostile.segment.publish(word, value);
                let mut failed = false;
                for round in 0..3 {
                    failed |= check(work(&mut victim.wire, round));
                }
                refused += usize::from(failed);
            }
        }
        assert!(refused > 30, "{refused}");
    });
}

#[test]
fn words_that_change_all_the_time_cause_errors_and_nothing_else() {
    run(async {
        let mut refused = 0;
        for seed in 0..200_u32 {
            let (mut hostile, mut victim) = sides();
            let (segment, over) = (hostile.segment.clone(), AtomicBool::new(false));
            let over = &over;
            thread::scope(|scope| {
                scope.spawn(move || scribble(&segment, seed, over));
                let _until_the_end = Over(over);
                for round in 0..20 {
                    let _ = hostile.wire.tx.append(&[&[7; 300]], None);
                    let _ = hostile.wire.tx.flush();
                    let _ = hostile.wire.rx.recv(&mut Buffer::new());
                    if check(work(&mut victim.wire, round)) {
                        refused += 1;
                        break;
                    }
                }
            });
        }
        assert!(refused > 0, "nothing was ever noticed");
    });
}

/// Ends a thread, also when a test fails.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Writes values that are nearly right, wherever somebody looks.
fn scribble(segment: &Ours, seed: u32, over: &AtomicBool) {
    let mut random = 0x9e37_79b9 ^ (seed << 8);
    while !over.load(Ordering::Relaxed) {
        random ^= random << 13;
        random ^= random >> 17;
        random ^= random << 5;
        let word = match random % 3 {
            0 => [0x400, 0x404, 0x480, 0x500, 0x504, 0x580, 0x1000][(random >> 8) as usize % 7],
            _ => 0x2000 + (random >> 8) as usize % 0x4000 / 4 * 4,
        };
        let there = segment.load(word);
        let values = [random, there ^ (1 << (random >> 27)), there.wrapping_add(1), 0x8000_0000];
        segment.publish(word, values[seed as usize % 4]);
        thread::yield_now();
    }
}

#[test]
fn a_peer_that_speaks_on_the_control_socket_is_refused() {
    run(async {
        let (hostile, mut victim) = sides();
        send(&hostile.wire, b"before").await.expect("it is open");
        rustix::io::write(&hostile.end.control, b"hello").expect("it is open");
        assert_eq!(recv(&mut victim.wire).await.expect("valid").as_deref(), Some(&b"before"[..]));
        let error = recv(&mut victim.wire).await.expect_err("it said something");
        assert_eq!(error.kind(), ErrorKind::InvalidData);
        assert!(victim.wire.tx.append(&[b"late"], None).is_err());
    });
}

#[test]
fn a_wire_that_ends_within_a_frame_is_an_error() {
    run(async {
        let (left, mut right) = sides();
        left.wire.tx.append(&[&vec![1; 4 << 20]], None).expect("it is open");
        assert_eq!(left.wire.tx.flush().expect("it is open"), Flush::Blocked);
        drop(left);
        let error = recv(&mut right.wire).await.expect_err("it was cut");
        assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
        assert!(right.wire.rx.partial() > 100_000);
    });
}
