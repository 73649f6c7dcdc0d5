//! A mailbox for two processes: a third one is told who has it, until one of them is dead.

use super::{
    item::Box,
    round::{Player, Round},
};
use anyhow::{Context, Result, bail, ensure};
use farcall::mailbox::{Error, ProcessId};
use std::{
    thread,
    time::{Duration, Instant},
};

/// How soon the place of one that has ended must be free.
const PATIENCE: Duration = Duration::from_secs(10);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(1);

/// One of the two.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Side {
    Producer,
    Consumer,
}

/// How often somebody came to mailboxes for two, and what of it.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Knocks {
    /// It was told which two processes have it.
    pub(super) refused: u64,
    /// It was let in in the place of one that was killed.
    pub(super) freed: u64,
}

/// One who has a mailbox: its name and its number.
pub(super) type Holder = (String, u32);

impl Round<'_> {
    /// This process comes third.
    pub(super) fn knock(&mut self) -> Result<()> {
        let mut holders = self.knock_once()?.err().context("three processes have it")?;
        holders.sort();
        let mut living = self.living();
        living.sort();
        ensure!(holders == living, "{holders:?} are said to have it, and {living:?} have");
        self.knocks.refused += 1;
        Ok(())
    }

    /// Kills one of the two, waits until its place is free, and has another one take it.
    pub(super) fn replace(&mut self, side: Side) -> Result<()> {
        let players = match side {
            Side::Producer => &mut self.producers,
            Side::Consumer => &mut self.consumers,
        };
        let dies = players.last_mut().context("somebody plays")?;
        dies.kill()?;
        let dead = dies.holder();
        self.until_free(&[dead])?;
        self.knocks.freed += 1;
        match side {
            Side::Producer => {
                let producer = self.start_producer()?;
                producer.hear("ready")?;
                producer.tell("go")
            }
            Side::Consumer => self.start_consumer()?.hear("ready"),
        }
    }

    /// Waits until this process is let in, and goes. Until then it is told of those that live, and perhaps still of those that have ended.
    pub(super) fn until_free(&self, ended: &[Holder]) -> Result<()> {
        let until = Instant::now() + PATIENCE;
        let may_be: Vec<_> = self.living().into_iter().chain(ended.iter().cloned()).collect();
        while let Err(holders) = self.knock_once()? {
            let known = holders.iter().all(|holder| may_be.contains(holder));
            ensure!(known, "{holders:?} are said to have it, of {may_be:?}");
            ensure!(
                Instant::now() < until,
                "the place of one that has ended is taken: {holders:?}"
            );
            thread::sleep(LOOK);
        }
        Ok(())
    }

    /// Whether this process is let in, or who has the mailbox.
    fn knock_once(&self) -> Result<Result<(), Vec<Holder>>> {
        let of = |ProcessId { name, pid, .. }| (name, pid);
        match Box::attach(&self.address).wait() {
            Ok(_) => Ok(Ok(())),
            Err(Error::MailboxBusy { holders }) => Ok(Err(holders.into_iter().map(of).collect())),
            Err(error) => bail!("a third process is told: {error:?}"),
        }
    }

    fn living(&self) -> Vec<Holder> {
        let players = self.producers.iter().chain(&self.consumers);
        players.filter(|player| player.child.is_some()).map(Player::holder).collect()
    }
}

impl Player {
    pub(super) fn holder(&self) -> Holder {
        (self.name.clone(), self.pid)
    }
}
