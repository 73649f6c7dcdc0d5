//! A wire on which the next call is always there: whoever serves it lets the other tasks of its thread run now and then.

use crate::{
    attacker::{call, hello, id, lookup},
    place::{lone_thread, on_a_thread},
    work::worker,
};
use farcall::{
    Peer,
    transport::{Buffer, Flush, Interest, Ready, Received, Rx, Tx, Wire},
};
use farcall_core::id::ObjectId;
use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

/// The calls that come.
const CALLS: usize = 4096;

/// One frame at a time, and the next one as soon as it is looked for again.
struct Torrent {
    frames: Box<dyn Iterator<Item = Vec<u8>> + Send>,
    paused: bool,
}

impl Rx for Torrent {
    fn recv(&mut self, frame: &mut Buffer) -> io::Result<Received> {
        self.paused = !self.paused;
        if self.paused {
            return Ok(Received::Empty);
        }
        let Some(next) = self.frames.next() else { return Ok(Received::Gone) };
        frame.clear();
        frame.extend_from_slice(&next);
        Ok(Received::Frame)
    }

    fn set_frame_limit(&mut self, _bytes: usize) {}
}

/// Where answers go.
struct Nowhere;

impl Tx for Nowhere {
    fn append(&self, _head: &[&[u8]], _tail: Option<Buffer>) -> io::Result<()> {
        Ok(())
    }

    fn queued(&self) -> usize {
        0
    }

    fn flush(&self) -> io::Result<Flush> {
        Ok(Flush::Done)
    }

    fn close(&self) {}
}

impl Ready for Nowhere {
    fn arm(&self) {}

    fn disarm(&self) {}

    fn poll_readable(&self, _cx: &mut Context<'_>) -> Poll<()> {
        Poll::Ready(())
    }

    fn poll_writable(&self, _cx: &mut Context<'_>) -> Poll<()> {
        Poll::Ready(())
    }

    fn wait(&self, _interest: Interest, _timeout: Option<Duration>) {}
}

#[test]
fn a_caller_that_is_never_late_leaves_the_thread_to_others() {
    on_a_thread(|| {
        let object = ObjectId { slot: 1, generation: 0 };
        let slots = (1..=1000).cycle().take(CALLS);
        let calls = slots.map(move |slot| call(Some(id(slot)), object, "quick", &[1]));
        let frames = [hello(), lookup(id(0), "", 0)].into_iter().chain(calls);
        let wire = Wire {
            tx: Arc::new(Nowhere),
            rx: Box::new(Torrent { frames: Box::new(frames), paused: false }),
            ready: Arc::new(Nowhere),
            peer: Peer::new("torrent", "the caller"),
        };
        let (work, mut watch) = worker();
        let turns = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&turns);
        lone_thread().block_on(async {
            tokio::spawn(async move {
                loop {
                    counted.fetch_add(1, Ordering::Relaxed);
                    tokio::task::yield_now().await;
                }
            });
            // How it ends is the caller's affair.
            let _ = farcall::serve_over(wire, work).await;
        });
        assert_eq!(watch.so_far().len(), CALLS);
        let turns = turns.load(Ordering::Relaxed);
        assert!(turns >= CALLS / 32, "another task ran {turns} times during {CALLS} calls");
    });
}
