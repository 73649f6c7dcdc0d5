//! A servant that streams, in every way there is.

use farcall::{LatestReceiver, LatestSender, OneReceiver, OneSender, Receiver, Remote, Sender};
use serde::{Deserialize, Serialize};
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};
use tokio::sync::Notify;

#[farcall::remote]
pub(crate) trait River {
    /// Numbers below `count`.
    async fn count(&self, count: u64) -> farcall::Result<Receiver<u64>>;
    /// The sum of what comes.
    #[remote(timeout = none)]
    async fn sum(&self, numbers: Receiver<u64>) -> farcall::Result<u64>;
    /// Sends as many as it can, and says how many that were.
    #[remote(timeout = none)]
    async fn fill(&self, into: Sender<u64>) -> farcall::Result<u64>;
    /// An end to send into; `taken` says what came.
    async fn basin(&self) -> farcall::Result<Sender<String>>;
    async fn vessel(&self) -> farcall::Result<Sender<Vec<u8>>>;
    async fn taken(&self) -> farcall::Result<Vec<String>>;
    /// What comes, twice as long.
    async fn double(&self, ends: Ends) -> farcall::Result<()>;
    /// Half of a stream, and then an end of its own.
    async fn break_off(&self, how: Break) -> farcall::Result<Receiver<u64>>;
    async fn one(&self, answer: OneSender<u64>) -> farcall::Result<OneReceiver<u64>>;
    async fn latest(&self, values: LatestReceiver<u64>) -> farcall::Result<LatestReceiver<u64>>;
    /// Passes on what the answer brings, and then what comes by the end that it returns.
    async fn relay(
        &self,
        into: LatestSender<u64>,
        answer: OneReceiver<u64>,
    ) -> farcall::Result<OneSender<u64>>;
    /// Ends of its own for those that it gets: what goes in at one side comes out at the other.
    async fn cross(&self, arms: Arms) -> farcall::Result<Arms>;
    async fn quick(&self, number: u64) -> farcall::Result<u64>;
    /// Objects, one after the other.
    async fn springs(&self, count: u64) -> farcall::Result<Receiver<Remote<dyn River>>>;
}

/// In and out.
pub(crate) type Pair = (Receiver<Vec<u8>>, Sender<Vec<u8>>);

#[derive(Serialize, Deserialize)]
pub(crate) struct Ends {
    pub(crate) name: String,
    pub(crate) ends: Option<Pair>,
}

/// Ends of streams of one item, and of the latest.
#[derive(Serialize, Deserialize)]
pub(crate) struct Arms {
    pub(crate) one: (OneSender<u64>, OneReceiver<u64>),
    pub(crate) latest: Option<LatestArms>,
}

/// In and out.
pub(crate) type LatestArms = (LatestSender<u64>, LatestReceiver<u64>);

#[derive(Clone, Copy, Serialize, Deserialize)]
pub(crate) enum Break {
    Drop,
    Fail,
    Panic,
}

#[derive(Default)]
struct Source {
    taken: Arc<Mutex<Vec<String>>>,
    /// Items that `fill` has sent so far.
    filled: Arc<AtomicUsize>,
    go_on: Arc<Notify>,
}

pub(crate) fn river() -> (Remote<dyn River>, Arc<AtomicUsize>, Arc<Notify>) {
    let source = Source::default();
    let (filled, go_on) = (Arc::clone(&source.filled), Arc::clone(&source.go_on));
    (Remote::new(source), filled, go_on)
}

impl River for Source {
    async fn count(&self, count: u64) -> farcall::Result<Receiver<u64>> {
        let (sender, receiver) = farcall::channel(64);
        tokio::spawn(async move {
            for number in 0..count {
                sender.send(number).await?;
            }
            sender.finish();
            Ok::<_, farcall::Error>(())
        });
        Ok(receiver)
    }
    async fn sum(&self, mut numbers: Receiver<u64>) -> farcall::Result<u64> {
        let mut sum = 0;
        while let Some(number) = numbers.recv().await {
            sum += number?;
        }
        Ok(sum)
    }
    async fn fill(&self, into: Sender<u64>) -> farcall::Result<u64> {
        for number in 0.. {
            if into.send(number).await.is_err() {
                return Ok(number);
            }
            self.filled.fetch_add(1, Ordering::Relaxed);
        }
        Ok(0)
    }
    async fn basin(&self) -> farcall::Result<Sender<String>> {
        let (sender, mut receiver) = farcall::channel(4);
        let taken = Arc::clone(&self.taken);
        tokio::spawn(async move {
            while let Some(Ok(text)) = receiver.recv().await {
                taken.lock().expect("no panics").push(text);
            }
        });
        Ok(sender)
    }
    async fn vessel(&self) -> farcall::Result<Sender<Vec<u8>>> {
        let (sender, mut receiver) = farcall::channel::<Vec<u8>>(4);
        let taken = Arc::clone(&self.taken);
        tokio::spawn(async move {
            while let Some(Ok(bytes)) = receiver.recv().await {
                let text = String::from_utf8_lossy(&bytes).into_owned();
                taken.lock().expect("no panics").push(text);
            }
        });
        Ok(sender)
    }
    async fn taken(&self) -> farcall::Result<Vec<String>> {
        Ok(self.taken.lock().expect("no panics").clone())
    }
    async fn double(&self, Ends { name, ends }: Ends) -> farcall::Result<()> {
        let (mut from, to) = ends.ok_or_else(|| farcall::Error::new(name))?;
        tokio::spawn(async move {
            while let Some(bytes) = from.recv().await {
                let bytes = bytes?;
                to.send([&bytes[..], &bytes].concat()).await?;
            }
            to.finish();
            Ok::<_, farcall::Error>(())
        });
        Ok(())
    }
    async fn break_off(&self, how: Break) -> farcall::Result<Receiver<u64>> {
        let (sender, receiver) = farcall::channel(8);
        tokio::spawn(async move {
            sender.send(1).await?;
            match how {
                Break::Drop => drop(sender),
                Break::Fail => sender.fail(farcall::Error::new("the well is dry")),
                Break::Panic => panic!("a secret of the servant, with {sender:?}"),
            }
            Ok::<_, farcall::Error>(())
        });
        Ok(receiver)
    }
    async fn one(&self, answer: OneSender<u64>) -> farcall::Result<OneReceiver<u64>> {
        answer.send(1).map_err(|(_, why)| why)?;
        let (sender, receiver) = farcall::oneshot();
        sender.send(2).map_err(|(_, why)| why)?;
        Ok(receiver)
    }
    async fn latest(&self, values: LatestReceiver<u64>) -> farcall::Result<LatestReceiver<u64>> {
        let (sender, receiver) = farcall::latest();
        tokio::spawn(follow(values, sender));
        Ok(receiver)
    }
    async fn relay(
        &self,
        into: LatestSender<u64>,
        answer: OneReceiver<u64>,
    ) -> farcall::Result<OneSender<u64>> {
        into.set(answer.await?).map_err(|(_, why)| why)?;
        let (sender, receiver) = farcall::oneshot();
        tokio::spawn(async move {
            into.set(receiver.await?).map_err(|(_, why)| why)?;
            into.finish();
            Ok::<_, farcall::Error>(())
        });
        Ok(sender)
    }
    async fn cross(&self, arms: Arms) -> farcall::Result<Arms> {
        let (one, to_one) = (farcall::oneshot(), farcall::oneshot());
        let ((theirs, from), latest) = (arms.one, arms.latest);
        tokio::spawn(async move { theirs.send(to_one.1.await?).map_err(|(_, why)| why) });
        tokio::spawn(async move { one.0.send(from.await?).map_err(|(_, why)| why) });
        let latest = latest.map(|(theirs, from)| {
            let (back, there) = (farcall::latest(), farcall::latest());
            tokio::spawn(follow(there.1, theirs));
            tokio::spawn(follow(from, back.0));
            (there.0, back.1)
        });
        Ok(Arms { one: (to_one.0, one.1), latest })
    }
    async fn quick(&self, number: u64) -> farcall::Result<u64> {
        Ok(number)
    }
    async fn springs(&self, count: u64) -> farcall::Result<Receiver<Remote<dyn River>>> {
        let (sender, receiver) = farcall::channel(1000);
        for _ in 0..count {
            sender.send(Remote::new(Self::default())).await?;
        }
        sender.finish();
        Ok(receiver)
    }
}

async fn follow(mut values: LatestReceiver<u64>, into: LatestSender<u64>) {
    while let Some(Ok(value)) = values.changed().await {
        let _ = into.set(value);
    }
    into.finish();
}
