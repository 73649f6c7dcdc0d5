//! What the acts play on: a server, a registry and a mailbox, clients of them, and what must be as it was after each act.

use super::cut::{End, Polled};
use crate::programs::{
    arguments::Transport,
    bench::{Bank, Bench, Counts},
    leftovers::{Holds, names},
};
use anyhow::{Context, Result, bail, ensure};
use farcall::{
    Held, Remote, Running, Server,
    mailbox::{Capacity, Counts as Letters, Error, Mailbox},
    naming::{self, Names},
};
use std::{
    collections::BTreeSet,
    net::TcpListener,
    process,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tempfile::TempDir;
use tokio::time::{sleep, timeout};

/// How soon everything is at rest.
const PATIENCE: Duration = Duration::from_secs(10);
/// Between two looks.
const LOOK: Duration = Duration::from_micros(500);
/// Letters that the mailbox holds.
pub(super) const CAPACITY: u64 = 4;
/// Bytes that all rounds but the first may have added.
const GROWTH: usize = 64 << 20;

/// Where the acts play.
pub(super) struct Stage {
    transport: Transport,
    spin: &'static str,
    folder: TempDir,
    next: AtomicU64,
    pub(super) counts: Arc<Counts>,
    pub(super) server: Running,
    pub(super) remote: Remote<dyn Bench>,
    pub(super) names: Remote<dyn Names>,
    /// The mailbox as its host has it.
    host: Mailbox<u64>,
    pub(super) mailbox: Mailbox<u64>,
    before: Option<State>,
    memory: OnceLock<usize>,
}

/// What must be as it was.
#[derive(PartialEq, Eq, Debug)]
struct State {
    /// What is lent, and borrowed, by the client and by that of the registry.
    held: [Vec<Held>; 4],
    /// Names in the registry.
    bound: Vec<String>,
    running: usize,
    tokens: usize,
    connections: usize,
    /// Letters that are ready, held or waiting, and receivers that ask.
    letters: [u64; 4],
    paths: BTreeSet<String>,
    descriptors: usize,
    mappings: usize,
}

impl Stage {
    /// One whose clients wait so.
    pub(super) async fn new(transport: Transport, spin: &'static str) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("torture-").tempdir()?;
        let (next, counts) = (AtomicU64::new(0), Arc::<Counts>::default());
        let at = |name: &str| address(transport, &folder, name);
        let bank = Remote::<dyn Bench>::new(Bank(Arc::clone(&counts)));
        let server = Server::new().export("bench", bank).export(naming::SERVICE, naming::empty());
        let server = server.listen(&at("server")?).start().await?;
        let service = |at: &str, name: &str| format!("{at}?spin={spin}#{name}");
        let remote = farcall::connect(&service(server.address(), "bench")).await?;
        let names = farcall::connect(&service(server.address(), naming::SERVICE)).await?;
        let host = Mailbox::host(&format!("{}#box", at("box")?));
        let host = host.capacity(Capacity::Bounded(CAPACITY)).open().await?;
        let mailbox = Mailbox::attach(&service(host.address(), "box")).await?;
        let (before, memory) = (None, OnceLock::new());
        let mut stage = Self {
            transport,
            spin,
            folder,
            next,
            counts,
            server,
            remote,
            names,
            host,
            mailbox,
            before,
            memory,
        };
        stage.canary().await?;
        stage.before = Some(stage.state().await?);
        Ok(stage)
    }

    /// A number that no call has had.
    pub(super) fn number(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    /// Where nobody listens.
    pub(super) fn place(&self) -> Result<String> {
        address(self.transport, &self.folder, &format!("place-{}", self.number()))
    }

    /// The address of a name in the registry that nobody has had.
    pub(super) fn name(&self) -> String {
        format!("registry+{}#name-{}", self.server.address(), self.number())
    }

    /// The address of the servant.
    pub(super) fn service(&self) -> String {
        format!("{}?spin={}#bench", self.server.address(), self.spin)
    }

    /// A servant of this process.
    pub(super) fn bank(&self) -> Remote<dyn Bench> {
        Remote::<dyn Bench>::new(Bank(Arc::clone(&self.counts)))
    }

    /// The address of the mailbox.
    pub(super) fn mail(&self) -> String {
        format!("{}?spin={}#box", self.host.address(), self.spin)
    }

    /// A call has ended so, with what is right if it was answered: it must have run once, or not at all if it was dropped.
    pub(super) async fn account<T>(
        &self,
        call: u64,
        polled: Polled<farcall::Result<T>>,
        is_right: impl FnOnce(T) -> bool,
    ) -> Result<End> {
        let end = polled.end();
        if let Polled::Ready(result) = polled {
            ensure!(is_right(result?), "it was answered with something else");
        }
        self.quiet().await?;
        let (begun, ended) = self.counts.take(call);
        ensure!(begun <= 1, "it ran {begun} times");
        ensure!(ended <= begun, "it ended {ended} times, and began {begun} times");
        ensure!(end != End::Ready || ended == 1, "it was answered and did not run to its end");
        Ok(end)
    }

    /// Waits until no handler runs, and none can be on its way.
    pub(super) async fn quiet(&self) -> Result<()> {
        self.canary().await?;
        let until = Instant::now() + PATIENCE;
        while self.counts.running.load(Ordering::Relaxed) > 0 {
            ensure!(Instant::now() < until, "a handler runs whose call was given up");
            sleep(LOOK).await;
        }
        Ok(())
    }

    /// What a letter-box that nobody has anything to do with holds: all that was accepted, in its order.
    pub(super) async fn drain(&self) -> Result<Vec<u64>> {
        // What was sent before this has come when it is answered.
        self.mailbox.counts().await?;
        let until = Instant::now() + PATIENCE;
        loop {
            let Letters { held, waiting, asking, .. } = self.host.counts().await?;
            if [held, waiting, asking] == [0; 3] {
                break;
            }
            let why = format!("{held} letters are held, {waiting} wait, {asking} receivers ask");
            ensure!(Instant::now() < until, why);
            sleep(LOOK).await;
        }
        let mut values = Vec::new();
        loop {
            match self.host.try_recv().await {
                Ok(letter) => values.push(letter.acked().await?),
                Err(Error::Empty) => return Ok(values),
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Waits until everything is as it was before, and the next call is answered.
    pub(super) async fn rest(&self) -> Result<()> {
        self.canary().await?;
        let until = Instant::now() + PATIENCE;
        let before = self.before.as_ref().context("the stage is set")?;
        loop {
            let now = self.state().await?;
            if now == *before {
                return Ok(());
            }
            if Instant::now() > until {
                bail!("it is not at rest: {now:?}, and was: {before:?}");
            }
            sleep(LOOK).await;
        }
    }

    /// Remembers how much memory the first round has left.
    pub(super) fn remember_memory(&self) -> Result<()> {
        let memory = Holds::of(process::id())?.memory;
        self.memory.get_or_init(|| memory);
        Ok(())
    }

    /// Everything ends.
    pub(super) async fn end(self) -> Result<()> {
        let Self { folder, server, remote, names: registry, host, mailbox, memory, .. } = self;
        let grown = Holds::of(process::id())?.memory;
        let grown = grown.saturating_sub(memory.into_inner().unwrap_or(grown));
        ensure!(grown <= GROWTH, "the process has grown by {} KiB", grown >> 10);
        drop((remote, registry, mailbox, host));
        timeout(PATIENCE, server.shutdown()).await.context("the server does not end")?;
        let until = Instant::now() + PATIENCE;
        loop {
            let left = names(folder.path());
            if left.is_empty() {
                return Ok(());
            }
            ensure!(Instant::now() < until, "left behind: {left:?}");
            sleep(LOOK).await;
        }
    }

    /// Each connection goes on.
    async fn canary(&self) -> Result<()> {
        let call = self.number();
        let answered = async {
            ensure!(self.remote.quick(call).await? == call, "a call was answered with another");
            self.counts.take(call);
            self.names.list("").await?;
            self.mailbox.counts().await.map(drop).context("the mailbox")
        };
        timeout(PATIENCE, answered).await.context("a connection hangs")?
    }

    async fn state(&self) -> Result<State> {
        let of = |connection: Option<farcall::Connection>| {
            let snapshot = connection.context("a connection")?.snapshot();
            Ok::<_, anyhow::Error>((snapshot.lent, snapshot.borrowed))
        };
        let bound = self.names.list("").await?.into_iter().map(|binding| binding.name).collect();
        let (lent, borrowed) = of(Remote::connection(&self.remote))?;
        let (lent_names, borrowed_names) = of(Remote::connection(&self.names))?;
        let Letters { ready, held, waiting, asking, .. } = self.host.counts().await?;
        let Holds { descriptors, mappings, .. } = Holds::of(process::id())?;
        Ok(State {
            held: [lent, borrowed, lent_names, borrowed_names],
            bound,
            running: self.counts.running.load(Ordering::Relaxed),
            tokens: self.counts.tokens.load(Ordering::Relaxed),
            connections: self.server.connections(),
            letters: [ready, held, waiting, asking],
            paths: names(self.folder.path()),
            descriptors,
            mappings,
        })
    }
}

/// An address of that name. Each call for one over TCP gives another.
fn address(transport: Transport, folder: &TempDir, name: &str) -> Result<String> {
    Ok(match transport {
        // No client of this host has that address: nobody takes the port before it is listened at.
        Transport::Tcp => format!("tcp://{}", TcpListener::bind("127.0.0.2:0")?.local_addr()?),
        other => {
            format!("{}://{}", other.scheme(), folder.path().join(format!("{name}.sock")).display())
        }
    })
}
