//! The measurement of farcall's mailboxes: a letter there and one back, and many letters one way.

use super::{
    Result,
    calls::{AHEAD, address},
    far::Far,
    means::Means,
    measure::{FILL, FLOOD, Measured, ROUNDS, WARM, median},
    strace, traces,
    wires::LENGTH,
};
use farcall::mailbox::{Capacity, Mailbox, Policy};
use std::time::{Duration, Instant};
use tempfile::TempDir;

type Letters = Mailbox<Vec<u8>>;

/// Letters that the mailbox has room for.
const ROOM: u64 = 1024;
/// Round trips: each is a letter that is sent and taken, twice.
const FEWER: usize = ROUNDS / 4;

/// Two mailboxes that this process hosts, and the other process that has both.
pub struct Post {
    there: Letters,
    back: Letters,
    far: Far,
    _folder: TempDir,
}

impl Post {
    pub fn open(means: Means) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let open = |name: &str| {
            let place = folder.path().join(name).display().to_string();
            let hosting = Letters::host(&format!("{}#{name}", address(means, &place)));
            hosting.capacity(Capacity::Bounded(ROOM)).policy(Policy::Pair).open().wait()
        };
        let (there, back) = (open("there")?, open("back")?);
        let places = [&there, &back].map(|letters| letters.address().to_owned());
        let far = Far::start(&["far", means.name(), &places.join(" ")])?;
        Ok(Self { there, back, far, _folder: folder })
    }

    /// Sends so many letters, each when the last has come back: how long that took for each.
    pub fn round_trips(&self, count: usize) -> Result<Vec<Duration>> {
        let letter = vec![FILL; LENGTH];
        let mut times = Vec::with_capacity(count);
        for _ in 0..count {
            let begun = Instant::now();
            self.there.send(&letter).wait()?;
            let back = self.back.recv_now().wait()?;
            times.push(begun.elapsed());
            if back != letter {
                return Err("another letter came back".into());
            }
        }
        Ok(times)
    }

    /// Sends many letters, the last of which comes back: how many in a second.
    fn rate(&self) -> Result<f64> {
        let letters = vec![vec![1; LENGTH]; AHEAD];
        let begun = Instant::now();
        for _ in 0..FLOOD / AHEAD as u64 {
            self.there.send_all(&letters).wait()?;
        }
        self.round_trips(1)?;
        Ok(FLOOD as f64 / begun.elapsed().as_secs_f64())
    }

    /// The other process ends when the mailboxes are gone.
    pub fn end(self) -> Result<()> {
        drop((self.there, self.back));
        Ok(self.far.end()?)
    }
}

pub fn measure(means: Means) -> Result<Measured> {
    let post = Post::open(means)?;
    post.round_trips(WARM)?;
    let round_trip = median(&mut post.round_trips(FEWER)?);
    let send = |marked: &_| post.there.send(marked).wait()?.acked_by().wait().map(drop);
    let places = traces::left(post.far.id(), send)?;
    let rate = post.rate()?;
    post.end()?;
    Ok(Measured { round_trip, rate, cost: strace::cost(means), places })
}

/// Sends each letter back that says so, until the mailboxes are gone.
pub fn answer(places: &str) -> Result<()> {
    let (there, back) = places.split_once(' ').ok_or("where are the mailboxes?")?;
    let there = Letters::attach(&format!("{there}#there")).wait()?;
    let back = Letters::attach(&format!("{back}#back")).wait()?;
    let mut letters = there.letters();
    while let Some(letter) = letters.next_wait() {
        let letter = letter?;
        if letter.first() == Some(&FILL) {
            back.send(&letter).wait()?;
        }
        letter.ack();
    }
    Ok(())
}
