//! Flushing: by several threads at once, and into a wire that is full.

use super::*;
use farcall_core::transport::Interest;
use std::{sync::Mutex, thread};

#[test]
fn a_blocked_flush_goes_on_when_the_peer_has_read() {
    for_each_kind(|kind| async move {
        let (left, mut right) = pair(kind).await;
        let frame = bytes(64 << 10);
        let mut count = 0;
        while left.tx.flush().expect("it is open") == Flush::Done {
            left.tx.append(&[&frame], None).expect("it is open");
            count += 1;
        }
        assert!(left.tx.queued() > 0);
        let receive = async {
            for _ in 0..count {
                assert!(recv(&mut right).await.expect("valid").expect("not the end") == frame);
            }
        };
        let (flushed, ()) = tokio::join!(flush(&left), receive);
        flushed.expect("it is open");
        assert_eq!(left.tx.queued(), 0);
    });
}

/// Nobody flushes after the last of the threads: what they leave to each other must not stay behind.
#[test]
fn threads_that_flush_at_once_leave_nothing_behind() {
    const THREADS: u32 = 4;
    const FRAMES: u32 = 5_000;
    for_each_kind(|kind| async move {
        let (left, mut right) = pair(kind).await;
        let appending = Mutex::new(());
        thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    for number in 0..FRAMES {
                        let turn = appending.lock().expect("nobody panics");
                        left.tx.append(&[&number.to_le_bytes()], None).expect("it is open");
                        drop(turn);
                        while left.tx.flush().expect("it is open") == Flush::Blocked {
                            left.ready.wait(Interest::ReadWrite, None);
                        }
                    }
                });
            }
            let mut frame = Buffer::new();
            let mut left_to_come = THREADS * FRAMES;
            while left_to_come > 0 {
                match right.rx.recv(&mut frame).expect("valid") {
                    Received::Frame => left_to_come -= 1,
                    Received::Empty => right.ready.wait(Interest::Read, None),
                    Received::End | Received::Gone => panic!("nobody closed it"),
                }
            }
        });
        assert_eq!(left.tx.queued(), 0);
    });
}

#[test]
fn a_flush_with_nothing_queued_is_done() {
    for_each_kind(|kind| async move {
        let (left, _right) = pair(kind).await;
        assert_eq!(left.tx.flush().expect("it is open"), Flush::Done);
        assert_eq!(left.tx.queued(), 0);
    });
}

#[test]
fn a_flush_to_a_peer_that_is_gone_fails_and_forgets() {
    for_each_kind(|kind| async move {
        let (mut left, right) = pair(kind).await;
        drop(right);
        assert_eq!(recv(&mut left).await.expect("a clean end"), None);
        // TCP learns only from the answer to the first write that the peer has closed both directions.
        while left.tx.append(&[&[0; 1000]], None).is_ok() && left.tx.flush().is_ok() {
            tokio::task::yield_now().await;
        }
        assert!(left.tx.flush().is_err());
        assert!(left.tx.append(&[b"late"], None).is_err());
    });
}
