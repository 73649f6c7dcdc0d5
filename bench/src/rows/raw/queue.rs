//! Floor: what the operating system has for messages. A letter is a message; at the end the consumer says how many it has received.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};

use crate::driver::Driver;
use crate::placement::Placement;
use crate::row::{Address, Row, Transport};
use crate::stopwatch::{Measured, Stopwatch};
use crate::work::{self, CROSSED, LETTERS, Work};
use datagram::Datagrams;
use posix::Posix;
use sysv::SystemV;

mod datagram;
mod posix;
mod sysv;

pub use sysv::sweep;

/// This file's rows.
pub const ROWS: &[&dyn Row] = &[
    &Queues::<Posix>::new(1),
    &Queues::<Posix>::new(CROSSED),
    &Queues::<SystemV>::new(1),
    &Queues::<SystemV>::new(CROSSED),
    &Queues::<Datagrams>::new(1),
    &Queues::<Datagrams>::new(CROSSED),
];

/// One end of two queues: to the consumer, and back.
trait Queue: Sized + Send + Sync + 'static {
    /// The names of its rows, with one consumer and with four.
    const NAMES: [&str; 2];
    const ABOUT: &str;
    const OVER: &[Transport];

    /// The consumer's end, and where it is.
    fn open(address: &Address) -> Result<(Self, Address)>;
    /// The producer's end.
    fn join(address: &Address) -> Result<Self>;
    /// Sends, and waits for room.
    fn send(&self, message: &[u8]) -> Result<()>;
    /// Receives, and waits for a message: its length.
    fn receive(&self, into: &mut [u8]) -> Result<usize>;
}

struct Queues<Q> {
    consumers: usize,
    queue: std::marker::PhantomData<fn() -> Q>,
}

impl<Q> Queues<Q> {
    const fn new(consumers: usize) -> Self {
        Self { consumers, queue: std::marker::PhantomData }
    }
}

impl<Q: Queue> Row for Queues<Q> {
    fn name(&self) -> &'static str {
        Q::NAMES[usize::from(self.consumers > 1)]
    }

    fn about(&self) -> &'static str {
        Q::ABOUT
    }

    fn transports(&self) -> &'static [Transport] {
        Q::OVER
    }

    fn offers(&self, _: Placement, work: Work) -> bool {
        match work {
            Work::Rendezvous(_) | Work::Letters(_) => self.consumers == 1,
            Work::Crossed(_) => self.consumers > 1,
            _ => false,
        }
    }

    fn stands(&self) -> bool {
        false
    }

    fn serve(&self, address: &Address, ready: &dyn Fn(&Address)) -> Result<()> {
        let (queue, place) = Q::open(address)?;
        ready(&place);
        let (queue, received) = (Arc::new(queue), Arc::new(AtomicU64::new(0)));
        let consumers = (0..self.consumers).map(|_| {
            let (queue, received) = (Arc::clone(&queue), Arc::clone(&received));
            thread::spawn(move || consume(&*queue, &received))
        });
        let consumers: Vec<_> = consumers.collect();
        for consumer in consumers {
            consumer.join().unwrap_or_else(|_| bail!("a consumer panicked"))?;
        }
        Ok(())
    }

    fn connect(&self, address: &Address) -> Result<Box<dyn Driver>> {
        Ok(Box::new(Producers { queue: Q::join(address)?, count: self.consumers }))
    }
}

/// Receives for ever.
fn consume(queue: &impl Queue, received: &AtomicU64) -> Result<()> {
    let mut message = [0; LARGEST];
    loop {
        let length = queue.receive(&mut message)?;
        let message = std::hint::black_box(&message[..length]);
        match message.first() {
            Some(&ASK) => queue.send(&received.load(Ordering::Acquire).to_ne_bytes())?,
            Some(&MEET) => queue.send(&[MEET])?,
            _ => _ = received.fetch_add(1, Ordering::AcqRel),
        }
    }
}

struct Producers<Q> {
    queue: Q,
    count: usize,
}

impl<Q: Queue> Producers<Q> {
    /// How many letters were received, ever.
    fn received(&self) -> Result<u64> {
        self.queue.send(&[ASK])?;
        let mut answer = [0; LARGEST];
        let length = self.queue.receive(&mut answer)?;
        Ok(u64::from_ne_bytes(answer[..length].try_into()?))
    }

    fn produce(&self, length: usize, time: Duration) -> Result<Measured> {
        let letter = work::pattern(length);
        ensure!(![ASK, MEET].contains(&letter[0]), "letters are told from questions");
        let before = self.received()?;
        let started = Instant::now();
        let send = || {
            let mut sent = 0;
            while started.elapsed() < time {
                for _ in 0..LETTERS_PER_CLOCK_READ {
                    self.queue.send(&letter)?;
                }
                sent += LETTERS_PER_CLOCK_READ;
            }
            Ok(sent)
        };
        let sent = thread::scope(|scope| {
            let producers: Vec<_> = (0..self.count).map(|_| scope.spawn(send)).collect();
            let joined = producers
                .into_iter()
                .map(|producer| producer.join().unwrap_or_else(|_| bail!("a producer panicked")));
            joined.sum::<Result<u64>>()
        })?;
        while self.received()? < before + sent {}
        Ok(Measured::bulk(sent, started))
    }
}

impl<Q: Queue> Driver for Producers<Q> {
    fn run(&mut self, work: Work, time: Duration) -> Result<Measured> {
        match work {
            Work::Rendezvous(length) => {
                let (mut letter, mut answer) = (work::pattern(length), [0; LARGEST]);
                letter[0] = MEET;
                Stopwatch::run(time, || {
                    self.queue.send(&letter)?;
                    ensure!(self.queue.receive(&mut answer)? == 1, "another answer");
                    Ok(())
                })
            }
            Work::Letters(length) | Work::Crossed(length) => self.produce(length, time),
            other => bail!("no work for letters: {other}"),
        }
    }
}

/// The first byte of a question for how many letters were received.
const ASK: u8 = 1;
/// The first byte of a letter whose receiver says that it has taken it.
const MEET: u8 = 2;
const LARGEST: usize = LETTERS[1];
const LETTERS_PER_CLOCK_READ: u64 = 16;
