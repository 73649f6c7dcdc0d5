//! What a process does until it is told to pause: one thing after the other, at random, in several tasks.

use super::table::{Coin, Door, FLOW, Kept, Other, Place, Table, Token};
use farcall::{Receiver, Remote};
use fastrand::Rng;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

/// What can be done.
pub(super) const DEEDS: [&str; 8] =
    ["lend", "hand on", "keep", "use", "pipeline", "flow", "flow through", "knock"];

/// Does things until `paused`.
pub(super) async fn play(place: Arc<Place>, mut random: Rng, paused: Arc<AtomicBool>) {
    while !paused.load(Ordering::Acquire) {
        let deed = random.usize(..DEEDS.len());
        let to = (place.me + random.u8(1..3)) % 3;
        let third = 3 - place.me - to;
        let mut hands = 1 << place.me | 1 << to;
        let begun = Instant::now();
        let done = match deed {
            0 => lend(&place, to).await,
            1 => {
                hands |= 1 << third;
                hand_on(&place, to, third).await
            }
            2 => keep(&place, to, random.usize(..)).await.map(|more| hands |= more),
            3 => use_kept(&place, random.usize(..)).await.map_err(|(error, more)| {
                hands = more;
                error
            }),
            4 => pipeline(&place, to).await,
            5 => flow(place.other(to).map(|table| table.flow())).await,
            6 => {
                hands |= 1 << third;
                flow(place.other(to).map(|table| table.flow_of(third))).await
            }
            _ => knock(&place, to).await,
        };
        match done {
            Ok(()) => place.note(&format!("did {deed} {}", begun.elapsed().as_micros())),
            Err(Wrong::Failed(error)) => {
                let kind = error.kind();
                place.note(&format!("failed {hands} {kind:?} {}: {error}", DEEDS[deed]));
                // Whoever is dead is not asked all the time.
                tokio::time::sleep(super::peer::PAUSE).await;
            }
            Err(Wrong::Value(what)) => place.note(&format!("wrong {}: {what}", DEEDS[deed])),
        }
    }
}

/// How a deed can end badly.
pub(super) enum Wrong {
    /// A call or a stream failed.
    Failed(farcall::Error),
    /// It came out otherwise than promised.
    Value(String),
}

impl From<farcall::Error> for Wrong {
    fn from(error: farcall::Error) -> Self {
        Self::Failed(error)
    }
}

type Done = Result<(), Wrong>;

fn check(so: bool, what: &str) -> Done {
    if so { Ok(()) } else { Err(Wrong::Value(what.to_owned())) }
}

async fn lend(place: &Arc<Place>, to: u8) -> Done {
    let coin = place.coin();
    let mine = Remote::<dyn Token>::from_arc(Arc::clone(&coin));
    let back = place.other(to)?.echo(mine.clone()).await?;
    is_home(&coin, &mine, &back)
}

async fn hand_on(place: &Arc<Place>, to: u8, third: u8) -> Done {
    let coin = place.coin();
    let mine = Remote::<dyn Token>::from_arc(Arc::clone(&coin));
    let back = place.other(to)?.hand_on(mine.clone(), third).await?;
    check(back.number(7).await? == coin.number + 7, "another token came back")?;
    is_home(&coin, &mine, &back)
}

fn is_home(coin: &Arc<Coin>, mine: &Remote<dyn Token>, back: &Remote<dyn Token>) -> Done {
    check(back.same_object(mine), "what came home is not the same object")?;
    let home = back.local::<Coin>();
    check(home.is_some_and(|home| Arc::ptr_eq(&home, coin)), "what came home is not the original")
}

/// Has another keep a token: a new one, or one that somebody has had kept here. The hands that it came through.
async fn keep(place: &Arc<Place>, to: u8, which: usize) -> Result<u8, Wrong> {
    let kept = place.kept(which).filter(|_| which.is_multiple_of(2)).unwrap_or_else(|| {
        let coin = place.coin();
        Kept { number: coin.number, hands: 1 << place.me, token: Remote::from_arc(coin) }
    });
    let hands = kept.hands;
    place.other(to)?.keep(kept).await?;
    Ok(hands)
}

async fn use_kept(place: &Arc<Place>, which: usize) -> Result<(), (Wrong, u8)> {
    let Some(Kept { token, number, hands }) = place.kept(which) else { return Ok(()) };
    let with = |wrong| (wrong, hands);
    let found = token.number(5).await.map_err(|error| with(error.into()))?;
    check(found == number + 5, "a token has another number").map_err(with)
}

async fn pipeline(place: &Arc<Place>, to: u8) -> Done {
    let table = place.other(to)?;
    let making = table.make();
    let early = farcall::Call::pipelined(&making);
    let number = early.number(0);
    let echoed = table.echo(early.clone());
    let made = making.await?;
    let number = number.await?;
    check(made.number(3).await? == number + 3, "the early call went to another token")?;
    check(echoed.await?.number(0).await? == number, "the early argument was another token")
}

async fn flow(asked: farcall::Result<farcall::Call<Receiver<u64>>>) -> Done {
    let mut receiver = asked?.await?;
    let mut next = 0;
    while let Some(item) = receiver.recv().await {
        check(item? == next, "an item of a stream is missing")?;
        next += 1;
    }
    check(next == FLOW, "a stream said that it was finished, and was not")
}

/// Calls the root, which leads to the process of the time: as long as that is the one that was met, to the table that it gave then.
async fn knock(place: &Arc<Place>, to: u8) -> Done {
    let Other { door, table } = place.met(to)?;
    let found = door.table().await?;
    let same = found.same_object(&table) || Remote::why_closed(&table).is_some();
    check(same, "one wire gave two handles on a table")
}
