//! One round: a host, producers and consumers, of which some are killed, and what is found when the others are done.

use super::{
    audit::Auditor,
    deal::Deal,
    judge::{Fates, Person},
    pair::Knocks,
    records::Records,
    role,
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
};

/// Processes that send, and as many that receive, from the beginning on, where more than two may have the mailbox.
const MANY: usize = 3;

/// The processes of a round.
pub(super) struct Round<'a> {
    number: usize,
    pub(super) deal: Deal,
    folder: &'a Path,
    pub(super) random: &'a mut Rng,
    pub(super) address: String,
    pub(super) host: Option<Child>,
    pub(super) producers: Vec<Player>,
    pub(super) consumers: Vec<Player>,
    /// Consumers that have come while letters were sent, and that nobody has waited for.
    pub(super) late: usize,
    pub(super) knocks: Knocks,
}

/// One who sends or receives.
pub(super) struct Player {
    /// What it is called, by the mailbox too.
    pub(super) name: String,
    /// None, once it has ended.
    pub(super) child: Option<Child>,
    killed: bool,
    pub(super) pid: u32,
    journal: PathBuf,
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
            knocks: Knocks::default(),
        };
        round.start_host()?;
        for _ in 0..if deal.is_pair() { 1 } else { MANY } {
            round.start_consumer()?;
            round.start_producer()?;
        }
        for player in round.consumers.iter_mut().chain(&mut round.producers) {
            player.hear("ready")?;
        }
        Ok(round)
    }

    /// Lives it through, and tells the tally what came of it.
    pub(super) fn play(mut self, tally: &mut Tally) -> Result<()> {
        let watch = |round: &Self| Auditor::attach(round.deal, &round.address);
        // Where two have it, there is no place for one who looks before one of them has ended.
        let auditor = (!self.deal.is_pair()).then(|| watch(&self)).transpose()?;
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
            self.until_sent()?;
            let auditor = auditor.map_or_else(|| watch(&self), Ok)?;
            Some(self.finish(&auditor, &mut records)?)
        };
        let closed = counts.is_some_and(|counts| self.has_closed(&counts));
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
        tally.knocked(self.knocks);
        Ok(())
    }

    /// Waits until all letters are sent and everybody is there. Where two have the mailbox, one gives up its place.
    fn until_sent(&mut self) -> Result<()> {
        let there = self.consumers.len() - self.late;
        for late in self.consumers.iter_mut().skip(there) {
            late.hear("ready")?;
        }
        for producer in &mut self.producers {
            producer.hear("done")?;
        }
        if self.deal.is_pair() {
            self.producers.iter_mut().try_for_each(Player::dismiss)?;
            let ended: Vec<_> = self.producers.iter().map(Player::holder).collect();
            self.until_free(&ended)?;
        }
        Ok(())
    }

    /// Waits until everything is over, and looks at what is left.
    fn finish(&mut self, auditor: &Auditor, records: &mut Records) -> Result<Counts> {
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

    pub(super) fn start_consumer(&mut self) -> Result<&mut Player> {
        let consumer = self.start("consume", self.consumers.len())?;
        self.consumers.push(consumer);
        self.consumers.last_mut().context("it was pushed")
    }

    pub(super) fn start_producer(&mut self) -> Result<&mut Player> {
        let producer = self.start("produce", self.producers.len())?;
        self.producers.push(producer);
        self.producers.last_mut().context("it was pushed")
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
        let name = role::name(what, u32::try_from(number)?);
        let child = Child::start(name.clone(), &arguments, path("errors"))?;
        Ok(Player { name, pid: child.id(), child: Some(child), killed: false, journal })
    }
}

impl Player {
    /// Gives an order, if it lives.
    pub(super) fn tell(&mut self, order: &str) -> Result<()> {
        self.child.as_mut().map_or(Ok(()), |child| child.tell(order))
    }

    /// Waits for an answer, if it lives.
    pub(super) fn hear(&mut self, answer: &str) -> Result<()> {
        self.child.as_mut().map_or(Ok(()), |child| child.hear(answer).map(drop))
    }

    pub(super) fn kill(&mut self) -> Result<()> {
        self.killed = true;
        self.child.take().context("it is dead")?.kill()
    }

    /// Lets it end, if it lives.
    fn dismiss(&mut self) -> Result<()> {
        self.child.take().map_or(Ok(()), Child::dismiss)
    }
}
