//! Peer: tarpc over its `serde_transport`, with bincode.

use std::future::Future;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use bytes::Bytes;
use futures::{Stream, StreamExt};
use tarpc::serde_transport;
use tarpc::server::{self, BaseChannel, Channel};
use tarpc::tokio_serde::formats::Bincode;
use tarpc::tokio_util::codec::length_delimited::{Builder, LengthDelimitedCodec};
use tarpc::{client, context};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};

use crate::calls::Sent;
use crate::client::{AsyncDriver, Client, Flavour};
use crate::driver::Driver;
use crate::placement::Placement;
use crate::row::{Address, Row, Transport};
use crate::work::{self, Work};

/// This file's rows.
pub const ROWS: &[&dyn Row] = &[&Tarpc(Flavour::CurrentThread), &Tarpc(Flavour::MultiThread)];

struct Tarpc(Flavour);

impl Row for Tarpc {
    fn name(&self) -> &'static str {
        match self.0 {
            Flavour::CurrentThread => "tarpc-ct",
            Flavour::MultiThread => "tarpc-mt",
        }
    }

    fn about(&self) -> &'static str {
        match self.0 {
            Flavour::CurrentThread => {
                "tarpc 0.38 with bincode and `Bytes`, TCP_NODELAY, raised limits; tokio with one \
                 thread at both ends"
            }
            Flavour::MultiThread => "the same; tokio with two workers at both ends",
        }
    }

    fn transports(&self) -> &'static [Transport] {
        Transport::SOCKETS
    }

    fn offers(&self, _: Placement, work: Work) -> bool {
        match work {
            Work::Light | Work::Beside => matches!(self.0, Flavour::MultiThread),
            Work::Mixed(_) => true,
            _ => work.is_universal(),
        }
    }

    fn serve(&self, address: &Address, ready: &dyn Fn(&Address)) -> Result<()> {
        self.0.build()?.block_on(serve(address, ready))
    }

    fn connect(&self, address: &Address) -> Result<Box<dyn Driver>> {
        Ok(Box::new(AsyncDriver::<BenchClient>::connect(self.0.build()?, &address.to_string())?))
    }
}

#[tarpc::service]
trait Bench {
    async fn add(a: u64, b: u64) -> u64;
    async fn echo(data: Bytes) -> Bytes;
    async fn sum(data: Bytes) -> u64;
    async fn toil() -> u64;
}

#[derive(Clone)]
struct Servant;

impl Bench for Servant {
    async fn add(self, _: context::Context, a: u64, b: u64) -> u64 {
        a.wrapping_add(b)
    }

    async fn echo(self, _: context::Context, data: Bytes) -> Bytes {
        data
    }

    async fn sum(self, _: context::Context, data: Bytes) -> u64 {
        work::sum(&data)
    }

    async fn toil(self, _: context::Context) -> u64 {
        work::toil()
    }
}

async fn serve(address: &Address, ready: &dyn Fn(&Address)) -> Result<()> {
    match address {
        Address::Unix(path) => {
            let listener = UnixListener::bind(path)?;
            ready(address);
            loop {
                tokio::spawn(serve_one(listener.accept().await?.0));
            }
        }
        Address::Tcp(socket) => {
            let listener = TcpListener::bind(socket).await?;
            ready(&Address::Tcp(listener.local_addr()?));
            loop {
                let (stream, _) = listener.accept().await?;
                stream.set_nodelay(true)?;
                tokio::spawn(serve_one(stream));
            }
        }
        Address::Inproc(_) | Address::Shm(_) | Address::Queue(_) => {
            bail!("tarpc is not measured at {address}")
        }
    }
}

async fn serve_one(stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) {
    let config = server::Config { pending_response_buffer: MAX_CALLS };
    let transport = serde_transport::new(codec().new_framed(stream), Bincode::default());
    answer_all(BaseChannel::new(config, transport).execute(Servant.serve())).await;
}

/// A task for each call, as tarpc's documentation has it.
async fn answer_all(calls: impl Stream<Item = impl Future<Output = ()> + Send + 'static>) {
    calls
        .for_each(|call| async {
            tokio::spawn(call);
        })
        .await;
}

impl Client for BenchClient {
    const SENT: Sent = Sent::WhenPolled;
    type Echoed = Bytes;

    async fn connect(address: &str) -> Result<Self> {
        let mut config = client::Config::default();
        config.max_in_flight_requests = MAX_CALLS;
        config.pending_request_buffer = MAX_CALLS;
        match address.parse()? {
            Address::Unix(path) => {
                let framed = codec().new_framed(UnixStream::connect(path).await?);
                Ok(Self::new(config, serde_transport::new(framed, Bincode::default())).spawn())
            }
            Address::Tcp(socket) => {
                let stream = TcpStream::connect(socket).await?;
                stream.set_nodelay(true)?;
                let framed = codec().new_framed(stream);
                Ok(Self::new(config, serde_transport::new(framed, Bincode::default())).spawn())
            }
            address @ (Address::Inproc(_) | Address::Shm(_) | Address::Queue(_)) => {
                bail!("tarpc is not measured at {address}")
            }
        }
    }

    async fn add(&self, a: u64, b: u64) -> Result<u64> {
        Ok(Self::add(self, patient(), a, b).await?)
    }

    async fn echo(&self, data: &Bytes) -> Result<Bytes> {
        Ok(Self::echo(self, patient(), data.clone()).await?)
    }

    async fn sum(&self, data: &Bytes) -> Result<u64> {
        Ok(Self::sum(self, patient(), data.clone()).await?)
    }

    async fn toil(&self) -> Result<u64> {
        Ok(Self::toil(self, patient()).await?)
    }
}

/// A context whose deadline no call of this comparison reaches.
fn patient() -> context::Context {
    let mut context = context::current();
    context.deadline = Instant::now() + Duration::from_secs(60);
    context
}

fn codec() -> Builder {
    let mut codec = LengthDelimitedCodec::builder();
    codec.max_frame_length(work::MAX_FRAME);
    codec
}

const MAX_CALLS: usize = 4096;
