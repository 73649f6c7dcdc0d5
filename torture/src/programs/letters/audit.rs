//! What somebody finds who looks at a mailbox when a round is over: whether it is empty, has room again, and which letters are dead.

use super::{
    deal::Deal,
    item::{Box, Item, Name},
};
use anyhow::{Context, Result, bail, ensure};
use farcall::mailbox::{Capacity, Counts, Error, Mailbox, OnCrash};
use std::{
    collections::BTreeSet,
    thread,
    time::{Duration, Instant},
};

/// How soon all letters must be gone once nobody sends any more.
const PATIENCE: Duration = Duration::from_secs(10);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(1);
/// Letters that a mailbox without bounds must accept at once.
const MANY: u64 = 200;

/// One who looks.
pub(super) struct Auditor {
    deal: Deal,
    mailbox: Box,
    address: String,
}

impl Auditor {
    pub(super) fn attach(deal: Deal, address: &str) -> Result<Self> {
        let mailbox = Mailbox::attach(address).wait().context("to look at the mailbox")?;
        Ok(Self { deal, mailbox, address: address.to_owned() })
    }

    /// Waits until nothing waits, is ready or is held, and as many ask as given, or any number.
    pub(super) fn until_empty(&self, asking: Option<u64>) -> Result<Counts> {
        self.until(|counts| {
            let open = counts.ready + counts.held + counts.waiting + counts.bytes;
            open == 0 && asking.is_none_or(|asking| asking == counts.asking)
        })
        .context("it is not empty again")
    }

    fn until(&self, is_so: impl Fn(&Counts) -> bool) -> Result<Counts> {
        let until = Instant::now() + PATIENCE;
        loop {
            let counts = self.mailbox.counts().wait()?;
            if is_so(&counts) {
                return Ok(counts);
            }
            ensure!(Instant::now() < until, "{counts:?}");
            thread::sleep(LOOK);
        }
    }

    /// Takes the dead letters, of which there are so many.
    pub(super) fn dead(&self, count: u64) -> Result<Vec<Name>> {
        let dead = Box::attach(&format!("{}.dead", self.address)).wait()?;
        let mut names = Vec::new();
        let until = Instant::now() + PATIENCE;
        loop {
            match dead.try_recv().wait() {
                Ok(letter) => {
                    ensure!(letter.is_intact(), "a dead letter has other bytes: {letter:?}");
                    names.push(letter.acked().wait()?.name);
                }
                Err(Error::Empty) if names.len() as u64 >= count => return Ok(names),
                Err(Error::Empty) => {
                    let there = names.len();
                    ensure!(Instant::now() < until, "{there} of {count} dead letters are there");
                    thread::sleep(LOOK);
                }
                Err(error) => bail!("the dead letters: {error:?}"),
            }
        }
    }

    /// Sends as many letters as the capacity says, none of which may wait, and takes them.
    pub(super) fn fill(&self, closed: bool) -> Result<()> {
        let ending = match self.deal.capacity {
            _ if closed => {
                ensure!(
                    self.deal.on_crash == OnCrash::Close,
                    "a mailbox has closed that never does"
                );
                let refused = self.try_send(0);
                ensure!(matches!(refused, Err(Error::Closed { .. })), "it is closed: {refused:?}");
                return Ok(());
            }
            Capacity::Zero => {
                let refused = self.try_send(0);
                ensure!(matches!(refused, Err(Error::NoReceiver)), "nobody asks: {refused:?}");
                let taking = self.mailbox.recv();
                self.until(|counts| counts.asking == 1)?;
                self.try_send(0).context("somebody asks")?;
                ensure!(taking.wait()?.acked().wait()?.name.number == 0, "another letter came");
                self.try_send(1)
            }
            Capacity::Bounded(most) => {
                self.load(most)?;
                self.try_send(most)
            }
            Capacity::Unbounded => {
                self.load(MANY)?;
                Err(Error::Full)
            }
        };
        let wanted = match self.deal.capacity {
            Capacity::Zero => Error::NoReceiver,
            _ => Error::Full,
        };
        ensure!(ending == Err(wanted), "the next letter after a full load: {ending:?}");
        self.unload()?;
        self.until_empty(Some(0)).map(drop)
    }

    fn load(&self, count: u64) -> Result<()> {
        let mut sending = (0..count).map(|number| self.try_send(number));
        let loaded = sending.try_for_each(|sent| sent);
        loaded.with_context(|| format!("one of {count} letters had no room at once"))
    }

    /// Takes a load, which comes in order.
    fn unload(&self) -> Result<()> {
        let count = match self.deal.capacity {
            Capacity::Zero => 0,
            Capacity::Bounded(most) => most,
            Capacity::Unbounded => MANY,
        };
        let mut left: BTreeSet<_> = (0..count).collect();
        while let Some(next) = left.first().copied() {
            let letter = self.mailbox.recv_timeout(PATIENCE).wait();
            let letter = letter.with_context(|| format!("{left:?} of a load do not come"))?;
            let number = letter.name.number;
            let is_whole = letter.is_intact() && letter.delivery_count() == 1;
            ensure!(left.remove(&number) && is_whole, "not of the load: {letter:?}");
            // The host may not know yet that those are gone for whom it was meant.
            ensure!(self.deal.assigns() || number == next, "{number} came before {next}");
            letter.acked().wait()?;
        }
        let more = self.mailbox.try_recv().wait();
        ensure!(matches!(more, Err(Error::Empty)), "more than a load: {more:?}");
        Ok(())
    }

    fn try_send(&self, number: u64) -> Result<(), Error> {
        let item = Item::new(Name { producer: u32::MAX, lane: 0, number }, None);
        self.mailbox.try_send(&item).wait().map(drop)
    }
}
