//! Peer: tonic, which is gRPC over HTTP/2, with prost. What `protoc` would write is written by hand.

use std::convert::Infallible;
use std::future::ready;
use std::task::{Context, Poll};

use anyhow::{Result, bail};
use bytes::Bytes;
use futures::stream::{self, Iter, Stream};
use tokio::net::{TcpListener, UnixListener};
use tonic::body::Body;
use tonic::client;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::codegen::{BoxFuture, Service, http};
use tonic::server::{self, ServerStreamingService, UnaryService};
use tonic::transport::{Channel, Endpoint, Server};
use tonic::{Request, Response, Status, Streaming};
use tonic_prost::ProstCodec;

use crate::calls::Sent;
use crate::client::{AsyncDriver, Client, Flavour};
use crate::driver::Driver;
use crate::placement::Placement;
use crate::row::{Address, Row, Transport};
use crate::work::{self, Work};

/// This file's rows.
pub const ROWS: &[&dyn Row] = &[&Tonic(Flavour::CurrentThread), &Tonic(Flavour::MultiThread)];

struct Tonic(Flavour);

impl Row for Tonic {
    fn name(&self) -> &'static str {
        match self.0 {
            Flavour::CurrentThread => "tonic-ct",
            Flavour::MultiThread => "tonic-mt",
        }
    }

    fn about(&self) -> &'static str {
        match self.0 {
            Flavour::CurrentThread => {
                "tonic 0.14 with prost and `Bytes`, TCP_NODELAY, windows of 16 MiB, raised limits; \
                 tokio with one thread at both ends"
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
            Work::Stream(_) | Work::Mixed(_) => true,
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

#[derive(Clone, PartialEq, prost::Message)]
struct Pair {
    #[prost(uint64, tag = "1")]
    a: u64,
    #[prost(uint64, tag = "2")]
    b: u64,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Number {
    #[prost(uint64, tag = "1")]
    value: u64,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Data {
    #[prost(bytes = "bytes", tag = "1")]
    bytes: Bytes,
}

/// Which stream is wanted.
#[derive(Clone, PartialEq, prost::Message)]
struct Extent {
    #[prost(uint64, tag = "1")]
    items: u64,
    #[prost(uint64, tag = "2")]
    length: u64,
}

/// An item of a stream whose items are small.
#[derive(Clone, PartialEq, prost::Message)]
struct Item {
    #[prost(double, repeated, tag = "1")]
    words: Vec<f64>,
}

const ADD: &str = "/bench.Bench/Add";
const ECHO: &str = "/bench.Bench/Echo";
const SUM: &str = "/bench.Bench/Sum";
const TOIL: &str = "/bench.Bench/Toil";
const SMALL: &str = "/bench.Bench/Small";
const LARGE: &str = "/bench.Bench/Large";

#[derive(Clone)]
struct Servant;

impl Service<http::Request<Body>> for Servant {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        Box::pin(async move {
            Ok(match request.uri().path() {
                ADD => answer(request, |Pair { a, b }| Number { value: a.wrapping_add(b) }).await,
                ECHO => answer(request, |data: Data| data).await,
                SUM => answer(request, |Data { bytes }| Number { value: work::sum(&bytes) }).await,
                TOIL => answer(request, |()| Number { value: work::toil() }).await,
                SMALL => send_all(request, small).await,
                LARGE => send_all(request, large).await,
                _ => Status::unimplemented("the service has no such method").into_http(),
            })
        })
    }
}

fn small(Extent { items, .. }: Extent) -> impl Iterator<Item = Item> {
    (0..items).map(|number| Item { words: vec![number as f64; 8] })
}

fn large(Extent { items, length }: Extent) -> impl Iterator<Item = Data> {
    let item = Data { bytes: work::pattern(length as usize).into() };
    (0..items).map(move |_| item.clone())
}

/// Answers a call by `method`.
async fn answer<Q, A>(request: http::Request<Body>, method: fn(Q) -> A) -> http::Response<Body>
where
    Q: prost::Message + Default + 'static,
    A: prost::Message + 'static,
{
    grpc().unary(Method(method), request).await
}

/// Answers a call by a stream of what `method` gives.
async fn send_all<Q, I>(request: http::Request<Body>, method: fn(Q) -> I) -> http::Response<Body>
where
    Q: prost::Message + Default + 'static,
    I: Iterator<Item: prost::Message + 'static> + Send + 'static,
{
    grpc().server_streaming(Method(method), request).await
}

fn grpc<A, Q>() -> server::Grpc<ProstCodec<A, Q>>
where
    A: prost::Message + 'static,
    Q: prost::Message + Default + 'static,
{
    server::Grpc::new(ProstCodec::new()).max_decoding_message_size(work::MAX_FRAME)
}

struct Method<Q, A>(fn(Q) -> A);

impl<Q, A> UnaryService<Q> for Method<Q, A> {
    type Response = A;
    type Future = std::future::Ready<Result<Response<A>, Status>>;

    fn call(&mut self, request: Request<Q>) -> Self::Future {
        ready(Ok(Response::new(self.0(request.into_inner()))))
    }
}

/// Items that are there at once, as tonic wants them.
type Items<I> =
    Iter<std::iter::Map<I, fn(<I as Iterator>::Item) -> Result<<I as Iterator>::Item, Status>>>;

impl<Q, I: Iterator> ServerStreamingService<Q> for Method<Q, I> {
    type Response = I::Item;
    type ResponseStream = Items<I>;
    type Future = std::future::Ready<Result<Response<Items<I>>, Status>>;

    fn call(&mut self, request: Request<Q>) -> Self::Future {
        let items = self.0(request.into_inner()).map(Ok as fn(_) -> _);
        ready(Ok(Response::new(stream::iter(items))))
    }
}

async fn serve(address: &Address, ready: &dyn Fn(&Address)) -> Result<()> {
    let server = Server::builder()
        .initial_stream_window_size(WINDOW)
        .initial_connection_window_size(WINDOW)
        .max_frame_size(FRAME)
        .max_concurrent_streams(MAX_CALLS as u32);
    match address {
        Address::Unix(path) => {
            let listener = UnixListener::bind(path)?;
            ready(address);
            let accepted = accepted(listener, async |listener| Ok(listener.accept().await?.0));
            server.serve_with_incoming(Servant, accepted).await?;
        }
        Address::Tcp(socket) => {
            let listener = TcpListener::bind(socket).await?;
            ready(&Address::Tcp(listener.local_addr()?));
            let accepted = accepted(listener, async |listener| {
                let (stream, _) = listener.accept().await?;
                stream.set_nodelay(true)?;
                Ok(stream)
            });
            server.serve_with_incoming(Servant, accepted).await?;
        }
        Address::Inproc(_) | Address::Shm(_) | Address::Queue(_) => {
            bail!("tonic is not measured at {address}")
        }
    }
    Ok(())
}

/// Whoever connects.
fn accepted<L, S>(
    listener: L,
    accept: impl AsyncFn(&L) -> std::io::Result<S>,
) -> impl Stream<Item = std::io::Result<S>> {
    stream::unfold((listener, accept), async |(listener, accept)| {
        Some((accept(&listener).await, (listener, accept)))
    })
}

#[derive(Clone)]
struct BenchClient(client::Grpc<Channel>);

impl BenchClient {
    async fn call<Q, A>(&self, path: &'static str, message: Q) -> Result<A>
    where
        Q: prost::Message + 'static,
        A: prost::Message + Default + 'static,
    {
        let mut grpc = self.0.clone();
        grpc.ready().await?;
        let path = PathAndQuery::from_static(path);
        Ok(grpc.unary(Request::new(message), path, ProstCodec::new()).await?.into_inner())
    }

    async fn open<A>(&self, path: &'static str, message: Extent) -> Result<Streaming<A>>
    where
        A: prost::Message + Default + 'static,
    {
        let mut grpc = self.0.clone();
        grpc.ready().await?;
        let path = PathAndQuery::from_static(path);
        let request = Request::new(message);
        Ok(grpc.server_streaming(request, path, ProstCodec::new()).await?.into_inner())
    }
}

impl Client for BenchClient {
    const SENT: Sent = Sent::WhenPolled;
    type Echoed = Bytes;

    async fn connect(address: &str) -> Result<Self> {
        let address = match address.parse()? {
            Address::Unix(_) => address.to_owned(),
            Address::Tcp(socket) => format!("http://{socket}"),
            address @ (Address::Inproc(_) | Address::Shm(_) | Address::Queue(_)) => {
                bail!("tonic is not measured at {address}")
            }
        };
        let endpoint = Endpoint::from_shared(address)?
            .tcp_nodelay(true)
            .buffer_size(MAX_CALLS)
            .initial_stream_window_size(WINDOW)
            .initial_connection_window_size(WINDOW)
            .max_frame_size(FRAME);
        let grpc = client::Grpc::new(endpoint.connect().await?);
        Ok(Self(grpc.max_decoding_message_size(work::MAX_FRAME)))
    }

    async fn add(&self, a: u64, b: u64) -> Result<u64> {
        Ok(self.call::<_, Number>(ADD, Pair { a, b }).await?.value)
    }

    async fn echo(&self, data: &Bytes) -> Result<Bytes> {
        Ok(self.call::<_, Data>(ECHO, Data { bytes: data.clone() }).await?.bytes)
    }

    async fn sum(&self, data: &Bytes) -> Result<u64> {
        Ok(self.call::<_, Number>(SUM, Data { bytes: data.clone() }).await?.value)
    }

    async fn toil(&self) -> Result<u64> {
        Ok(self.call::<_, Number>(TOIL, ()).await?.value)
    }

    async fn small(&self, items: u64) -> Result<u64> {
        let (mut received, mut sum) =
            (self.open::<Item>(SMALL, Extent { items, length: 0 }).await?, 0);
        while let Some(item) = received.message().await? {
            sum += item.words.first().map_or(0, |word| *word as u64);
        }
        Ok(sum)
    }

    async fn large(&self, items: u64, length: usize) -> Result<u64> {
        let extent = Extent { items, length: length as u64 };
        let (mut received, mut bytes) = (self.open::<Data>(LARGE, extent).await?, 0);
        while let Some(item) = received.message().await? {
            bytes += item.bytes.len() as u64;
        }
        Ok(bytes)
    }
}

const MAX_CALLS: usize = 4096;
/// No call and no stream waits for an update of a window.
const WINDOW: u32 = 16 << 20;
/// The largest frame of HTTP/2 that either side takes; its default is 16 KiB.
const FRAME: u32 = 128 << 10;
