//! Frames of all sizes, alone and together, in order.

use super::*;

const SIZES: [usize; 9] =
    [1, 64, 4 << 10, 16 << 10, (32 << 10) - 4, 32 << 10, (64 << 10) + 1, 1 << 20, 16 << 20];

#[test]
fn frames_of_every_size_arrive_as_they_were() {
    for_each_kind(|kind| async move {
        let (left, mut right) = pair(kind).await;
        for size in SIZES {
            let frame = bytes(size);
            let tail = (size > 4096).then(|| Buffer::from(frame[4096..].to_vec()));
            let head = &frame[..size.min(4096)];
            left.tx.append(&[&head[..1], &head[1..]], tail.map(Into::into)).expect("it is open");
            assert!(left.tx.queued() >= size);
            let (flushed, found) = tokio::join!(flush(&left), recv(&mut right));
            flushed.expect("it is open");
            assert!(found.expect("valid").expect("not the end") == frame, "{size} bytes");
            assert_eq!(left.tx.queued(), 0);
        }
    });
}

#[test]
fn many_frames_of_one_flush_arrive_in_order() {
    for_each_kind(|kind| async move {
        let (left, mut right) = pair(kind).await;
        for number in 0..10_000_u32 {
            left.tx.append(&[&number.to_le_bytes(), b"small"], None).expect("it is open");
        }
        let receive = async {
            for number in 0..10_000_u32 {
                let frame = recv(&mut right).await.expect("valid").expect("not the end");
                assert_eq!(frame, [&number.to_le_bytes(), &b"small"[..]].concat());
            }
        };
        let (flushed, ()) = tokio::join!(flush(&left), receive);
        flushed.expect("it is open");
    });
}

#[test]
fn small_and_large_frames_keep_their_order() {
    for_each_kind(|kind| async move {
        let (left, mut right) = pair(kind).await;
        let frames: Vec<Vec<u8>> = (0..200).map(|n| bytes(1 + (n * 7919) % 50_000)).collect();
        for frame in &frames {
            let tail = Buffer::from(frame[1..].to_vec());
            left.tx.append(&[&frame[..1]], Some(tail.into())).expect("it is open");
        }
        let receive = async {
            for frame in &frames {
                let found = recv(&mut right).await.expect("valid").expect("not the end");
                assert!(found == *frame);
                right.rx.relax();
            }
        };
        let (flushed, ()) = tokio::join!(flush(&left), receive);
        flushed.expect("it is open");
    });
}

#[test]
fn both_ends_speak_at_once() {
    for_each_kind(|kind| async move {
        let (left, right) = pair(kind).await;
        let speak = |mut wire: Wire| async move {
            let frame = bytes(1 << 20);
            for _ in 0..8 {
                wire.tx.append(&[&frame], None).expect("it is open");
            }
            let tx = std::sync::Arc::clone(&wire.tx);
            let ready = std::sync::Arc::clone(&wire.ready);
            let send = async {
                while tx.flush().expect("it is open") == Flush::Blocked {
                    poll_fn(|cx| ready.poll_writable(cx)).await;
                }
            };
            let receive = async {
                for _ in 0..8 {
                    assert!(recv(&mut wire).await.expect("valid").expect("not the end") == frame);
                }
            };
            tokio::join!(send, receive);
            wire
        };
        tokio::join!(speak(left), speak(right));
    });
}

#[test]
fn a_dropped_wire_ends_after_its_last_frame() {
    for_each_kind(|kind| async move {
        let (left, mut right) = pair(kind).await;
        send(&left, b"last").await;
        drop(left);
        assert_eq!(recv(&mut right).await.expect("valid").as_deref(), Some(&b"last"[..]));
        for _ in 0..2 {
            assert_eq!(recv(&mut right).await.expect("a clean end"), None);
        }
    });
}

#[test]
fn a_closed_wire_takes_nothing_more_and_what_was_flushed_arrives() {
    for_each_kind(|kind| async move {
        let (mut left, mut right) = pair(kind).await;
        send(&left, b"last").await;
        left.tx.close();
        assert!(left.tx.append(&[b"late"], None).is_err());
        assert!(left.tx.flush().is_err());
        assert_eq!(recv(&mut left).await.expect("a clean end"), None);
        assert_eq!(recv(&mut right).await.expect("valid").as_deref(), Some(&b"last"[..]));
        assert_eq!(recv(&mut right).await.expect("a clean end"), None);
    });
}

#[test]
fn a_frame_beyond_the_limit_is_refused_and_one_at_the_limit_is_not() {
    for_each_kind(|kind| async move {
        let (left, mut right) = pair(kind).await;
        right.rx.set_frame_limit(100);
        send(&left, &bytes(100)).await;
        send(&left, &bytes(101)).await;
        assert_eq!(recv(&mut right).await.expect("valid"), Some(bytes(100)));
        let error = recv(&mut right).await.expect_err("too large");
        assert_eq!(error.to_string(), "the peer sent a frame of 101 bytes: the limit is 100");
        assert_eq!(error.kind(), std::io::ErrorKind::InvalidData);
    });
}
