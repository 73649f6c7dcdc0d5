//! A session is cut at each of its bytes, in both directions, on a network in memory.
//!
//! The session makes calls, receives a stream, borrows and lends objects, gives a call up, and sends more bytes than go in one piece. It is
//! recorded once; then it is played for each byte, after which the wire is cut, once. Each call must end as is right for what became of it,
//! and succeed when it is made again; in the end the server must be at rest, as after a session that was not cut.

mod session;
mod tally;

use super::{arguments::Faults, panics};
use anyhow::{Context, Result, anyhow};
use farcall::testing::Way;
use session::{Cut, Played, Session};
use std::{sync::atomic::Ordering, time::Duration};
use tally::Tally;
use tokio::{runtime::Builder, task::JoinSet, time::timeout};

/// Sessions that play at a time.
const AT_ONCE: usize = 8;
/// How long one may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// Fewer sessions are too few to tell what never happens.
const ENOUGH: usize = 1000;

/// Cuts the session everywhere. Whether every promise was kept.
pub(crate) fn run(options: &Faults) -> Result<bool> {
    let panics = panics::count();
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let mut tally = Tally::default();
    let bytes = runtime.block_on(cut_all(options, &mut tally))?;
    match panics.swap(0, Ordering::Relaxed) {
        0 => {}
        panicked => tally.object(format!("{panicked} panics")),
    }
    let Faults { seed, every } = options;
    println!(
        "faults in a session of {} B there and {} B back, in the large call at every {every}. byte, seed {seed}",
        bytes[0], bytes[1]
    );
    tally.end(ENOUGH);
    tally.print();
    Ok(tally.is_clean())
}

async fn cut_all(options: &Faults, tally: &mut Tally) -> Result<[usize; 2]> {
    let whole =
        timeout(PATIENCE, Session::play(None)).await.context("it hangs, and is whole")??;
    tally.read(None, &whole);
    let bytes = whole.bytes;
    let first = usize::try_from(options.seed % options.every as u64)?;
    let cuts = [Way::ToServer, Way::ToClient].into_iter().flat_map(|way| {
        let (small, bytes) = (whole.small[way as usize], bytes[way as usize]);
        let large = (small + first..=bytes).step_by(options.every);
        (0..small).chain(large).map(move |bytes| Cut { way, bytes })
    });
    let mut playing = JoinSet::new();
    for cut in cuts {
        while playing.len() >= AT_ONCE {
            take_one(&mut playing, tally).await?;
        }
        let rest = whole.rest.clone();
        playing.spawn(async move {
            let played = timeout(PATIENCE, Session::play(Some((cut, rest)))).await;
            (cut, played.unwrap_or_else(|_| Err(anyhow!("it hangs"))))
        });
    }
    while !playing.is_empty() {
        take_one(&mut playing, tally).await?;
    }
    Ok(bytes)
}

/// Waits for a session, and tells the tally what came of it.
async fn take_one(playing: &mut JoinSet<(Cut, Result<Played>)>, tally: &mut Tally) -> Result<()> {
    let Some(played) = playing.join_next().await else { return Ok(()) };
    match played? {
        (cut, Ok(played)) => tally.read(Some(cut), &played),
        (cut, Err(error)) => tally.object(format!("{cut}: {error:#}")),
    }
    Ok(())
}
