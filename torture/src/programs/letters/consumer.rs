//! A process that takes letters, in every way in which one can, and acks them, keeps them for a while, or gives them back.

use super::{
    item::Item,
    reply::Reply,
    role::{Ended, Role, orders},
    stream::Flow,
};
use crate::programs::roles::User;
use anyhow::{Result, anyhow, bail};
use farcall::{
    ErrorKind,
    mailbox::{Action, Error, Letter},
};
use fastrand::Rng;
use std::{
    collections::VecDeque,
    sync::atomic::{AtomicBool, Ordering},
    thread::{self, ScopedJoinHandle},
    time::Duration,
};
use tokio::sync::watch;

/// Threads of a consumer: each takes one letter after the other.
pub(super) const LANES: u32 = 2;
/// The one that takes them from a stream.
const STREAMING: u32 = 1;
/// Letters that a thread keeps.
const KEPT: usize = 3;
/// How long it waits for the next letter while it keeps some, in microseconds at most; also after what time at most it gives up a receive.
pub(super) const BRIEF: u64 = 1500;
/// What a slow one does with a letter takes so long, in microseconds at most.
const WORK: u64 = 3000;

/// Takes letters from its start until it is told to stop.
pub(crate) fn run(user: User) -> Result<()> {
    let consumer = Consumer {
        role: Role::start("consume", user)?,
        holds: AtomicBool::new(false),
        stop: watch::Sender::new(false),
    };
    // From now on it is a receiver, for whom letters may be meant.
    let first = consumer.role.done(consumer.role.mailbox.try_recv());
    thread::scope(|scope| {
        let mut first = Some(first);
        let mut lanes: Vec<_> = (0..LANES)
            .map(|lane| {
                let (consumer, first) = (&consumer, first.take());
                scope.spawn(move || consumer.lane(lane, first))
            })
            .collect();
        println!("ready");
        for order in orders() {
            match &*order? {
                "hold" => {
                    consumer.holds.store(true, Ordering::Release);
                    println!("holds");
                }
                // Nobody sends any more.
                "stop" => {
                    consumer.stop.send_replace(true);
                    join(&mut lanes)?;
                    // What it has acked is there when this is answered.
                    consumer.role.done(consumer.role.mailbox.counts())?;
                    println!("stopped");
                }
                // The mailbox is closed or gone, and all are told.
                "end" => {
                    join(&mut lanes)?;
                    println!("over");
                }
                other => bail!("an unknown order: {other}"),
            }
        }
        Ok(())
    })
}

fn join(lanes: &mut Vec<ScopedJoinHandle<'_, Result<()>>>) -> Result<()> {
    lanes.drain(..).try_for_each(|lane| lane.join().map_err(|_| anyhow!("it panicked"))?)
}

pub(super) struct Consumer {
    pub(super) role: Role,
    /// It keeps what it takes, until it is killed.
    holds: AtomicBool,
    pub(super) stop: watch::Sender<bool>,
}

/// What came of a receive.
pub(super) enum Taken {
    Letter(Letter<Item>),
    Nothing,
    Over,
}

impl Consumer {
    fn lane(&self, lane: u32, first: Option<Result<Letter<Item>, Error>>) -> Result<()> {
        let mut random = self.role.random(lane);
        let mut kept = VecDeque::new();
        // One lane takes its letters from a stream, the other one by one.
        let mut flow = (lane == STREAMING).then(Flow::default);
        let mut taken = match first {
            Some(Ok(letter)) => Taken::Letter(letter),
            Some(Err(Error::Empty)) | None => Taken::Nothing,
            Some(Err(error)) => self.failed(lane, error)?,
        };
        loop {
            match taken {
                Taken::Letter(letter) => {
                    self.took(lane, &letter)?;
                    self.decide(letter, &mut kept, &mut random)?;
                }
                Taken::Nothing if self.holds.load(Ordering::Acquire) => {}
                Taken::Nothing => {
                    let oldest = kept.pop_front();
                    oldest.map_or(Ok(()), |letter| self.ack(letter, &mut random))?;
                }
                Taken::Over => break,
            }
            let patient = kept.is_empty();
            taken = match &mut flow {
                Some(flow) => self.take_next(lane, flow, patient, &mut random)?,
                None => self.take(lane, patient, &mut random)?,
            };
        }
        kept.into_iter().try_for_each(|letter| self.ack(letter, &mut random))
    }

    fn take(&self, lane: u32, patient: bool, random: &mut Rng) -> Result<Taken> {
        let mailbox = &self.role.mailbox;
        let brief = Duration::from_micros(random.u64(..BRIEF));
        let taken = match random.u8(..8) {
            0 => self.role.done(mailbox.try_recv()),
            1 | 2 => self.role.done(mailbox.recv_timeout(brief)),
            3 if self.may_give_up() => return self.give_up(lane, brief),
            _ if !patient => self.role.done(mailbox.recv_timeout(brief)),
            _ => {
                let (mailbox, mut stop) = (mailbox.clone(), self.stop.subscribe());
                let taking = Action::new(async move {
                    tokio::select! {
                        biased;
                        taken = mailbox.next() => Ok(Some(taken)),
                        _ = stop.wait_for(|stop| *stop) => Ok(None),
                    }
                });
                match self.role.done(taking)? {
                    Some(Some(taken)) => taken,
                    Some(None) => return self.ended(lane),
                    None => return Ok(Taken::Over),
                }
            }
        };
        match taken {
            Ok(letter) => Ok(Taken::Letter(letter)),
            Err(Error::Empty | Error::TimedOut) if *self.stop.borrow() => Ok(Taken::Over),
            Err(Error::Empty | Error::TimedOut) => Ok(Taken::Nothing),
            Err(error) => self.failed(lane, error),
        }
    }

    /// Begins to receive, and gives it up: a letter that has come meanwhile goes back.
    fn give_up(&self, lane: u32, after: Duration) -> Result<Taken> {
        let taking = self.role.mailbox.recv();
        let taking = Action::new(async move {
            tokio::time::timeout(after, taking).await.map_or(Ok(None), |taken| taken.map(Some))
        });
        match self.role.done(taking) {
            Ok(Some(letter)) => Ok(Taken::Letter(letter)),
            Ok(None) => {
                self.role.note(format_args!("left {lane}"))?;
                Ok(Taken::Nothing)
            }
            Err(error) => self.failed(lane, error),
        }
    }

    /// Whether it may give up a receive, and with it what has come meanwhile.
    pub(super) fn may_give_up(&self) -> bool {
        self.role.deal.may_give_back() && self.role.deal.hurt.consumers()
    }

    /// There will be no more letters, and it has not been told why.
    pub(super) fn ended(&self, lane: u32) -> Result<Taken> {
        match self.role.done(self.role.mailbox.try_recv()) {
            Err(error) => self.failed(lane, error),
            Ok(letter) => {
                self.role.note(format_args!("wrong end before {}", letter.name))?;
                Ok(Taken::Over)
            }
        }
    }

    pub(super) fn failed(&self, lane: u32, error: Error) -> Result<Taken> {
        match Ended::from(error) {
            Ended::Closed(by) => self.role.note(format_args!("closed {by} lane {lane}"))?,
            Ended::Gone => self.role.note(format_args!("gone lane {lane}"))?,
            Ended::Wrong(error) => self.role.note(format_args!("wrong receive: {error:?}"))?,
        }
        Ok(Taken::Over)
    }

    fn took(&self, lane: u32, letter: &Letter<Item>) -> Result<()> {
        let (name, sender) = (letter.name, letter.sender().pid);
        let delivery = letter.delivery_count();
        // Its place in the order may be lost, though nobody has read it before.
        let again = if letter.redelivered() { " again" } else { "" };
        let way = if lane == STREAMING { " stream" } else { "" };
        self.role.note(format_args!("took {name} {delivery} {lane} {sender}{again}{way}"))?;
        if !letter.is_intact() {
            self.role.note(format_args!("wrong bytes of {name}"))?;
        }
        Ok(())
    }

    fn decide(
        &self,
        letter: Letter<Item>,
        kept: &mut VecDeque<Letter<Item>>,
        random: &mut Rng,
    ) -> Result<()> {
        if self.role.deal.slow {
            thread::sleep(Duration::from_micros(random.u64(..WORK)));
        }
        let may_give_back = self.role.deal.may_give_back();
        let chance = random.u8(..16);
        if self.holds.load(Ordering::Acquire) {
            kept.push_back(letter);
        } else if may_give_back && (letter.name.is_poison() || chance == 0) {
            let (name, delivery) = (letter.name, letter.delivery_count());
            self.role.note(format_args!("back {name} {delivery}"))?;
            drop(letter);
        } else if chance < 4 && kept.len() < KEPT {
            kept.push_back(letter);
        } else {
            self.ack(letter, random)?;
        }
        Ok(())
    }

    fn ack(&self, letter: Letter<Item>, random: &mut Rng) -> Result<()> {
        let (name, delivery) = (letter.name, letter.delivery_count());
        self.call(&letter)?;
        self.role.note(format_args!("acks {name} {delivery}"))?;
        if random.bool() {
            letter.ack();
            return Ok(());
        }
        match self.role.done(letter.acked()) {
            Ok(_) => self.role.note(format_args!("acked {name} {delivery}"))?,
            Err(error) => match Ended::from(error) {
                Ended::Gone => self.role.note(format_args!("gone {name}"))?,
                Ended::Closed(_) => self.role.note(format_args!("wrong ack of {name}: closed"))?,
                Ended::Wrong(error) => {
                    self.role.note(format_args!("wrong ack of {name}: {error:?}"))?
                }
            },
        }
        Ok(())
    }

    /// Calls the producer of a letter that encloses how. Whether it lives or not, the bytes are there.
    fn call(&self, letter: &Letter<Item>) -> Result<()> {
        let (name, Some(reply)) = (letter.name, &letter.reply) else { return Ok(()) };
        self.role.note(format_args!("calls {name}"))?;
        let said = reply.say(name);
        let said = match self.role.done(Action::new(async move { Ok(said.await) }))? {
            Ok(()) => "heard",
            Err(error) if is_gone(&error) => "gone",
            Err(error) => return Ok(self.role.note(format_args!("wrong call: {error:?}"))?),
        };
        if letter.is_intact() {
            self.role.note(format_args!("called {name} {said}"))?;
        } else {
            self.role.note(format_args!("wrong bytes of {name}, whose producer is {said}"))?;
        }
        Ok(())
    }
}

/// Whether the process of an object has ended, or the host that leads to it.
fn is_gone(error: &farcall::Error) -> bool {
    matches!(error.kind(), ErrorKind::Broken | ErrorKind::Disconnected)
}
