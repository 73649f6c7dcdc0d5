//! A wire on which the next call is always there: whoever serves it takes no more than may wait, and lets the other tasks of its thread run
//! now and then.

use crate::{
    attacker::{call, hello, id, lookup, varint},
    place::{lone_thread, on_a_thread},
    work::worker,
};
use farcall::{
    Peer,
    transport::{Buffer, Flush, Interest, Ready, Received, Rx, Tail, Tx, Wire},
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

/// What the caller and the one who serves it have sent.
#[derive(Default)]
struct Tally {
    /// Frames taken from the caller.
    taken: AtomicUsize,
    /// Frames appended for it, and how many had been taken when the first call of it was answered.
    appended: AtomicUsize,
    before_the_first: AtomicUsize,
}

/// The calls, after a lookup that has been answered.
struct Torrent {
    tally: Arc<Tally>,
    frames: Box<dyn Iterator<Item = Vec<u8>> + Send>,
    /// Whether nothing is there after each frame, once.
    drips: bool,
    dry: bool,
}

impl Rx for Torrent {
    fn recv(&mut self, frame: &mut Buffer) -> io::Result<Received> {
        let Tally { taken, appended, .. } = &*self.tally;
        let asks = taken.load(Ordering::Relaxed) == 2 && appended.load(Ordering::Relaxed) < 2;
        self.dry = !self.dry;
        if asks || (self.drips && self.dry) {
            return Ok(Received::Empty);
        }
        let Some(next) = self.frames.next() else { return Ok(Received::Gone) };
        taken.fetch_add(1, Ordering::Relaxed);
        frame.clear();
        frame.extend_from_slice(&next);
        Ok(Received::Frame)
    }

    fn set_frame_limit(&mut self, _bytes: usize) {}
}

/// Where answers go: nowhere.
struct Sea(Arc<Tally>);

impl Tx for Sea {
    fn append(&self, _head: &[&[u8]], _tail: Option<Tail>) -> io::Result<()> {
        let Tally { taken, appended, before_the_first } = &*self.0;
        // The first two are the Hello and the answer to the lookup.
        if appended.fetch_add(1, Ordering::Relaxed) == 2 {
            before_the_first.store(taken.load(Ordering::Relaxed) - 2, Ordering::Relaxed);
        }
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

/// There is always something to receive.
struct Always;

impl Ready for Always {
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

/// The calls of `method`, as a wire.
fn torrent(
    drips: bool,
    count: usize,
    method: &'static str,
    arguments: Vec<u8>,
) -> (Wire, Arc<Tally>) {
    let object = ObjectId { slot: 1, generation: 0 };
    let slots = (1..=1000).cycle().take(count);
    let calls = slots.map(move |slot| call(Some(id(slot)), object, method, &arguments));
    let frames = Box::new([hello(), lookup(id(0), "", 0)].into_iter().chain(calls));
    let tally = Arc::new(Tally::default());
    let wire = Wire {
        tx: Arc::new(Sea(Arc::clone(&tally))),
        rx: Box::new(Torrent { tally: Arc::clone(&tally), frames, drips, dry: false }),
        ready: Arc::new(Always),
        peer: Peer::new("torrent", "the caller"),
    };
    (wire, tally)
}

#[test]
fn a_caller_that_is_never_late_leaves_the_thread_to_others() {
    on_a_thread(|| {
        let (wire, _) = torrent(true, CALLS, "quick", vec![1]);
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

/// Calls of a mebibyte each: so many are taken that more than 16 MiB wait, beside one that is about to be started, and no more before it is.
#[test]
fn bytes_that_wait_to_be_started_have_a_bound() {
    on_a_thread(|| {
        let arguments = [varint(1 << 20), vec![7; 1 << 20]].concat();
        let (wire, tally) = torrent(false, 64, "echo", arguments);
        lone_thread().block_on(async {
            let _ = farcall::serve_over(wire, worker().0).await;
        });
        let taken = tally.before_the_first.load(Ordering::Relaxed);
        assert!(
            (16..=17).contains(&taken),
            "{taken} calls were taken before the first was answered"
        );
        assert_eq!(tally.appended.load(Ordering::Relaxed), 2 + 64, "each is answered in the end");
    });
}
