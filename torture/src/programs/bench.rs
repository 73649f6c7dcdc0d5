//! What is called: an interface whose servant counts what runs, and what it has lent.

use farcall::{LatestReceiver, OneReceiver, Payload, Receiver, Remote};
use std::{
    collections::HashMap,
    future::pending,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::time::sleep;

/// How long a slow call takes.
const SLOW: Duration = Duration::from_millis(1);

/// What is called. The first argument is the call's number.
#[farcall::remote]
pub(crate) trait Bench {
    /// Answers with the number.
    async fn quick(&self, call: u64) -> farcall::Result<u64>;
    /// The same, a little later.
    async fn slow(&self, call: u64) -> farcall::Result<u64>;
    /// The same, whether it was given up or not.
    #[remote(no_cancel)]
    async fn stubborn(&self, call: u64) -> farcall::Result<u64>;
    /// The same as the slow one, and may be run again.
    #[remote(idempotent)]
    async fn again(&self, call: u64) -> farcall::Result<u64>;
    /// Never answers.
    async fn endless(&self, call: u64) -> farcall::Result<u64>;
    /// Answers with the bytes.
    async fn large(&self, call: u64, bytes: &[u8]) -> farcall::Result<Vec<u8>>;
    /// Answers with the payload.
    async fn lend(&self, call: u64, payload: Payload) -> farcall::Result<Payload>;
    /// Answers with a new object.
    async fn make(&self, call: u64) -> farcall::Result<Remote<dyn Token>>;
    /// Answers with the object.
    async fn pass(&self, call: u64, token: Remote<dyn Token>)
    -> farcall::Result<Remote<dyn Token>>;
    /// A stream of so many numbers.
    async fn flow(&self, call: u64, count: u64) -> farcall::Result<Receiver<u64>>;
    /// All that comes, until it has finished.
    async fn drain(&self, call: u64, items: Receiver<u64>) -> farcall::Result<Vec<u64>>;
    /// Values from 1 to so much, of which the last one counts.
    async fn current(&self, call: u64, last: u64) -> farcall::Result<LatestReceiver<u64>>;
    /// The number, a little later.
    async fn once(&self, call: u64) -> farcall::Result<OneReceiver<u64>>;
}

/// An object that counts itself.
#[farcall::remote]
pub(crate) trait Token {
    /// Its number.
    async fn number(&self) -> farcall::Result<u64>;
}

/// What there is at a time, on both sides.
#[derive(Default, Debug)]
pub(crate) struct Counts {
    /// Handlers that run.
    pub(crate) running: AtomicUsize,
    /// Objects.
    pub(crate) tokens: AtomicUsize,
    /// How often each call has begun, and how often it has come to its end.
    calls: Mutex<HashMap<u64, (u32, u32)>>,
    /// Nobody asks for the calls.
    forgets: bool,
}

impl Counts {
    /// Counts for one who serves for a long time, and is not asked which calls have run.
    pub(crate) fn that_forget() -> Self {
        Self { forgets: true, ..Self::default() }
    }

    /// How often a call has begun, and how often it has come to its end. It is forgotten.
    pub(crate) fn take(&self, call: u64) -> (u32, u32) {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).remove(&call).unwrap_or_default()
    }

    fn note(&self, call: u64, change: impl FnOnce(&mut (u32, u32))) {
        if self.forgets {
            return;
        }
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        change(calls.entry(call).or_default());
    }

    fn begin(self: &Arc<Self>, call: u64) -> Running {
        self.note(call, |(begun, _)| *begun += 1);
        self.running.fetch_add(1, Ordering::Relaxed);
        Running { counts: Arc::clone(self), call }
    }
}

/// A handler that runs.
struct Running {
    counts: Arc<Counts>,
    call: u64,
}

impl Running {
    /// It has come to its end.
    fn ended(&self) {
        self.counts.note(self.call, |(_, ended)| *ended += 1);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.counts.running.fetch_sub(1, Ordering::Relaxed);
    }
}

/// An object.
pub(crate) struct Coin {
    number: u64,
    counts: Arc<Counts>,
}

impl Coin {
    pub(crate) fn new(number: u64, counts: &Arc<Counts>) -> Self {
        counts.tokens.fetch_add(1, Ordering::Relaxed);
        Self { number, counts: Arc::clone(counts) }
    }
}

impl Drop for Coin {
    fn drop(&mut self) {
        self.counts.tokens.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Token for Coin {
    async fn number(&self) -> farcall::Result<u64> {
        Ok(self.number)
    }
}

/// The servant.
pub(crate) struct Bank(pub(crate) Arc<Counts>);

impl Bench for Bank {
    async fn quick(&self, call: u64) -> farcall::Result<u64> {
        self.0.begin(call).ended();
        Ok(call)
    }

    async fn slow(&self, call: u64) -> farcall::Result<u64> {
        let running = self.0.begin(call);
        sleep(SLOW).await;
        running.ended();
        Ok(call)
    }

    async fn again(&self, call: u64) -> farcall::Result<u64> {
        self.slow(call).await
    }

    async fn stubborn(&self, call: u64) -> farcall::Result<u64> {
        let running = self.0.begin(call);
        sleep(SLOW).await;
        running.ended();
        Ok(call)
    }

    async fn endless(&self, call: u64) -> farcall::Result<u64> {
        let _running = self.0.begin(call);
        pending().await
    }

    async fn large(&self, call: u64, bytes: &[u8]) -> farcall::Result<Vec<u8>> {
        self.0.begin(call).ended();
        Ok(bytes.to_vec())
    }

    async fn lend(&self, call: u64, payload: Payload) -> farcall::Result<Payload> {
        self.0.begin(call).ended();
        Ok(payload)
    }

    async fn make(&self, call: u64) -> farcall::Result<Remote<dyn Token>> {
        self.0.begin(call).ended();
        Ok(Remote::<dyn Token>::new(Coin::new(call, &self.0)))
    }

    async fn pass(
        &self,
        call: u64,
        token: Remote<dyn Token>,
    ) -> farcall::Result<Remote<dyn Token>> {
        let running = self.0.begin(call);
        token.number().await?;
        running.ended();
        Ok(token)
    }

    async fn flow(&self, call: u64, count: u64) -> farcall::Result<Receiver<u64>> {
        self.0.begin(call).ended();
        let (sender, receiver) = farcall::channel(4);
        tokio::spawn(async move {
            for number in 0..count {
                sender.send(number).await?;
            }
            sender.finish();
            Ok::<_, farcall::Error>(())
        });
        Ok(receiver)
    }

    async fn drain(&self, call: u64, mut items: Receiver<u64>) -> farcall::Result<Vec<u64>> {
        let running = self.0.begin(call);
        let mut all = Vec::new();
        while let Some(item) = items.recv().await {
            all.push(item?);
        }
        running.ended();
        Ok(all)
    }

    async fn current(&self, call: u64, last: u64) -> farcall::Result<LatestReceiver<u64>> {
        self.0.begin(call).ended();
        let (sender, receiver) = farcall::latest();
        tokio::spawn(async move {
            for number in 1..=last {
                sender.set(number).map_err(|(_, why)| why)?;
                sleep(SLOW / 4).await;
            }
            sender.finish();
            Ok::<_, farcall::Error>(())
        });
        Ok(receiver)
    }

    async fn once(&self, call: u64) -> farcall::Result<OneReceiver<u64>> {
        self.0.begin(call).ended();
        let (sender, receiver) = farcall::oneshot();
        tokio::spawn(async move {
            sleep(SLOW).await;
            sender.send(call).map_err(|(_, why)| why)
        });
        Ok(receiver)
    }
}
