//! Peer: remoc's remote traits over TCP and Unix sockets.

use std::sync::Arc;

use anyhow::{Result, anyhow, bail};
use bytes::Bytes;
use remoc::prelude::*;
use remoc::rtc::CallError;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};

use crate::client::Flavour;
use crate::driver::Driver;
use crate::objects::{self, Objects, ObjectsDriver, Small};
use crate::placement::Placement;
use crate::row::{Address, Row, Transport};
use crate::work::{self, Work};

/// This file's rows.
pub const ROWS: &[&dyn Row] = &[&Remoc];

struct Remoc;

impl Row for Remoc {
    fn name(&self) -> &'static str {
        "remoc"
    }

    fn about(&self) -> &'static str {
        "remoc 0.20 with its default codec, TCP_NODELAY; a shared server for each object; tokio with one thread at \
         both ends; a chain by its pipelined methods"
    }

    fn transports(&self) -> &'static [Transport] {
        Transport::SOCKETS
    }

    fn offers(&self, _: Placement, work: Work) -> bool {
        objects::offers(work)
    }

    fn stands(&self) -> bool {
        false
    }

    fn serve(&self, address: &Address, ready: &dyn Fn(&Address)) -> Result<()> {
        Flavour::CurrentThread.build()?.block_on(serve(address, ready))
    }

    fn connect(&self, address: &Address) -> Result<Box<dyn Driver>> {
        let runtime = Flavour::CurrentThread.build()?;
        Ok(Box::new(ObjectsDriver::<Client>::connect(runtime, &address.to_string())?))
    }
}

#[rtc::remote]
trait Adder {
    async fn add(&self, a: u64, b: u64) -> Result<u64, CallError>;
}

#[rtc::remote]
trait Step {
    #[pipelinable]
    async fn next(&self) -> Result<StepClient, CallError>;
    async fn number(&self) -> Result<u64, CallError>;
}

#[rtc::remote]
trait Factory {
    async fn add(&self, a: u64, b: u64) -> Result<u64, CallError>;
    async fn make(&self) -> Result<AdderClient, CallError>;
    /// An object whose calls call `adder` back.
    async fn back(&self, adder: AdderClient) -> Result<AdderClient, CallError>;
    #[pipelinable]
    async fn first(&self) -> Result<StepClient, CallError>;
    async fn small(&self, items: u64) -> Result<rch::mpsc::Receiver<Small>, CallError>;
    async fn large(&self, items: u64, length: u64)
    -> Result<rch::mpsc::Receiver<Bytes>, CallError>;
}

struct Servant;

struct Sum;

struct Back(AdderClient);

struct Number(u64);

impl Adder for Sum {
    async fn add(&self, a: u64, b: u64) -> Result<u64, CallError> {
        Ok(a.wrapping_add(b))
    }
}

impl Adder for Back {
    async fn add(&self, a: u64, b: u64) -> Result<u64, CallError> {
        self.0.add(a, b).await
    }
}

impl Step for Number {
    async fn next(&self) -> Result<StepClient, CallError> {
        Ok(step(self.0 + 1))
    }

    async fn number(&self) -> Result<u64, CallError> {
        Ok(self.0 + 1)
    }
}

impl Factory for Servant {
    async fn add(&self, a: u64, b: u64) -> Result<u64, CallError> {
        Ok(a.wrapping_add(b))
    }

    async fn make(&self) -> Result<AdderClient, CallError> {
        Ok(served(Sum))
    }

    async fn back(&self, adder: AdderClient) -> Result<AdderClient, CallError> {
        Ok(served(Back(adder)))
    }

    async fn first(&self) -> Result<StepClient, CallError> {
        Ok(step(1))
    }

    async fn small(&self, items: u64) -> Result<rch::mpsc::Receiver<Small>, CallError> {
        let (sender, receiver) = rch::mpsc::with_local_buffer(4096);
        tokio::spawn(async move {
            for item in 0..items {
                if sender.send([item as f64; 8]).await.is_err() {
                    break;
                }
            }
        });
        Ok(receiver)
    }

    async fn large(
        &self,
        items: u64,
        length: u64,
    ) -> Result<rch::mpsc::Receiver<Bytes>, CallError> {
        let (sender, receiver) = rch::mpsc::with_local_buffer(16);
        let item = Bytes::from(work::pattern(length as usize));
        tokio::spawn(async move {
            for _ in 0..items {
                if sender.send(item.clone()).await.is_err() {
                    break;
                }
            }
        });
        Ok(receiver)
    }
}

/// An object, served by a task until its client is gone.
fn served(adder: impl Adder + Send + Sync + 'static) -> AdderClient {
    let (server, client) = AdderServerShared::<_, remoc::codec::Default>::new(Arc::new(adder));
    tokio::spawn(async move { server.serve().await });
    client
}

fn step(number: u64) -> StepClient {
    let (server, client) =
        StepServerShared::<_, remoc::codec::Default>::new(Arc::new(Number(number)));
    tokio::spawn(async move { server.serve().await });
    client
}

async fn serve(address: &Address, ready: &dyn Fn(&Address)) -> Result<()> {
    match address {
        Address::Unix(path) => {
            let listener = UnixListener::bind(path)?;
            ready(address);
            loop {
                let (rx, tx) = listener.accept().await?.0.into_split();
                tokio::spawn(serve_one(rx, tx));
            }
        }
        Address::Tcp(socket) => {
            let listener = TcpListener::bind(socket).await?;
            ready(&Address::Tcp(listener.local_addr()?));
            loop {
                let (stream, _) = listener.accept().await?;
                stream.set_nodelay(true)?;
                let (rx, tx) = stream.into_split();
                tokio::spawn(serve_one(rx, tx));
            }
        }
        Address::Inproc(_) | Address::Shm(_) | Address::Queue(_) => {
            bail!("remoc is not measured at {address}")
        }
    }
}

async fn serve_one<R, W>(rx: R, tx: W) -> Result<()>
where
    R: AsyncRead + Send + Sync + Unpin + 'static,
    W: AsyncWrite + Send + Sync + Unpin + 'static,
{
    let (server, client) = FactoryServerShared::<_, remoc::codec::Default>::new(Arc::new(Servant));
    remoc::Connect::io(remoc::Cfg::default(), rx, tx).provide(client).await?;
    server.serve().await.map_err(|error| anyhow!("{error}"))
}

#[derive(Clone)]
struct Client {
    factory: FactoryClient,
    back: AdderClient,
}

impl Client {
    async fn new(factory: FactoryClient) -> Result<Self> {
        let back = factory.back(served(Sum)).await?;
        Ok(Self { factory, back })
    }
}

impl Objects for Client {
    type Member = AdderClient;

    async fn connect(address: &str) -> Result<Self> {
        match address.parse()? {
            Address::Unix(path) => {
                let (rx, tx) = UnixStream::connect(path).await?.into_split();
                Self::new(remoc::Connect::io(remoc::Cfg::default(), rx, tx).consume().await?).await
            }
            Address::Tcp(socket) => {
                let stream = TcpStream::connect(socket).await?;
                stream.set_nodelay(true)?;
                let (rx, tx) = stream.into_split();
                Self::new(remoc::Connect::io(remoc::Cfg::default(), rx, tx).consume().await?).await
            }
            address @ (Address::Inproc(_) | Address::Shm(_) | Address::Queue(_)) => {
                bail!("remoc is not measured at {address}")
            }
        }
    }

    async fn add(&self, a: u64, b: u64) -> Result<u64> {
        Ok(self.factory.add(a, b).await?)
    }

    async fn make(&self) -> Result<AdderClient> {
        Ok(self.factory.make().await?)
    }

    async fn add_by(member: &AdderClient, a: u64, b: u64) -> Result<u64> {
        Ok(member.add(a, b).await?)
    }

    async fn call_back(&self, a: u64, b: u64) -> Result<u64> {
        Ok(self.back.add(a, b).await?)
    }

    async fn chain(&self, hops: usize) -> Result<u64> {
        let Some(further) = hops.checked_sub(2) else { bail!("a chain has two calls at least") };
        let (requests, mut step) = StepReqReceiver::new();
        let mut calls = vec![self.factory.first_pipelined(requests).await];
        for _ in 0..further {
            let (requests, next) = StepReqReceiver::new();
            calls.push(step.next_pipelined(requests).await);
            step = next;
        }
        let number = step.number().await?;
        for call in calls {
            call.await?;
        }
        Ok(number)
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
        while let Some(item) = received.recv().await? {
            sum += item[0] as u64;
        }
        Ok(sum)
    }

    async fn large(&self, items: u64, length: usize) -> Result<u64> {
        let (mut received, mut bytes) = (self.factory.large(items, length as u64).await?, 0);
        while let Some(item) = received.recv().await? {
            bytes += item.len() as u64;
        }
        Ok(bytes)
    }
}
