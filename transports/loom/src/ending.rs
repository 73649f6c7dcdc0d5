//! Closing against pushing: what was published before the end is received before the end.

use crate::{
    ring::Geometry,
    wire::{Ends, explore, push, take},
};
use loom::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
};
use std::sync::Arc;

/// The sender pushes and closes. The receiver looks, and believes the end only after it has looked again, as `receive.rs` does.
fn a_close(looks_again: bool) {
    explore(move || {
        let Ends { mut producer, mut consumer, .. } = Ends::new(Geometry::small(4, 4));
        let closed = Arc::new(AtomicBool::new(false));
        let sender = thread::spawn({
            let closed = Arc::clone(&closed);
            move || {
                assert!(push(&mut producer, 1, 4));
                // The kernel's: whoever reads the end of the control socket sees what was written before it was closed.
                closed.store(true, Ordering::Release);
            }
        });
        let mut received = take(&mut consumer).is_some();
        if closed.load(Ordering::Acquire) {
            if looks_again {
                received |= take(&mut consumer).is_some();
            }
            assert!(received, "the end came first");
        }
        sender.join().unwrap();
    });
}

#[test]
fn what_was_published_comes_before_the_end() {
    a_close(true);
}

#[test]
#[should_panic(expected = "the end came first")]
fn an_end_that_is_believed_at_once() {
    a_close(false);
}
