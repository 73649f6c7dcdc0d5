//! What is attacked: an endpoint on a Unix socket and on TCP, and a well-behaved client, the canary, that calls all the while and
//! whose every call must succeed. A panic of the library's, wherever it is caught, fails the test.

use crate::work::{Seen, Watch, Work, worker};
use farcall::{Limits, Receiver, Remote, Running, Sender, Server};
use serde::{Deserialize, Deserializer};
use std::{
    collections::BTreeMap,
    panic,
    sync::{
        Arc, Mutex, MutexGuard, Once, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
};
use tempfile::TempDir;
use tokio::{
    runtime::Runtime,
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
};

/// What attackers find beside the canary's service.
#[farcall::remote]
pub(crate) trait Target {
    async fn nothings(&self, list: Vec<()>) -> farcall::Result<()>;
    async fn wide(&self, list: Vec<Option<[u64; 32]>>) -> farcall::Result<()>;
    async fn nested(&self, tree: Tree) -> farcall::Result<()>;
    async fn text(&self, text: String) -> farcall::Result<()>;
    async fn lent_text(&self, text: &str) -> farcall::Result<()>;
    async fn flag(&self, flag: bool) -> farcall::Result<()>;
    async fn letter(&self, letter: char) -> farcall::Result<()>;
    async fn number(&self, number: u64) -> farcall::Result<()>;
    async fn map(&self, map: BTreeMap<u8, String>) -> farcall::Result<()>;
    async fn mine(&self, mine: Mine) -> farcall::Result<()>;
    /// Takes items until they end.
    async fn sink(&self) -> farcall::Result<Sender<u64>>;
    /// Sends items until nobody wants them.
    async fn source(&self) -> farcall::Result<Receiver<u64>>;
    /// How many items the stream that ended next had for the servant, and why it ended.
    async fn verdict(&self) -> farcall::Result<(u64, String)>;
    async fn lend(&self) -> farcall::Result<Remote<dyn Item>>;
    async fn echo(&self, item: Remote<dyn Item>) -> farcall::Result<Remote<dyn Item>>;
    /// The number of the item.
    async fn ask(&self, item: Remote<dyn Item>) -> farcall::Result<u64>;
}

#[farcall::remote]
pub(crate) trait Item {
    async fn number(&self) -> farcall::Result<u64>;
}

/// As deep as its bytes say.
#[derive(Debug, Deserialize, serde::Serialize)]
pub(crate) struct Tree(Vec<Self>);

/// Explodes when it is decoded.
#[derive(Debug, serde::Serialize)]
pub(crate) struct Mine(u8);

impl<'de> Deserialize<'de> for Mine {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        panic!("a mine")
    }
}

struct Wall {
    verdict: UnboundedSender<(u64, String)>,
    verdicts: tokio::sync::Mutex<UnboundedReceiver<(u64, String)>>,
}

impl Wall {
    fn new() -> Self {
        let (verdict, verdicts) = unbounded_channel();
        Self { verdict, verdicts: tokio::sync::Mutex::new(verdicts) }
    }
}

impl Target for Wall {
    async fn nothings(&self, _: Vec<()>) -> farcall::Result<()> {
        Ok(())
    }
    async fn wide(&self, _: Vec<Option<[u64; 32]>>) -> farcall::Result<()> {
        Ok(())
    }
    async fn nested(&self, _: Tree) -> farcall::Result<()> {
        Ok(())
    }
    async fn text(&self, _: String) -> farcall::Result<()> {
        Ok(())
    }
    async fn lent_text(&self, _: &str) -> farcall::Result<()> {
        Ok(())
    }
    async fn flag(&self, _: bool) -> farcall::Result<()> {
        Ok(())
    }
    async fn letter(&self, _: char) -> farcall::Result<()> {
        Ok(())
    }
    async fn number(&self, _: u64) -> farcall::Result<()> {
        Ok(())
    }
    async fn map(&self, _: BTreeMap<u8, String>) -> farcall::Result<()> {
        Ok(())
    }
    async fn mine(&self, _: Mine) -> farcall::Result<()> {
        Ok(())
    }
    async fn sink(&self) -> farcall::Result<Sender<u64>> {
        let (sender, mut receiver) = farcall::channel(4);
        let verdict = self.verdict.clone();
        tokio::spawn(async move {
            let mut count = 0;
            let why = loop {
                match receiver.recv().await {
                    Some(Ok(_)) => count += 1,
                    Some(Err(why)) => break why.to_string(),
                    None => break "finished".to_owned(),
                }
            };
            let _ = verdict.send((count, why));
        });
        Ok(sender)
    }
    async fn source(&self) -> farcall::Result<Receiver<u64>> {
        let (sender, receiver) = farcall::channel(4);
        let verdict = self.verdict.clone();
        tokio::spawn(async move {
            let mut count = 0;
            let why = loop {
                match sender.send(count).await {
                    Ok(()) => count += 1,
                    Err(why) => break why,
                }
            };
            let _ = verdict.send((count, why.to_string()));
        });
        Ok(receiver)
    }
    async fn verdict(&self) -> farcall::Result<(u64, String)> {
        let verdict = self.verdicts.lock().await.recv().await;
        verdict.ok_or_else(|| farcall::Error::new("there is none"))
    }
    async fn lend(&self) -> farcall::Result<Remote<dyn Item>> {
        Ok(Remote::from_fn(|| async { Ok(5) }))
    }
    async fn echo(&self, item: Remote<dyn Item>) -> farcall::Result<Remote<dyn Item>> {
        Ok(item)
    }
    async fn ask(&self, item: Remote<dyn Item>) -> farcall::Result<u64> {
        item.number().await
    }
}

/// Attacks an endpoint with the default limits over each transport; it stands.
pub(crate) fn attacked(attack: impl Fn(&Fortress, &str)) {
    attacked_within(Limits::default(), attack);
}

/// The same with other limits. Each address has an endpoint of its own.
pub(crate) fn attacked_within(limits: Limits, attack: impl Fn(&Fortress, &str)) {
    let transports = ["unix", "tcp", "shm"];
    for transport in &transports[..if cfg!(target_os = "linux") { 3 } else { 2 }] {
        let fortress = Fortress::within(limits.clone(), transport);
        let addresses = fortress.running.addresses();
        let address = addresses.iter().find(|address| address.starts_with(transport));
        attack(&fortress, address.expect("it listens there"));
        fortress.stands();
    }
}

/// An endpoint under attack.
pub(crate) struct Fortress {
    pub(crate) running: Running,
    watch: Mutex<Watch>,
    canary: Canary,
    _runtime: Runtime,
    _directory: TempDir,
}

impl Fortress {
    fn within(limits: Limits, transport: &str) -> Self {
        count_panics();
        let directory = tempfile::tempdir().expect("a directory");
        let runtime = crate::place::threads();
        let (work, watch) = worker();
        let server = Server::new()
            .export("work", work)
            .export("target", Remote::<dyn Target>::new(Wall::new()))
            .limits(limits)
            .listen(&format!("unix://{}/a.sock", directory.path().display()))
            .listen("tcp://127.0.0.1:0");
        // There the canary goes through shared memory, and the attackers have none.
        let shared = format!("shm://{}/a.shm", directory.path().display());
        let server = if transport == "shm" { server.listen(&shared) } else { server };
        let running = runtime.block_on(server.start()).expect("fresh addresses");
        let of_it = running.addresses().iter().find(|address| address.starts_with("shm"));
        let canary = Canary::at(of_it.unwrap_or(&running.addresses()[0]));
        Self { running, watch: Mutex::new(watch), canary, _runtime: runtime, _directory: directory }
    }

    /// Who watches the servant.
    pub(crate) fn watch(&self) -> MutexGuard<'_, Watch> {
        self.watch.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the servant sees next.
    #[track_caller]
    pub(crate) fn sees(&self, what: Seen) {
        assert_eq!(self.watch().next_blocking(), what);
    }

    /// Waits until nobody else is connected.
    pub(crate) fn is_left_to_the_canary(&self) {
        while self.running.connections() > 1 {
            thread::yield_now();
        }
    }

    /// Waits until the canary has made a call from its beginning to its end.
    pub(crate) fn sings(&self) {
        self.canary.sing();
    }

    /// The canary is well, and nothing of the library's has panicked.
    pub(crate) fn stands(self) {
        self.canary.sing();
        self.canary.rest();
        no_panics();
    }
}

/// Nothing of the library's has panicked since panics are counted.
pub(crate) fn no_panics() {
    let panics = PANICS.lock().unwrap_or_else(PoisonError::into_inner);
    assert!(panics.is_empty(), "the library panicked: {panics:?}");
}

/// A client that calls all the while.
struct Canary {
    stop: Arc<AtomicBool>,
    answered: Arc<AtomicU64>,
    thread: JoinHandle<()>,
}

impl Canary {
    fn at(address: &str) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let work = farcall::connect::<dyn Work>(&format!("{address}#work")).wait();
        let work = work.expect("the endpoint listens");
        assert_eq!(work.echo(&[]).wait(), Ok(vec![]));
        let answered = Arc::new(AtomicU64::new(0));
        let (stopped, counted) = (Arc::clone(&stop), Arc::clone(&answered));
        let thread = thread::spawn(move || {
            let calling = (0_u64..).take_while(|_| !stopped.load(Ordering::Relaxed));
            for number in calling {
                let echo = work.echo(&number.to_le_bytes()).wait();
                assert_eq!(echo, Ok(number.to_le_bytes().to_vec()), "the canary's call {number}");
                counted.fetch_add(1, Ordering::Relaxed);
            }
        });
        Self { stop, answered, thread }
    }

    /// Waits until a call has begun and ended, or one has failed.
    fn sing(&self) {
        let before = self.answered.load(Ordering::Relaxed);
        while self.answered.load(Ordering::Relaxed) < before + 2 && !self.thread.is_finished() {
            thread::yield_now();
        }
    }

    /// Stops it.
    fn rest(self) {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().expect("every call of the canary's succeeds");
    }
}

static PANICS: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Notes every panic that is not one of the tests' own.
pub(crate) fn count_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let print = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let file = info.location().map_or("", |location| location.file());
            if !file.starts_with("tests/") {
                let mut panics = PANICS.lock().unwrap_or_else(PoisonError::into_inner);
                panics.push(info.to_string());
            }
            print(info);
        }));
    });
}
