//! farcall's own rows: a blocking client, and asynchronous ones on both kinds of runtime.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::channel;

use anyhow::Result;
use bytes::Bytes;
use farcall::Remote;

use crate::calls::Sent;
use crate::client::{AsyncDriver, Client, Flavour};
use crate::driver::Driver;
use crate::placement::Placement;
use crate::row::{Address, Row, Transport};
use crate::work::{self, Work};
use waiting::WaitDriver;

pub mod letters;
pub mod mirror;
pub mod objects;
pub mod payloads;
mod trust;
mod waiting;
pub mod workers;

/// This file's rows.
pub const ROWS: &[&dyn Row] = &[
    &Farcall(Style::Wait, Spin::Adaptive),
    &Farcall(Style::Await(Flavour::CurrentThread), Spin::Adaptive),
    &Farcall(Style::Await(Flavour::MultiThread), Spin::Adaptive),
    &Farcall(Style::Wait, Spin::Off),
    &Farcall(Style::Await(Flavour::CurrentThread), Spin::Off),
];

struct Farcall(Style, Spin);

/// How the client waits for its calls.
#[derive(Clone, Copy)]
enum Style {
    /// `.wait()`, on threads without a runtime.
    Wait,
    /// `.await`
    Await(Flavour),
}

/// What both ends do before they sleep.
#[derive(Clone, Copy)]
enum Spin {
    /// What an address means that says nothing.
    Adaptive,
    /// `?spin=off`
    Off,
}

impl Row for Farcall {
    fn name(&self) -> &'static str {
        match (self.0, self.1) {
            (Style::Wait, Spin::Adaptive) => "farcall-wait",
            (Style::Await(Flavour::CurrentThread), Spin::Adaptive) => "farcall-ct",
            (Style::Await(Flavour::MultiThread), Spin::Adaptive) => "farcall-mt",
            (Style::Wait, Spin::Off) => "farcall-wait-off",
            (Style::Await(Flavour::CurrentThread), Spin::Off) => "farcall-ct-off",
            (Style::Await(Flavour::MultiThread), Spin::Off) => "farcall-mt-off",
        }
    }

    fn about(&self) -> &'static str {
        match (self.0, self.1) {
            (Style::Wait, Spin::Adaptive) => {
                "farcall; the client calls `.wait()` outside any runtime, the server is tokio with \
                 one thread"
            }
            (Style::Await(Flavour::CurrentThread), Spin::Adaptive) => {
                "farcall; tokio with one thread at both ends"
            }
            (Style::Await(Flavour::MultiThread), Spin::Adaptive) => {
                "farcall; the client is tokio with two workers, the server with one thread"
            }
            (Style::Wait, Spin::Off) => "`farcall-wait` with `?spin=off` at both ends",
            (Style::Await(Flavour::CurrentThread), Spin::Off) => {
                "`farcall-ct` with `?spin=off` at both ends"
            }
            (Style::Await(Flavour::MultiThread), Spin::Off) => {
                "`farcall-mt` with `?spin=off` at both ends"
            }
        }
    }

    fn transports(&self) -> &'static [Transport] {
        match self.1 {
            Spin::Adaptive => &[Transport::Inproc, Transport::Shm, Transport::Unix, Transport::Tcp],
            Spin::Off => &[Transport::Shm, Transport::Unix],
        }
    }

    fn offers(&self, _: Placement, work: Work) -> bool {
        match self.1 {
            Spin::Adaptive => {
                let others = matches!(work, Work::Oneway(_) | Work::Mixed(_) | Work::LETTER_CALL);
                work.is_universal() || others
            }
            Spin::Off => work == Work::Add,
        }
    }

    fn stands(&self) -> bool {
        matches!(self.1, Spin::Adaptive)
    }

    fn serve(&self, address: &Address, ready: &dyn Fn(&Address)) -> Result<()> {
        Flavour::CurrentThread.build()?.block_on(serve(&self.1.at(address), ready))
    }

    fn connect(&self, address: &Address) -> Result<Box<dyn Driver>> {
        let is_inproc = matches!(address, Address::Inproc(_));
        let address = &self.1.at(address);
        match self.0 {
            Style::Wait => {
                if is_inproc {
                    serve_on_a_thread(address)?;
                }
                Ok(Box::new(WaitDriver::connect(address)?))
            }
            Style::Await(flavour) => {
                let runtime = flavour.build()?;
                if is_inproc {
                    // It serves as long as the process lives.
                    std::mem::forget(runtime.block_on(start(address))?);
                }
                Ok(Box::new(AsyncDriver::<BenchClient>::connect(runtime, address)?))
            }
        }
    }
}

impl Spin {
    /// The address as farcall reads it.
    fn at(self, address: &Address) -> String {
        match self {
            Self::Adaptive => address.to_string(),
            Self::Off => format!("{address}?spin=off"),
        }
    }
}

#[farcall::remote]
trait Bench {
    async fn add(&self, a: u64, b: u64) -> farcall::Result<u64>;
    async fn echo(&self, data: &[u8]) -> farcall::Result<Vec<u8>>;
    async fn sum(&self, data: &[u8]) -> farcall::Result<u64>;
    #[remote(oneway)]
    async fn push(&self, data: &[u8]) -> farcall::Result<()>;
    async fn pushed(&self) -> farcall::Result<u64>;
    #[remote(unordered)]
    async fn toil(&self) -> farcall::Result<u64>;
}

#[derive(Default)]
struct Servant {
    pushed: AtomicU64,
}

impl Bench for Servant {
    async fn add(&self, a: u64, b: u64) -> farcall::Result<u64> {
        Ok(a.wrapping_add(b))
    }

    async fn echo(&self, data: &[u8]) -> farcall::Result<Vec<u8>> {
        Ok(data.to_vec())
    }

    async fn sum(&self, data: &[u8]) -> farcall::Result<u64> {
        Ok(work::sum(data))
    }

    async fn push(&self, data: &[u8]) -> farcall::Result<()> {
        std::hint::black_box(data);
        self.pushed.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    async fn pushed(&self) -> farcall::Result<u64> {
        Ok(self.pushed.load(Ordering::Relaxed))
    }

    async fn toil(&self) -> farcall::Result<u64> {
        Ok(work::toil())
    }
}

async fn start(address: &str) -> farcall::Result<farcall::Running> {
    farcall::Server::new()
        .export("bench", Remote::<dyn Bench>::new(Servant::default()))
        .listen(address)
        .start()
        .await
}

async fn serve(address: &str, ready: &dyn Fn(&Address)) -> Result<()> {
    stay(start(address).await?, ready).await
}

/// Says where it serves, then does so until the process is killed.
async fn stay(server: farcall::Running, ready: &dyn Fn(&Address)) -> Result<()> {
    for address in server.addresses() {
        let (place, _) = address.split_once('?').unwrap_or((address, ""));
        ready(&place.parse()?);
    }
    std::future::pending().await
}

/// Serves from a runtime of its own; returns once it listens.
fn serve_on_a_thread(address: &str) -> Result<()> {
    let (tx, listening) = channel();
    let address = address.to_owned();
    std::thread::spawn(move || {
        let runtime = Flavour::CurrentThread.build()?;
        runtime.block_on(serve(&address, &|_| {
            // The other end waits for exactly one.
            let _ = tx.send(());
        }))
    });
    Ok(listening.recv()?)
}

fn service(address: &str) -> String {
    format!("{address}#bench")
}

#[derive(Clone)]
struct BenchClient(Remote<dyn Bench>);

impl Client for BenchClient {
    const SENT: Sent = Sent::WhenMade;
    type Echoed = Vec<u8>;

    async fn connect(address: &str) -> Result<Self> {
        Ok(Self(farcall::connect::<dyn Bench>(&service(address)).await?))
    }

    fn add(&self, a: u64, b: u64) -> impl Future<Output = Result<u64>> + Send {
        let call = self.0.add(a, b);
        async move { Ok(call.await?) }
    }

    fn echo(&self, data: &Bytes) -> impl Future<Output = Result<Vec<u8>>> + Send {
        let call = self.0.echo(data);
        async move { Ok(call.await?) }
    }

    fn sum(&self, data: &Bytes) -> impl Future<Output = Result<u64>> + Send {
        let call = self.0.sum(data);
        async move { Ok(call.await?) }
    }

    fn push(&self, data: &Bytes) -> impl Future<Output = Result<()>> + Send {
        let call = self.0.push(data);
        async move { Ok(call.await?) }
    }

    fn pushed(&self) -> impl Future<Output = Result<u64>> + Send {
        let call = self.0.pushed();
        async move { Ok(call.await?) }
    }

    fn toil(&self) -> impl Future<Output = Result<u64>> + Send {
        let call = self.0.toil();
        async move { Ok(call.await?) }
    }
}
