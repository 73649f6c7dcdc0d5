//! Objects that are made, passed and dropped for long over a real socket leave nothing behind: neither in a table, nor in memory.
#![cfg(target_os = "linux")]

use farcall::{Remote, Server};
use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

/// Objects made in all, and after how many the memory is looked at first.
const OBJECTS: usize = 100_000;
const WARM: usize = 20_000;
/// Objects that one call brings, and as many that it returns.
const TOGETHER: usize = 10;
/// What the allocator may keep more at the end: 16 bytes for each object in between would be more.
const SLACK: usize = 1 << 20;
/// How long the last releases may take. It is long: only what is lost does not come.
const GUARD: Duration = Duration::from_secs(120);

#[farcall::remote]
trait Item {
    async fn number(&self) -> farcall::Result<u32>;
}

#[farcall::remote]
trait Shop {
    /// Makes an object of the server's for each of the caller's, and shows that those can be called.
    async fn trade(&self, items: Vec<Remote<dyn Item>>) -> farcall::Result<Vec<Remote<dyn Item>>>;
    /// What comes back is what the server lent, or what the caller did.
    async fn echo(&self, item: Remote<dyn Item>) -> farcall::Result<Remote<dyn Item>>;
}

/// Counts how many of its kind there are.
struct Counted(u32, Arc<AtomicUsize>);

impl Counted {
    fn make(number: u32, alive: &Arc<AtomicUsize>) -> Remote<dyn Item> {
        alive.fetch_add(1, Ordering::Relaxed);
        Remote::<dyn Item>::new(Self(number, Arc::clone(alive)))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.1.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Item for Counted {
    async fn number(&self) -> farcall::Result<u32> {
        Ok(self.0)
    }
}

struct Trader {
    alive: Arc<AtomicUsize>,
    /// The last object that came: its connection is looked at.
    last: Arc<Mutex<Option<Remote<dyn Item>>>>,
}

impl Shop for Trader {
    async fn trade(&self, items: Vec<Remote<dyn Item>>) -> farcall::Result<Vec<Remote<dyn Item>>> {
        let first = items[0].number().await?;
        let made =
            (1..).zip(&items).map(|(add, _)| Counted::make(first + add, &self.alive)).collect();
        let before = {
            let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
            last.replace(items[0].clone())
        };
        drop(before);
        Ok(made)
    }

    async fn echo(&self, item: Remote<dyn Item>) -> farcall::Result<Remote<dyn Item>> {
        Ok(item)
    }
}

/// Bytes of this process that are in memory.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux has it");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("it says so");
    let kilobytes = line.trim().trim_end_matches(" kB").parse::<usize>();
    kilobytes.expect("a number of kB") << 10
}

#[test]
fn objects_leave_nothing_behind() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let folder = tempfile::tempdir().expect("a directory");
        let (alive, last) = (Arc::new(AtomicUsize::new(0)), Arc::default());
        let trader = Trader { alive: Arc::clone(&alive), last: Arc::clone(&last) };
        let address = format!("unix://{}/a.sock", folder.path().display());
        let server = Server::new().export("shop", Remote::<dyn Shop>::new(trader));
        let _running = server.listen(&address).start().await.expect("it listens");
        let shop = farcall::connect::<dyn Shop>(&address).await.expect("it serves");
        let near = Remote::connection(&shop).expect("it is far");
        let mut warm = 0;
        // Each round makes objects at either side, passes all of them once, and one of each there and back.
        for round in 0..OBJECTS / TOGETHER / 2 {
            let mine: Vec<_> = (0..TOGETHER).map(|_| Counted::make(round as u32, &alive)).collect();
            let theirs = shop.trade(mine.clone()).await.expect("it trades");
            assert_eq!(theirs.len(), TOGETHER);
            assert_eq!(theirs[0].number().await, Ok(round as u32 + 1));
            let home = shop.echo(mine[1].clone()).await.expect("it echoes");
            assert!(home.same_object(&mine[1]), "what is mine came home");
            let again = shop.echo(theirs[1].clone()).await.expect("it echoes");
            assert!(again.same_object(&theirs[1]), "one object, one handle");
            if round == WARM / TOGETHER / 2 {
                warm = resident();
            }
        }
        let end = resident();
        println!(
            "{} kB more after {OBJECTS} objects than after {WARM}",
            end.saturating_sub(warm) >> 10
        );
        assert!(end < warm + SLACK, "{warm} bytes after {WARM} objects, {end} after {OBJECTS}");

        let item = last.lock().unwrap_or_else(PoisonError::into_inner).take();
        let item = item.expect("the last one is kept");
        let far = Remote::connection(&item).expect("it is far for the server");
        drop(item);
        let released = async {
            while near.snapshot().lent.len() + far.snapshot().lent.len() > 1
                || alive.load(Ordering::Relaxed) > 0
            {
                tokio::task::yield_now().await;
            }
        };
        if tokio::time::timeout(GUARD, released).await.is_err() {
            let alive = alive.load(Ordering::Relaxed);
            panic!("{alive} objects are alive: {:#?}, {:#?}", near.snapshot(), far.snapshot());
        }
        let (near, far) = (near.snapshot(), far.snapshot());
        assert_eq!((&near.lent, &far.borrowed), (&vec![], &vec![]));
        let service = |held: &[farcall::Held]| held.iter().all(|held| held.by == "lookup");
        assert!(service(&near.borrowed) && service(&far.lent), "{near:?}, {far:?}");
    });
}
