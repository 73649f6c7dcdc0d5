//! A session: what a client does with a server, on a network that is cut once.

use super::tally::Made;
use crate::programs::bench::{Bank, Bench, Coin, Counts, Token};
use anyhow::{Context, Result, ensure};
use farcall::{
    Error, Held, Remote, Running, Server,
    testing::{Network, Way},
};
use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::time::sleep;

/// Items of the stream.
const ITEMS: u64 = 6;
/// Bytes of the large call, and of its answer: some pieces of the network's.
const LARGE: usize = 40_000;
/// A wire is cut once, so what is done again is done.
const ATTEMPTS: usize = 2;
/// Between two looks at a server, and how often it is looked at.
const LOOK: (Duration, usize) = (Duration::from_millis(1), 10_000);

/// Where the wire is cut.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Cut {
    pub(super) way: Way,
    pub(super) bytes: usize,
}

/// What a server and a client have when all is over.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Rest {
    lent: Vec<Held>,
    borrowed: Vec<Held>,
    connections: usize,
    running: usize,
    tokens: usize,
}

/// What came of a session.
#[derive(Debug)]
pub(super) struct Played {
    pub(super) made: Vec<Made>,
    /// Bytes that had arrived before the large call, each way, and at the end.
    pub(super) small: [usize; 2],
    pub(super) bytes: [usize; 2],
    pub(super) rest: Rest,
}

/// Why a step was not done.
enum Failure {
    /// Its call failed.
    Call(Error),
    /// Its call was answered, and what was done with the answer failed.
    After(Error),
    /// Something else than what is right came.
    Wrong(String),
}

/// A client and a server on a network.
pub(super) struct Session {
    network: Network,
    running: Running,
    remote: Remote<dyn Bench>,
    counts: Arc<Counts>,
    next: AtomicU64,
    made: Vec<Made>,
    /// Bytes that had arrived before the large call, each way.
    small: [usize; 2],
}

impl Session {
    /// Plays it, with a cut, after which the same must be left as that says.
    pub(super) async fn play(cut: Option<(Cut, Rest)>) -> Result<Played> {
        let mut session = Self::begin(cut.as_ref().map(|(cut, _)| *cut)).await?;
        session.calls().await;
        session.streams().await;
        session.objects().await;
        session.large().await;
        session.end(cut.map(|(_, rest)| rest)).await
    }

    async fn begin(cut: Option<Cut>) -> Result<Self> {
        let network = Network::new();
        let counts = Arc::<Counts>::default();
        if let Some(Cut { way, bytes }) = cut {
            network.cut_after(way, bytes);
            // Some sessions come in pieces, which are cut too.
            network.chop([0, 50, 1000][bytes % 3]);
        }
        let bank = Remote::<dyn Bench>::new(Bank(Arc::clone(&counts)));
        let server = Server::new().export("bench", bank).listen(&network.address("it"));
        let running = server.start().await?;
        let remote = farcall::connect(&network.address("it")).await.context("cannot connect")?;
        let (next, made, small) = (AtomicU64::new(0), Vec::new(), [0; 2]);
        Ok(Self { network, running, remote, counts, next, made, small })
    }

    async fn calls(&mut self) {
        self.step("quick", |remote, call| async move { right(call, remote.quick(call).await) })
            .await;
        self.step("again", |remote, call| async move { right(call, remote.again(call).await) })
            .await;
        self.give_up().await;
    }

    async fn streams(&mut self) {
        self.step("flow", |remote, call| async move {
            let mut items = remote.flow(call, ITEMS).await.map_err(Failure::Call)?;
            for want in 0..ITEMS {
                let item = items.recv().await.transpose().map_err(Failure::After)?;
                is_right(item == Some(want), "the items")?;
            }
            is_right(items.recv().await.transpose().map_err(Failure::After)?.is_none(), "the end")
        })
        .await;
        self.step("drain", |remote, call| async move {
            let (sender, receiver) = farcall::channel(2);
            let draining = remote.drain(call, receiver);
            for item in 0..ITEMS {
                if sender.send(item).await.is_err() {
                    // The call says why.
                    break;
                }
            }
            sender.finish();
            let drained = draining.await.map_err(Failure::Call)?;
            is_right(drained.into_iter().eq(0..ITEMS), "the items")
        })
        .await;
    }

    async fn objects(&mut self) {
        self.step("make", |remote, call| async move {
            let token = remote.make(call).await.map_err(Failure::Call)?;
            let number = token.number().await.map_err(Failure::After)?;
            is_right(number == call, "the object")
        })
        .await;
        let counts = Arc::clone(&self.counts);
        self.step("pass", |remote, call| {
            let token = Remote::<dyn Token>::new(Coin::new(call, &counts));
            async move {
                let back = remote.pass(call, token.clone()).await.map_err(Failure::Call)?;
                is_right(back.same_object(&token), "the object")
            }
        })
        .await;
    }

    async fn large(&mut self) {
        self.small = self.bytes();
        self.step("large", |remote, call| async move {
            let bytes = [call as u8; LARGE];
            let answer = remote.large(call, &bytes).await.map_err(Failure::Call)?;
            is_right(answer == bytes, "the bytes")
        })
        .await;
    }

    /// Begins a call and gives it up.
    async fn give_up(&mut self) {
        let call = self.next.fetch_add(1, Ordering::Relaxed);
        drop(self.remote.slow(call));
        self.made.push(Made::given_up("slow", call));
    }

    /// Does something until it is done.
    async fn step<F: Future<Output = Result<(), Failure>>>(
        &mut self,
        name: &'static str,
        run: impl Fn(Remote<dyn Bench>, u64) -> F,
    ) {
        for attempt in 0..ATTEMPTS {
            let call = self.next.fetch_add(1, Ordering::Relaxed);
            let done = run(self.remote.clone(), call).await;
            let is_done = done.is_ok();
            let mut made = match done {
                Ok(()) => Made::done(name, call),
                Err(Failure::Call(error)) => Made::failed(name, call, error),
                Err(Failure::After(error)) => Made::failed_after(name, call, error),
                Err(Failure::Wrong(what)) => Made::wrong(name, call, what),
            };
            made.attempt = attempt;
            self.made.push(made);
            if is_done {
                break;
            }
        }
    }

    /// Waits until all is at rest, and counts how often each call has run.
    async fn end(mut self, want: Option<Rest>) -> Result<Played> {
        // What was sent before this, and not lost, has come when it is answered.
        let call = self.next.fetch_add(1, Ordering::Relaxed);
        self.remote.idempotent().quick(call).await.context("the last call")?;
        let bytes = self.bytes();
        let mut rest = self.rest()?;
        for _ in 0..LOOK.1 {
            let done =
                want.as_ref().map_or(rest.running == 0 && rest.tokens == 0, |want| rest == *want);
            if done {
                break;
            }
            sleep(LOOK.0).await;
            rest = self.rest()?;
        }
        if let Some(want) = want {
            ensure!(rest == want, "it is not at rest: {rest:?}, and should be: {want:?}");
        }
        for made in &mut self.made {
            (made.begun, made.ended) = self.counts.take(made.call);
        }
        Ok(Played { made: self.made, small: self.small, bytes, rest })
    }

    fn bytes(&self) -> [usize; 2] {
        [Way::ToServer, Way::ToClient].map(|way| self.network.passed(way))
    }

    fn rest(&self) -> Result<Rest> {
        let connection = Remote::connection(&self.remote).context("no connection")?;
        let snapshot = connection.snapshot();
        Ok(Rest {
            lent: snapshot.lent,
            borrowed: snapshot.borrowed,
            connections: self.running.connections(),
            running: self.counts.running.load(Ordering::Relaxed),
            tokens: self.counts.tokens.load(Ordering::Relaxed),
        })
    }
}

fn right(call: u64, answer: farcall::Result<u64>) -> Result<(), Failure> {
    is_right(answer.map_err(Failure::Call)? == call, "the answer")
}

fn is_right(is: bool, what: &str) -> Result<(), Failure> {
    if is { Ok(()) } else { Err(Failure::Wrong(format!("{what}: not what was sent"))) }
}

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cut after {} B {:?}", self.bytes, self.way)
    }
}
