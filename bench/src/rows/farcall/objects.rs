//! Objects that calls return, and objects that calls take: both ends are tokio with one thread.

use anyhow::{Result, bail};
use bytes::Bytes;
use farcall::{Call, Receiver, Remote};

use super::{Flavour, service, stay};
use crate::driver::Driver;
use crate::objects::{self, Objects, ObjectsDriver, Small};
use crate::placement::Placement;
use crate::row::{Address, Row, Transport};
use crate::work::{self, Work};

/// This file's rows.
pub const ROWS: &[&dyn Row] = &[&FarcallObjects];

struct FarcallObjects;

impl Row for FarcallObjects {
    fn name(&self) -> &'static str {
        "farcall-objects"
    }

    fn about(&self) -> &'static str {
        "farcall's objects; tokio with one thread at both ends, the client awaits"
    }

    fn transports(&self) -> &'static [Transport] {
        &[Transport::Shm, Transport::Unix, Transport::Tcp]
    }

    fn offers(&self, _: Placement, work: Work) -> bool {
        objects::offers(work)
    }

    fn stands(&self) -> bool {
        false
    }

    fn serve(&self, address: &Address, ready: &dyn Fn(&Address)) -> Result<()> {
        let servant = Remote::<dyn Factory>::new(Servant);
        let server = farcall::Server::new().export("bench", servant).listen(&address.to_string());
        Flavour::CurrentThread.build()?.block_on(async { stay(server.start().await?, ready).await })
    }

    fn connect(&self, address: &Address) -> Result<Box<dyn Driver>> {
        let runtime = Flavour::CurrentThread.build()?;
        Ok(Box::new(ObjectsDriver::<Client>::connect(runtime, &address.to_string())?))
    }
}

#[farcall::remote]
trait Adder {
    async fn add(&self, a: u64, b: u64) -> farcall::Result<u64>;
}

#[farcall::remote]
trait Step {
    async fn next(&self) -> farcall::Result<Remote<dyn Step>>;
    async fn number(&self) -> farcall::Result<u64>;
}

#[farcall::remote]
trait Factory {
    async fn add(&self, a: u64, b: u64) -> farcall::Result<u64>;
    async fn make(&self) -> farcall::Result<Remote<dyn Adder>>;
    /// An object whose calls call `adder` back.
    async fn back(&self, adder: Remote<dyn Adder>) -> farcall::Result<Remote<dyn Adder>>;
    async fn first(&self) -> farcall::Result<Remote<dyn Step>>;
    async fn small(&self, items: u64) -> farcall::Result<Receiver<Small>>;
    async fn large(&self, items: u64, length: usize) -> farcall::Result<Receiver<Bytes>>;
}

struct Servant;

struct Sum;

struct Back(Remote<dyn Adder>);

struct Number(u64);

impl Adder for Sum {
    async fn add(&self, a: u64, b: u64) -> farcall::Result<u64> {
        Ok(a.wrapping_add(b))
    }
}

impl Adder for Back {
    async fn add(&self, a: u64, b: u64) -> farcall::Result<u64> {
        self.0.add(a, b).await
    }
}

impl Step for Number {
    async fn next(&self) -> farcall::Result<Remote<dyn Step>> {
        Ok(Remote::new(Self(self.0 + 1)))
    }

    async fn number(&self) -> farcall::Result<u64> {
        Ok(self.0 + 1)
    }
}

impl Factory for Servant {
    async fn add(&self, a: u64, b: u64) -> farcall::Result<u64> {
        Ok(a.wrapping_add(b))
    }

    async fn make(&self) -> farcall::Result<Remote<dyn Adder>> {
        Ok(Remote::new(Sum))
    }

    async fn back(&self, adder: Remote<dyn Adder>) -> farcall::Result<Remote<dyn Adder>> {
        Ok(Remote::new(Back(adder)))
    }

    async fn first(&self) -> farcall::Result<Remote<dyn Step>> {
        Ok(Remote::new(Number(1)))
    }

    async fn small(&self, items: u64) -> farcall::Result<Receiver<Small>> {
        let (sender, receiver) = farcall::channel(4096);
        tokio::spawn(async move {
            for item in 0..items {
                sender.send([item as f64; 8]).await?;
            }
            sender.finish();
            Ok::<_, farcall::Error>(())
        });
        Ok(receiver)
    }

    async fn large(&self, items: u64, length: usize) -> farcall::Result<Receiver<Bytes>> {
        let (sender, receiver) = farcall::channel(16);
        let item = Bytes::from(work::pattern(length));
        tokio::spawn(async move {
            for _ in 0..items {
                sender.send(item.clone()).await?;
            }
            sender.finish();
            Ok::<_, farcall::Error>(())
        });
        Ok(receiver)
    }
}

#[derive(Clone)]
struct Client {
    factory: Remote<dyn Factory>,
    back: Remote<dyn Adder>,
}

impl Objects for Client {
    type Member = Remote<dyn Adder>;

    async fn connect(address: &str) -> Result<Self> {
        let factory = farcall::connect::<dyn Factory>(&service(address)).await?;
        let back = factory.back(Remote::new(Sum)).await?;
        Ok(Self { factory, back })
    }

    async fn add(&self, a: u64, b: u64) -> Result<u64> {
        Ok(self.factory.add(a, b).await?)
    }

    async fn make(&self) -> Result<Remote<dyn Adder>> {
        Ok(self.factory.make().await?)
    }

    async fn add_by(member: &Remote<dyn Adder>, a: u64, b: u64) -> Result<u64> {
        Ok(member.add(a, b).await?)
    }

    async fn call_back(&self, a: u64, b: u64) -> Result<u64> {
        Ok(self.back.add(a, b).await?)
    }

    async fn chain(&self, hops: usize) -> Result<u64> {
        let Some(further) = hops.checked_sub(2) else { bail!("a chain has two calls at least") };
        let mut step: Call<Remote<dyn Step>> = self.factory.first();
        for _ in 0..further {
            step = step.next();
        }
        Ok(step.number().await?)
    }

    async fn steps(&self, hops: usize) -> Result<u64> {
        let mut step = self.factory.first().await?;
        for _ in 2..hops {
            step = step.next().await?;
        }
        Ok(step.number().await?)
    }

    async fn small(&self, items: u64) -> Result<u64> {
        let (mut received, mut sum) = (self.factory.small(items).await?, 0);
        while let Some(item) = received.recv().await {
            sum += item?[0] as u64;
        }
        Ok(sum)
    }

    async fn large(&self, items: u64, length: usize) -> Result<u64> {
        let (mut received, mut bytes) = (self.factory.large(items, length).await?, 0);
        while let Some(item) = received.recv().await {
            bytes += item?.len() as u64;
        }
        Ok(bytes)
    }
}
