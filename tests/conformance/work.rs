//! A servant whose calls a test can watch, and hold at a gate.

use farcall::{Error, Executed, Remote};
use std::sync::Arc;
use tokio::sync::{Semaphore, mpsc};

/// What the tests of the driver call.
#[farcall::remote]
pub(crate) trait Work {
    /// Gives the number back at once.
    async fn quick(&self, number: u64) -> farcall::Result<u64>;
    /// Gives the number back once it has passed the gate.
    async fn pass(&self, number: u64) -> farcall::Result<u64>;
    /// The same, to its end, whoever waits.
    #[remote(no_cancel)]
    async fn insist(&self, number: u64) -> farcall::Result<u64>;
    /// Passes the gate too, and says nothing.
    #[remote(oneway)]
    async fn tell(&self, number: u64) -> farcall::Result<()>;
    /// The same as `pass`, without a deadline.
    #[remote(timeout = none)]
    async fn pass_in_time(&self, number: u64) -> farcall::Result<u64>;
    /// The same as `pass`, within a deadline of its own.
    #[remote(timeout = "20ms")]
    async fn pass_soon(&self, number: u64) -> farcall::Result<u64>;
    /// Gives the bytes back.
    async fn echo(&self, bytes: &[u8]) -> farcall::Result<Vec<u8>>;
    /// Gives so many bytes.
    async fn fill(&self, length: usize) -> farcall::Result<Vec<u8>>;
    /// Panics before it waits for anything.
    async fn panic_at_once(&self) -> farcall::Result<()>;
    /// Panics once it has passed the gate.
    async fn panic_later(&self) -> farcall::Result<()>;
}

/// What became of a call, as the servant saw it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Seen {
    /// It began.
    Began(u64),
    /// It ran to its end.
    Ended(u64),
    /// It was dropped before its end.
    Dropped(u64),
}

/// The servant.
struct Worker {
    gate: Gate,
}

/// Where calls wait until the test lets them through.
pub(crate) struct Gate {
    permits: Arc<Semaphore>,
    seen: mpsc::UnboundedSender<Seen>,
}

/// The test's side of a servant.
pub(crate) struct Watch {
    permits: Arc<Semaphore>,
    seen: mpsc::UnboundedReceiver<Seen>,
}

/// A servant with a closed gate, and who watches it.
pub(crate) fn worker() -> (Remote<dyn Work>, Watch) {
    let (gate, watch) = watched();
    (Remote::<dyn Work>::new(Worker { gate }), watch)
}

/// A closed gate, and who watches it.
pub(crate) fn watched() -> (Gate, Watch) {
    let permits = Arc::new(Semaphore::new(0));
    let (sender, seen) = mpsc::unbounded_channel();
    (Gate { permits: Arc::clone(&permits), seen: sender }, Watch { permits, seen })
}

impl Gate {
    /// Waits until the test lets one more through.
    pub(crate) async fn pass(&self, number: u64) -> u64 {
        let mut mark = Mark { number, ended: false, seen: &self.seen };
        self.began(number);
        self.permits.acquire().await.expect("the gate is never closed for good").forget();
        mark.ended = true;
        number
    }

    fn began(&self, number: u64) {
        // The test may have seen enough.
        let _ = self.seen.send(Seen::Began(number));
    }
}

/// Notes how a call ends.
struct Mark<'a> {
    number: u64,
    ended: bool,
    seen: &'a mpsc::UnboundedSender<Seen>,
}

impl Drop for Mark<'_> {
    fn drop(&mut self) {
        let end = if self.ended { Seen::Ended } else { Seen::Dropped };
        let _ = self.seen.send(end(self.number));
    }
}

impl Work for Worker {
    async fn quick(&self, number: u64) -> farcall::Result<u64> {
        self.gate.began(number);
        Ok(number)
    }
    async fn pass(&self, number: u64) -> farcall::Result<u64> {
        Ok(self.gate.pass(number).await)
    }
    async fn insist(&self, number: u64) -> farcall::Result<u64> {
        Ok(self.gate.pass(number).await)
    }
    async fn tell(&self, number: u64) -> farcall::Result<()> {
        self.gate.pass(number).await;
        Ok(())
    }
    async fn pass_in_time(&self, number: u64) -> farcall::Result<u64> {
        Ok(self.gate.pass(number).await)
    }
    async fn pass_soon(&self, number: u64) -> farcall::Result<u64> {
        Ok(self.gate.pass(number).await)
    }
    async fn echo(&self, bytes: &[u8]) -> farcall::Result<Vec<u8>> {
        Ok(bytes.to_vec())
    }
    async fn fill(&self, length: usize) -> farcall::Result<Vec<u8>> {
        Ok(vec![7; length])
    }
    async fn panic_at_once(&self) -> farcall::Result<()> {
        panic!("a secret of the servant")
    }
    async fn panic_later(&self) -> farcall::Result<()> {
        self.gate.pass(0).await;
        panic!("a secret of the servant")
    }
}

impl Watch {
    /// Lets so many calls through.
    pub(crate) fn open(&self, count: usize) {
        self.permits.add_permits(count);
    }

    /// What happens next.
    pub(crate) async fn next(&mut self) -> Seen {
        self.seen.recv().await.expect("the servant is alive")
    }

    /// The same, for a thread that may block.
    pub(crate) fn next_blocking(&mut self) -> Seen {
        self.seen.blocking_recv().expect("the servant is alive")
    }

    /// What has happened and was not asked for yet.
    pub(crate) fn so_far(&mut self) -> Vec<Seen> {
        std::iter::from_fn(|| self.seen.try_recv().ok()).collect()
    }
}

/// Kind and certainty of an error, for comparing.
pub(crate) fn outline(error: &Error) -> (farcall::ErrorKind, Executed) {
    (error.kind(), error.executed())
}
