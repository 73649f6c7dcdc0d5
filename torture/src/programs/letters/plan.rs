//! What is done to the processes of a round, and at which instants.

use super::{deal::Hurt, pair::Side, round::Round};
use anyhow::{Context, Result};
use farcall::mailbox::OnCrash;
use fastrand::Rng;
use std::{thread, time::Duration};

/// How late in a round something is done, in microseconds at most.
const LATEST: u64 = 25_000;
/// How often somebody knocks at a mailbox that is for two others.
const KNOCKS: usize = 4;

/// What is done to somebody.
#[derive(Clone, Copy, Debug)]
enum Deed {
    KillProducer(usize),
    /// It keeps what it takes from now on.
    Hold(usize),
    KillConsumer(usize),
    /// One more begins to receive.
    Join,
    KillHost,
    /// A third process wants to have the mailbox, too.
    Knock,
    /// One of the two is killed, and another one takes its place.
    Replace(Side),
}

impl Round<'_> {
    /// Kills whom the round is to hurt.
    pub(super) fn hurt(&mut self) -> Result<()> {
        let mut deeds = if self.deal.is_pair() { self.plan_of_pair() } else { self.plan() };
        deeds.sort_by_key(|(instant, _)| *instant);
        let mut now = 0;
        for (instant, deed) in deeds {
            thread::sleep(Duration::from_micros(instant - now));
            now = instant;
            self.do_to(deed).with_context(|| format!("{deed:?}"))?;
        }
        Ok(())
    }

    /// What happens when, in microseconds from now.
    fn plan(&mut self) -> Vec<(u64, Deed)> {
        let (deal, random) = (self.deal, &mut *self.random);
        let mut deeds = Vec::new();
        for victim in 0..victims(random, deal.hurt.producers()) {
            deeds.push((random.u64(..LATEST), Deed::KillProducer(victim)));
        }
        for victim in 0..victims(random, deal.hurt.consumers()) {
            let dies = random.u64(..LATEST);
            deeds.push((dies, Deed::KillConsumer(victim)));
            if random.bool() {
                deeds.push((random.u64(..=dies), Deed::Hold(victim)));
            }
        }
        // Nobody comes to a mailbox that has closed.
        if deal.hurt.consumers() && deal.on_crash != OnCrash::Close && random.bool() {
            deeds.push((random.u64(..LATEST), Deed::Join));
        }
        if deal.hurt == Hurt::Host {
            deeds.push((random.u64(..LATEST), Deed::KillHost));
        }
        deeds
    }

    /// The same, of a mailbox for two.
    fn plan_of_pair(&mut self) -> Vec<(u64, Deed)> {
        let (deal, random) = (self.deal, &mut *self.random);
        let mut deeds = Vec::new();
        for _ in 0..victims(random, deal.hurt.producers()) {
            deeds.push((random.u64(..LATEST), Deed::Replace(Side::Producer)));
        }
        for _ in 0..victims(random, deal.hurt.consumers()) {
            deeds.push((random.u64(..LATEST), Deed::Replace(Side::Consumer)));
        }
        let latest = if deal.hurt == Hurt::Host { random.u64(..LATEST) } else { LATEST };
        deeds.extend((0..KNOCKS).map(|_| (random.u64(..=latest), Deed::Knock)));
        if deal.hurt == Hurt::Host {
            deeds.push((latest, Deed::KillHost));
        }
        deeds
    }

    fn do_to(&mut self, deed: Deed) -> Result<()> {
        match deed {
            Deed::KillProducer(number) => self.producers[number].kill(),
            Deed::Hold(number) if self.consumers[number].child.is_none() => Ok(()),
            Deed::Hold(number) => self.consumers[number].tell("hold"),
            Deed::KillConsumer(number) => self.consumers[number].kill(),
            Deed::Join => {
                self.late += 1;
                self.start_consumer().map(drop)
            }
            Deed::KillHost => self.host.take().context("it is dead")?.kill(),
            Deed::Knock => self.knock(),
            Deed::Replace(side) => self.replace(side),
        }
    }
}

fn victims(random: &mut Rng, hurt: bool) -> usize {
    if hurt { random.usize(1..=2) } else { 0 }
}
