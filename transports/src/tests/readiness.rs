//! What wakes and what does not.

use super::*;
use farcall_core::transport::{Interest, Ready, Tx};
use std::{
    sync::{Arc, atomic::AtomicUsize},
    task::{Context, Poll, Wake, Waker},
    thread,
};

/// Counts how often it is woken.
#[derive(Default)]
struct Count(AtomicUsize);

impl Count {
    fn woken(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// Receives until there is nothing, so that readiness is fresh; returns how many frames there were.
fn drain(wire: &mut Wire) -> usize {
    let (mut frame, mut count) = (Buffer::new(), 0);
    let waker = Waker::noop();
    let cx = &mut Context::from_waker(waker);
    loop {
        match wire.rx.recv(&mut frame).expect("valid") {
            Received::Frame => count += 1,
            Received::Empty if wire.ready.poll_readable(cx).is_pending() => return count,
            Received::Empty => {}
            Received::End | Received::Gone => panic!("nobody closed it"),
        }
    }
}

/// Returns when the runtime has seen everything that was sent before.
async fn settle(kind: Kind) {
    let (left, mut right) = pair(kind).await;
    drain(&mut right);
    send(&left, b"marker").await;
    while drain(&mut right) == 0 {
        readable(&right).await;
    }
}

/// Receives `count` frames, sleeping in between.
async fn recv_all(wire: &mut Wire, count: usize) {
    for _ in 0..count {
        recv(wire).await.expect("valid").expect("not the end");
    }
}

/// Two wires, which nobody will silence if they are `kept` armed.
async fn pair_of(kind: Kind, kept: bool) -> (Wire, Wire) {
    let (left, right) = pair(kind).await;
    if kept {
        left.ready.keep_armed();
        right.ready.keep_armed();
    }
    (left, right)
}

#[test]
fn an_arrival_wakes_whoever_is_armed() {
    for_each_kind(|kind| async move {
        for kept in [false, true] {
            let (left, mut right) = pair_of(kind, kept).await;
            for _ in 0..100 {
                drain(&mut right);
                tokio::join!(recv_all(&mut right, 1), send(&left, b"frame"));
            }
        }
    });
}

#[test]
fn an_arrival_is_silent_while_disarmed_and_wakes_on_arming() {
    for_each_kind(|kind| async move {
        let (left, mut right) = pair(kind).await;
        for round in 0..20 {
            // Each round leaves the readiness behind differently: fresh, used, or not looked at.
            drain(&mut right);
            if round % 3 > 0 {
                send(&left, b"earlier").await;
                readable(&right).await;
                recv_all(&mut right, 1).await;
            }
            right.ready.disarm();
            settle(kind).await;
            drain(&mut right);
            let count = Arc::new(Count::default());
            let waker = Waker::from(Arc::clone(&count));
            let cx = &mut Context::from_waker(&waker);
            assert!(right.ready.poll_readable(cx).is_pending(), "round {round}");
            send(&left, b"silent").await;
            settle(kind).await;
            assert_eq!(count.woken(), 0, "{kind:?}, round {round}");
            right.ready.arm();
            readable(&right).await;
            recv_all(&mut right, 1).await;
        }
    });
}

#[test]
fn what_was_received_while_disarmed_does_not_count_and_the_next_arrival_does() {
    for_each_kind(|kind| async move {
        let (left, mut right) = pair(kind).await;
        for _ in 0..20 {
            right.ready.disarm();
            right.ready.disarm();
            send(&left, b"spun for").await;
            while drain(&mut right) == 0 {}
            right.ready.arm();
            right.ready.arm();
            tokio::join!(recv_all(&mut right, 1), send(&left, b"slept for"));
        }
    });
}

/// The end comes together with the last bytes: one edge for both, and the read that follows is short.
#[test]
fn an_end_right_behind_a_frame_is_not_overlooked() {
    for_each_kind(|kind| async move {
        for round in 0..40 {
            let (left, mut right) = pair_of(kind, round % 2 == 0).await;
            drain(&mut right);
            send(&left, b"last").await;
            drop(left);
            settle(kind).await;
            readable(&right).await;
            assert!(recv(&mut right).await.expect("valid").is_some());
            assert_eq!(recv(&mut right).await.expect("a clean end"), None);
        }
    });
}

#[test]
fn a_thread_waits_for_arrivals_whether_armed_or_not() {
    for_each_kind(|kind| async move {
        let (left, mut right) = pair(kind).await;
        right.ready.disarm();
        thread::scope(|scope| {
            scope.spawn(|| {
                let mut frame = Buffer::new();
                for _ in 0..1000 {
                    while right.rx.recv(&mut frame).expect("valid") != Received::Frame {
                        right.ready.wait(Interest::Read, None);
                    }
                    right.tx.append(&[&frame], None).expect("it is open");
                    right.tx.flush().expect("it is open");
                }
            });
            let mut left = left;
            let mut frame = Buffer::new();
            for _ in 0..1000 {
                left.tx.append(&[b"there and back"], None).expect("it is open");
                left.tx.flush().expect("it is open");
                while left.rx.recv(&mut frame).expect("valid") != Received::Frame {
                    left.ready.wait(Interest::Read, Some(Duration::from_secs(60)));
                }
            }
        });
    });
}

#[test]
fn waiting_ends_with_its_timeout_and_with_the_wire() {
    for_each_kind(|kind| async move {
        let (left, mut right) = pair(kind).await;
        drain(&mut right);
        right.ready.wait(Interest::Read, Some(Duration::ZERO));
        let ready = Arc::clone(&left.ready);
        thread::scope(|scope| {
            scope.spawn(move || ready.wait(Interest::Read, None));
            left.tx.close();
        });
        readable(&right).await;
        assert_eq!(recv(&mut right).await.expect("a clean end"), None);
    });
}

#[test]
fn the_latest_waker_counts() {
    for_each_kind(|kind| async move {
        let (left, mut right) = pair(kind).await;
        drain(&mut right);
        let count = Arc::new(Count::default());
        let waker = Waker::from(Arc::clone(&count));
        assert_eq!(right.ready.poll_readable(&mut Context::from_waker(&waker)), Poll::Pending);
        tokio::join!(recv_all(&mut right, 1), send(&left, b"frame"));
        assert_eq!(count.woken(), 0);
    });
}

/// Both wait for room while both wait for arrivals.
#[test]
fn a_full_wire_is_written_on_while_it_is_kept_armed() {
    for_each_kind(|kind| async move {
        let (mut left, mut right) = pair_of(kind, true).await;
        left.rx.set_frame_limit(8 << 20);
        right.rx.set_frame_limit(8 << 20);
        let large = bytes(4 << 20);
        let (there, back) = (Arc::clone(&left.tx), Arc::clone(&right.tx));
        let writes = |tx: Arc<dyn Tx>, ready: Arc<dyn Ready>, large: Vec<u8>| async move {
            tx.append(&[&large], None).expect("it is open");
            while tx.flush().expect("it is open") == Flush::Blocked {
                poll_fn(|cx| ready.poll_writable(cx)).await;
            }
        };
        let (from_left, from_right) = (Arc::clone(&left.ready), Arc::clone(&right.ready));
        let (_, _, found, answered) = tokio::join!(
            writes(there, from_left, large.clone()),
            writes(back, from_right, large.clone()),
            recv(&mut right),
            recv(&mut left),
        );
        assert!(found.expect("valid").is_some_and(|found| found == large));
        assert!(answered.expect("valid").is_some_and(|found| found == large));
    });
}
