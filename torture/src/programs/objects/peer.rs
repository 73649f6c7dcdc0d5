//! One of the three: serves a table, and plays, pauses and settles as it is told.

use super::{
    super::{journal::Journal, roles::Peer, roles::settle},
    death::{meet, meet_again, mourn},
    play::play,
    table::{Counter, Door, Entrance, Place, Table},
};
use anyhow::{Context, Result, bail};
use farcall::{Remote, Server, Snapshot};
use fastrand::Rng;
use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{runtime::Builder, task::JoinSet, time::timeout};

/// Tasks that play.
const TASKS: u64 = 4;
/// Between two looks at what is to be gone.
pub(super) const PAUSE: Duration = Duration::from_millis(1);
/// How soon everything must be gone.
pub(super) const PATIENCE: Duration = Duration::from_secs(8);

/// Serves and plays until nobody gives orders any more.
pub(crate) fn run(role: Peer) -> Result<()> {
    settle()?;
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let place = Arc::new(Place::new(role.number, Journal::open(&role.journal)?));
    let table = Remote::<dyn Table>::new(Counter(Arc::clone(&place)));
    let server = Server::new()
        .export("door", Remote::<dyn Door>::new(Entrance(table)))
        .listen(&role.address);
    let running = runtime.block_on(async { server.start().await })?;
    println!("ready {}", running.address());
    let mut playing = JoinSet::new();
    let mut mourning = None;
    let mut paused = Arc::new(AtomicBool::new(false));
    for order in io::stdin().lines() {
        let order = order?;
        let mut words = order.split(' ');
        let mut word = || words.next().context("a word is missing");
        match word()? {
            "play" => {
                let mut random = Rng::with_seed(word()?.parse()?);
                paused = Arc::new(AtomicBool::new(false));
                for _ in 0..TASKS {
                    let one = play(Arc::clone(&place), random.fork(), Arc::clone(&paused));
                    playing.spawn_on(one, runtime.handle());
                }
            }
            "pause" => {
                paused.store(true, Ordering::Release);
                let all = async { while playing.join_next().await.is_some() {} };
                runtime.block_on(all);
                println!("paused");
            }
            "settle" => {
                match runtime.block_on(async { timeout(PATIENCE, settled(&place)).await }) {
                    Ok(()) => println!("settled"),
                    Err(_) => println!("ill: {}", what_is_left(&place)),
                }
            }
            "mourn" => {
                let number = word()?.parse()?;
                mourning = Some(runtime.block_on(mourn(place.met(number)?))?);
                println!("mourned");
            }
            "meet" => {
                let number = word()?.parse()?;
                let other = runtime.block_on(async {
                    match mourning.take() {
                        Some(mourning) => meet_again(place.met(number)?.door, mourning).await,
                        None => meet(word()?).await,
                    }
                });
                place.meet(number, other?);
                println!("met");
            }
            other => bail!("an unknown order: {other}"),
        }
    }
    Ok(())
}

/// Gives up what is kept, until nothing is left.
async fn settled(place: &Place) {
    loop {
        place.clear();
        let empty = snapshots(place).iter().all(is_empty);
        if empty && place.alive.load(Ordering::Relaxed) == 0 {
            return;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// But for what an endpoint lends to whoever connects, and the table.
fn is_empty(snapshot: &Snapshot) -> bool {
    snapshot.lent.is_empty()
        && snapshot.borrowed.iter().all(|held| ["lookup", "table"].contains(&&*held.by))
}

fn snapshots(place: &Place) -> Vec<Snapshot> {
    let others = place.others();
    others
        .iter()
        .filter_map(|other| Remote::connection(&other.door))
        .map(|one| one.snapshot())
        .collect()
}

fn what_is_left(place: &Place) -> String {
    let alive = place.alive.load(Ordering::Relaxed);
    format!("{alive} tokens are alive, and there are {:?}", snapshots(place))
}
