//! One round: a host, producers and consumers, of which some are killed, and what is found when the others are done.

use super::{
    audit::Auditor,
    deal::{Deal, Hurt},
    judge::{Fates, Person},
    records::Records,
    tally::Tally,
};
use crate::programs::{arguments::Transport, child::Child, leftovers::names};
use anyhow::{Context, Result, anyhow, bail};
use farcall::mailbox::{Counts, OnCrash};
use fastrand::Rng;
use std::{
    fs,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

/// Processes that send, and that receive, from the beginning on.
const PRODUCERS: usize = 3;
const CONSUMERS: usize = 3;
/// How late in a round somebody is killed, in microseconds at most.
const LATEST: u64 = 25_000;

/// The processes of a round.
pub(super) struct Round<'a> {
    number: usize,
    deal: Deal,
    folder: &'a Path,
    random: &'a mut Rng,
    address: String,
    host: Option<Child>,
    producers: Vec<Player>,
    consumers: Vec<Player>,
    /// Consumers that have come while letters were sent.
    late: usize,
}

/// One who sends or receives.
struct Player {
    /// None, once it has ended.
    child: Option<Child>,
    killed: bool,
    pid: u32,
    journal: PathBuf,
}

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
}

impl<'a> Round<'a> {
    /// Starts the processes of a round, in a folder of its own.
    pub(super) fn begin(
        number: usize,
        transport: Transport,
        folder: &'a Path,
        random: &'a mut Rng,
    ) -> Result<Self> {
        let address = match transport {
            // No client of this host has that address: the port is free when its owner is dead.
            Transport::Tcp => "tcp://127.0.0.2:0#box".to_owned(),
            other => format!("{}://{}#box", other.scheme(), folder.join("box.sock").display()),
        };
        let deal = Deal::of(number);
        let (producers, consumers) = (Vec::new(), Vec::new());
        let mut round = Self {
            number,
            deal,
            folder,
            random,
            address,
            host: None,
            producers,
            consumers,
            late: 0,
        };
        round.start_host()?;
        for _ in 0..CONSUMERS {
            let consumer = round.start("consume", round.consumers.len())?;
            round.consumers.push(consumer);
        }
        for _ in 0..PRODUCERS {
            let producer = round.start("produce", round.producers.len())?;
            round.producers.push(producer);
        }
        for player in round.consumers.iter_mut().chain(&mut round.producers) {
            player.hear("ready")?;
        }
        Ok(round)
    }

    /// Lives it through, and tells the tally what came of it.
    pub(super) fn play(mut self, tally: &mut Tally) -> Result<()> {
        let auditor = Auditor::attach(self.deal, &self.address)?;
        for producer in &mut self.producers {
            producer.tell("go")?;
        }
        self.hurt()?;
        let mut records = Records::default();
        let host_died = self.host.is_none();
        let counts = if host_died {
            self.outlive()?;
            None
        } else {
            Some(self.finish(&auditor, &mut records)?)
        };
        let closed = counts.is_some_and(|counts| self.has_closed(&counts));
        drop(auditor);
        let person = |player: &Player| Person { pid: player.pid, killed: player.killed };
        let producers: Vec<_> = self.producers.iter().map(person).collect();
        let consumers: Vec<_> = self.consumers.iter().map(person).collect();
        self.end()?;
        for (number, player) in self.producers.iter().enumerate() {
            records.read_producer(number, &fs::read_to_string(&player.journal)?)?;
        }
        for (number, player) in self.consumers.iter().enumerate() {
            records.read_consumer(number, &fs::read_to_string(&player.journal)?)?;
        }
        let (deal, late) = (self.deal, self.late);
        let fates = Fates { deal, producers, consumers, late, host_died, closed };
        tally.read(&records, &fates, counts.as_ref());
        Ok(())
    }

    /// Kills whom the round is to hurt.
    fn hurt(&mut self) -> Result<()> {
        let mut deeds = self.plan();
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
        let victims = |random: &mut Rng, hurt: bool| if hurt { random.usize(1..=2) } else { 0 };
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

    fn do_to(&mut self, deed: Deed) -> Result<()> {
        match deed {
            Deed::KillProducer(number) => self.producers[number].kill(),
            Deed::Hold(number) if self.consumers[number].child.is_none() => Ok(()),
            Deed::Hold(number) => self.consumers[number].tell("hold"),
            Deed::KillConsumer(number) => self.consumers[number].kill(),
            Deed::Join => {
                let late = self.start("consume", self.consumers.len())?;
                self.consumers.push(late);
                self.late += 1;
                Ok(())
            }
            Deed::KillHost => self.host.take().context("it is dead")?.kill(),
        }
    }

    /// Waits until everything is over, and looks at what is left.
    fn finish(&mut self, auditor: &Auditor, records: &mut Records) -> Result<Counts> {
        for late in self.consumers.iter_mut().skip(CONSUMERS) {
            late.hear("ready")?;
        }
        for producer in &mut self.producers {
            producer.hear("done")?;
        }
        let counts = auditor.until_empty(None)?;
        let closed = self.has_closed(&counts);
        self.stop(if closed { ("end", "over") } else { ("stop", "stopped") })?;
        let counts = auditor.until_empty(Some(0))?;
        for name in auditor.dead(counts.dead)? {
            records.read_dead(name);
        }
        // Letters may be meant for those who are attached.
        self.consumers.iter_mut().try_for_each(Player::dismiss)?;
        auditor.fill(closed)?;
        Ok(counts)
    }

    fn has_closed(&self, counts: &Counts) -> bool {
        self.deal.on_crash == OnCrash::Close && counts.dropped > 0
    }

    /// Has the consumers stop.
    fn stop(&mut self, (order, answer): (&str, &str)) -> Result<()> {
        for consumer in &mut self.consumers {
            consumer.tell(order)?;
        }
        self.consumers.iter_mut().try_for_each(|consumer| consumer.hear(answer))
    }

    /// Everybody is told that the host is dead, and its successor is found at its address, also by one who has looked for it before.
    fn outlive(&mut self) -> Result<()> {
        for producer in &mut self.producers {
            producer.hear("done")?;
        }
        self.stop(("end", "over"))?;
        let (deal, address) = (self.deal, self.address.clone());
        thread::scope(|scope| {
            let found = scope.spawn(|| Auditor::attach(deal, &address)?.fill(false));
            self.start_host()?;
            found.join().map_err(|_| anyhow!("it panicked"))?.context("the successor of the host")
        })
    }

    /// Lets all of them end.
    fn end(&mut self) -> Result<()> {
        let mut players = self.consumers.iter_mut().chain(&mut self.producers);
        players.try_for_each(Player::dismiss)?;
        self.host.take().map_or(Ok(()), Child::dismiss)?;
        let names = names(self.folder);
        let left = names.iter().find(|name| name.contains(".sock"));
        left.map_or(Ok(()), |name| bail!("the path {name} was left behind"))
    }

    fn start_host(&mut self) -> Result<()> {
        let arguments = ["host".to_owned(), self.number.to_string(), self.address.clone()];
        let errors = self.folder.join(format!("host-{}.errors", self.random.u16(..)));
        let mut host = Child::start("the host".to_owned(), &arguments, errors)?;
        self.address = format!("{}#box", host.hear("ready")?);
        self.host = Some(host);
        Ok(())
    }

    fn start(&mut self, what: &str, number: usize) -> Result<Player> {
        let path = |end: &str| self.folder.join(format!("{what}-{number}.{end}"));
        let journal = path("journal");
        fs::write(&journal, "")?;
        let arguments = [
            what.to_owned(),
            number.to_string(),
            journal.display().to_string(),
            self.address.clone(),
            self.number.to_string(),
            self.random.u64(..).to_string(),
        ];
        let child = Child::start(format!("{what} {number}"), &arguments, path("errors"))?;
        Ok(Player { pid: child.id(), child: Some(child), killed: false, journal })
    }
}

impl Player {
    /// Gives an order, if it lives.
    fn tell(&mut self, order: &str) -> Result<()> {
        self.child.as_mut().map_or(Ok(()), |child| child.tell(order))
    }

    /// Waits for an answer, if it lives.
    fn hear(&mut self, answer: &str) -> Result<()> {
        self.child.as_mut().map_or(Ok(()), |child| child.hear(answer).map(drop))
    }

    fn kill(&mut self) -> Result<()> {
        self.killed = true;
        self.child.take().context("it is dead")?.kill()
    }

    /// Lets it end, if it lives.
    fn dismiss(&mut self) -> Result<()> {
        self.child.take().map_or(Ok(()), Child::dismiss)
    }
}
