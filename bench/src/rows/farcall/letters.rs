//! Letters through a mailbox that the consumer's process hosts: both ends are tokio with one thread.

use std::future::poll_fn;
use std::pin::Pin;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use bytes::Bytes;
use farcall::mailbox::{Capacity, Hosting, Mailbox, Policy};
use futures::{Sink, SinkExt, Stream};
use tokio::runtime::Runtime;

use super::Flavour;
use crate::driver::Driver;
use crate::placement::Placement;
use crate::row::{Address, Row, Transport};
use crate::stopwatch::{Measured, Stopwatch};
use crate::work::{self, CROSSED, Work};

/// This file's rows.
pub const ROWS: &[&dyn Row] = &[&Letters::Rendezvous, &Letters::Pair, &Letters::Crossed];

/// What a mailbox is for.
#[derive(Clone, Copy)]
enum Letters {
    Rendezvous,
    Pair,
    Crossed,
}

impl Row for Letters {
    fn name(&self) -> &'static str {
        match self {
            Self::Rendezvous => "farcall-rendezvous",
            Self::Pair => "farcall-letters",
            Self::Crossed => "farcall-letters-4",
        }
    }

    fn about(&self) -> &'static str {
        match self {
            Self::Rendezvous => {
                "a farcall mailbox of capacity zero, hosted by the receiver; tokio with one thread at both ends"
            }
            Self::Pair => {
                "a farcall mailbox for 1024 letters and a pair, hosted by the consumer; a sink and a stream of values; \
                 tokio with one thread at both ends"
            }
            Self::Crossed => {
                "a farcall mailbox for 1024 letters that selects the receivers in turn, hosted by the consumers' process; \
                 four tasks with a connection and a sink each, four with a stream of values each"
            }
        }
    }

    fn transports(&self) -> &'static [Transport] {
        &[Transport::Shm, Transport::Unix, Transport::Tcp]
    }

    fn offers(&self, _: Placement, work: Work) -> bool {
        match self {
            Self::Rendezvous => matches!(work, Work::Rendezvous(_)),
            Self::Pair => matches!(work, Work::Letters(_)),
            Self::Crossed => matches!(work, Work::Crossed(_)),
        }
    }

    fn stands(&self) -> bool {
        false
    }

    fn serve(&self, address: &Address, ready: &dyn Fn(&Address)) -> Result<()> {
        Flavour::CurrentThread.build()?.block_on(self.receive(&address.to_string(), ready))
    }

    fn connect(&self, address: &Address) -> Result<Box<dyn Driver>> {
        let runtime = Flavour::CurrentThread.build()?;
        let attachments = if matches!(self, Self::Crossed) { CROSSED } else { 1 };
        let address = address.to_string();
        let mailboxes = (0..attachments).map(|_| runtime.block_on(Mailbox::attach(&address)));
        let mailboxes = mailboxes.collect::<Result<_, _>>()?;
        Ok(Box::new(Producers { mailboxes, runtime }))
    }
}

impl Letters {
    fn hosting(self, address: &str) -> Hosting<Bytes> {
        let hosting = Mailbox::host(address);
        match self {
            Self::Rendezvous => hosting.capacity(Capacity::Zero),
            Self::Pair => hosting.capacity(CAPACITY).policy(Policy::Pair),
            Self::Crossed => hosting.capacity(CAPACITY).policy(Policy::RoundRobin),
        }
    }

    /// Receives until the process is killed.
    async fn receive(self, address: &str, ready: &dyn Fn(&Address)) -> Result<()> {
        let mailbox = self.hosting(address).open().await?;
        ready(&mailbox.address().parse()?);
        // Spawned: what `block_on` runs itself has its turn more rarely.
        let consumers: Vec<_> = match self {
            Self::Rendezvous => vec![tokio::spawn(take(mailbox))],
            Self::Pair => vec![tokio::spawn(consume(mailbox))],
            Self::Crossed => (0..CROSSED).map(|_| tokio::spawn(consume(mailbox.clone()))).collect(),
        };
        for consumer in consumers {
            consumer.await??;
        }
        Ok(())
    }
}

async fn take(mailbox: Mailbox<Bytes>) -> Result<()> {
    loop {
        std::hint::black_box(mailbox.recv_now().await?);
    }
}

async fn consume(mailbox: Mailbox<Bytes>) -> Result<()> {
    let mut values = mailbox.values();
    while let Some(value) = poll_fn(|cx| Pin::new(&mut values).poll_next(cx)).await {
        std::hint::black_box(value?);
    }
    Ok(())
}

struct Producers {
    mailboxes: Vec<Mailbox<Bytes>>,
    runtime: Runtime,
}

impl Driver for Producers {
    fn run(&mut self, work: Work, time: Duration) -> Result<Measured> {
        let (first, all) = (self.mailboxes[0].clone(), self.mailboxes.clone());
        let run = match work {
            Work::Rendezvous(length) => self.runtime.spawn(meet(first, length, time)),
            Work::Letters(length) | Work::Crossed(length) => {
                self.runtime.spawn(produce(all, length, time))
            }
            other => bail!("no work for letters: {other}"),
        };
        self.runtime.block_on(run)?
    }
}

async fn meet(mailbox: Mailbox<Bytes>, length: usize, time: Duration) -> Result<Measured> {
    let letter = Bytes::from(work::pattern(length));
    mailbox.send(&letter).await?;
    let mut watch = Stopwatch::start(time);
    loop {
        mailbox.send(&letter).await?;
        if !watch.lap() {
            return Ok(watch.finish());
        }
    }
}

/// What counts is what was acked.
async fn produce(
    mailboxes: Vec<Mailbox<Bytes>>,
    length: usize,
    time: Duration,
) -> Result<Measured> {
    let letter = Bytes::from(work::pattern(length));
    let before = mailboxes[0].counts().await?.acked;
    let started = Instant::now();
    let producers = mailboxes.iter().map(|mailbox| {
        let (mut sink, letter) = (mailbox.sink(), letter.clone());
        tokio::spawn(async move {
            let mut sent = 0;
            while started.elapsed() < time {
                for _ in 0..LETTERS_PER_CLOCK_READ {
                    poll_fn(|cx| Pin::new(&mut sink).poll_ready(cx)).await?;
                    Pin::new(&mut sink).start_send(letter.clone())?;
                }
                sent += LETTERS_PER_CLOCK_READ;
            }
            sink.flush().await?;
            Ok::<_, farcall::mailbox::Error>(sent)
        })
    });
    let (producers, mut sent): (Vec<_>, u64) = (producers.collect(), 0);
    for producer in producers {
        sent += producer.await??;
    }
    while mailboxes[0].counts().await?.acked < before + sent {}
    Ok(Measured::bulk(sent, started))
}

const CAPACITY: Capacity = Capacity::Bounded(1024);
const LETTERS_PER_CLOCK_READ: u64 = 64;
