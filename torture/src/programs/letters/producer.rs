//! A process that sends letters, in every way in which one can, and notes what it is told of each.

use super::{
    item::{Item, Name},
    reply::{Hears, Reply},
    role::{Ended, Role, orders},
};
use crate::programs::roles::User;
use anyhow::{Context, Result, anyhow};
use farcall::{
    Remote,
    mailbox::{Access, Action, Counts, Error, ProcessId, Receipt},
};
use fastrand::Rng;
use std::{collections::VecDeque, ops::ControlFlow, thread, time::Duration};

/// Threads of a producer: each sends letters one after the other.
pub(super) const LANES: u32 = 2;
/// Letters that a thread sends.
const LETTERS: u64 = 60;
/// Letters that it sends before it looks at what came of the first, at most.
const BURST: u64 = 6;
/// The longest pause between two letters, in microseconds.
const PAUSE: u64 = 600;
/// What `send_timeout` waits for at most, and after what time at most a send is given up, in microseconds.
pub(super) const BRIEF: u64 = 2000;
/// Between two looks at whether its letters are gone.
const LOOK: Duration = Duration::from_millis(1);

/// Sends its letters when it is told to, says when it knows what became of all, and ends with its orders.
pub(crate) fn run(user: User) -> Result<()> {
    let role = Role::start("produce", user)?;
    let reply = Remote::<dyn Reply>::new(Hears(role.journal()));
    println!("ready");
    let mut orders = orders();
    orders.next().context("no order came")??;
    thread::scope(|scope| {
        let lanes: Vec<_> = (0..LANES)
            .map(|lane| {
                let (role, reply) = (&role, reply.clone());
                let lane = Lane { role, lane, reply, receipts: VecDeque::new() };
                scope.spawn(|| lane.run())
            })
            .collect();
        let ended =
            lanes.into_iter().map(|lane| lane.join().map_err(|_| anyhow!("it panicked"))?);
        ended.collect::<Result<()>>()
    })?;
    if role.deal.is_pair() {
        // Its place is for one who looks, and whoever has its letters may still call it.
        while role.done(role.mailbox.counts()).is_ok_and(|counts| !is_empty(&counts)) {
            thread::sleep(LOOK);
        }
    }
    println!("done");
    orders.for_each(drop);
    Ok(())
}

fn is_empty(counts: &Counts) -> bool {
    counts.ready + counts.held + counts.waiting == 0
}

/// What the letters of a thread have in common.
pub(super) fn key(producer: u32, lane: u32) -> u64 {
    u64::from(producer * LANES + lane)
}

/// One of its threads.
pub(super) struct Lane<'a> {
    pub(super) role: &'a Role,
    lane: u32,
    reply: Remote<dyn Reply>,
    /// What it will be told of its letters.
    receipts: VecDeque<(Name, Action<ProcessId>)>,
}

/// How a letter is sent.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Manner {
    Wait,
    Try,
    InTime,
    /// As `Wait`, and given up after a while.
    GiveUp,
}

impl Lane<'_> {
    fn run(mut self) -> Result<()> {
        let mut random = self.role.random(self.lane);
        let mut number = 0;
        while number < LETTERS {
            let manner = match random.u8(..12) {
                0..5 => Manner::Wait,
                5 => Manner::Try,
                6 => Manner::InTime,
                7 => Manner::GiveUp,
                several => {
                    let count = random.u64(2..=BURST);
                    let numbers = number..number + count;
                    let flow = match several {
                        8 => self.burst(numbers)?,
                        9 => self.send_all(numbers)?,
                        _ => self.sink(numbers, &mut random)?,
                    };
                    if flow.is_break() {
                        break;
                    }
                    number += count;
                    continue;
                }
            };
            if self.send(number, manner, &mut random)?.is_break() {
                break;
            }
            number += 1;
            thread::sleep(Duration::from_micros(random.u64(..PAUSE)));
        }
        self.hear()
    }

    /// Sends a letter and waits for what comes of it.
    fn send(&mut self, number: u64, manner: Manner, random: &mut Rng) -> Result<ControlFlow<()>> {
        let (name, item) = self.begin(number)?;
        let mailbox = self.mailbox();
        let brief = Duration::from_micros(random.u64(..BRIEF));
        let sent = match manner {
            Manner::Wait => mailbox.send(&item),
            Manner::Try => mailbox.try_send(&item),
            Manner::InTime => mailbox.send_timeout(&item, brief),
            Manner::GiveUp => {
                let sending = mailbox.send(&item);
                let given_up = Action::new(async move {
                    tokio::time::timeout(brief, sending)
                        .await
                        .map_or(Ok(None), |sent| sent.map(Some))
                });
                match self.role.done(given_up).transpose() {
                    Some(sent) => return self.sent(name, manner, sent),
                    None => self.role.note(format_args!("gave-up {name}"))?,
                }
                return Ok(ControlFlow::Continue(()));
            }
        };
        let sent = self.role.done(sent);
        self.sent(name, manner, sent)
    }

    /// Sends several letters before it looks at what came of the first.
    fn burst(&mut self, numbers: impl Iterator<Item = u64>) -> Result<ControlFlow<()>> {
        let mailbox = self.mailbox();
        let mut sending = Vec::new();
        for number in numbers {
            let (name, item) = self.begin(number)?;
            sending.push((name, mailbox.send(&item)));
        }
        let mut flow = ControlFlow::Continue(());
        for (name, sent) in sending {
            let sent = self.role.done(sent);
            if self.sent(name, Manner::Wait, sent)?.is_break() {
                flow = ControlFlow::Break(());
            }
        }
        Ok(flow)
    }

    pub(super) fn mailbox(&self) -> Access<Item> {
        self.role.mailbox.keyed(key(self.role.number, self.lane))
    }

    pub(super) fn begin(&self, number: u64) -> Result<(Name, Item)> {
        let name = Name { producer: self.role.number, lane: self.lane, number };
        self.role.note(format_args!("tries {name}"))?;
        Ok((name, Item::new(name, Some(self.reply.clone()))))
    }

    /// Notes what came of a send. Whether it makes sense to go on.
    pub(super) fn sent(
        &mut self,
        name: Name,
        manner: Manner,
        sent: Result<Receipt, Error>,
    ) -> Result<ControlFlow<()>> {
        let error = match sent {
            Ok(receipt) => {
                self.role.note(format_args!("sent {name}"))?;
                self.receipts.push_back((name, receipt.acked_by()));
                return Ok(ControlFlow::Continue(()));
            }
            Err(error) => error,
        };
        let refusal = match (&error, manner) {
            (Error::Full, Manner::Try) => Some("full"),
            (Error::NoReceiver, Manner::Try) => Some("nobody"),
            (Error::TimedOut, Manner::InTime) => Some("late"),
            _ => None,
        };
        if let Some(refusal) = refusal {
            self.role.note(format_args!("refused {name} {refusal}"))?;
            return Ok(ControlFlow::Continue(()));
        }
        match Ended::from(error) {
            Ended::Closed(by) => self.role.note(format_args!("closed {by} {name}"))?,
            Ended::Gone => self.role.note(format_args!("gone {name}"))?,
            Ended::Wrong(error) => {
                self.role.note(format_args!("wrong send of {name}: {error:?}"))?
            }
        }
        Ok(ControlFlow::Break(()))
    }

    /// Notes what it is told of the letters that were accepted.
    fn hear(mut self) -> Result<()> {
        for (name, told) in self.receipts.drain(..) {
            let line = match self.role.done(told) {
                Ok(by) => format!("told {name} acked {}", by.pid),
                Err(Error::ReceiverDied { process }) => {
                    format!("told {name} returned {}", process.pid)
                }
                Err(Error::GivenUp { process, deliveries }) => {
                    format!("told {name} given-up {} {deliveries}", process.pid)
                }
                Err(error) => match Ended::from(error) {
                    Ended::Closed(by) => format!("told {name} closed {by}"),
                    Ended::Gone => format!("told {name} gone"),
                    Ended::Wrong(error) => format!("wrong receipt of {name}: {error:?}"),
                },
            };
            self.role.note(line)?;
        }
        Ok(())
    }
}
