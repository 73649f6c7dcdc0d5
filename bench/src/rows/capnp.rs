//! Peer: capnp-rpc, Cap'n Proto's own protocol. Objects, promises and chains of calls; one thread at each end,
//! for that is all it can use.

use std::rc::Rc;

use anyhow::{Result, bail};
use capnp::capability::{FromClientHook, Promise};
use capnp::message::ReaderOptions;
use capnp_rpc::rpc_twoparty_capnp::Side;
use capnp_rpc::{RpcSystem, new_client, twoparty};
use futures::io::{BufReader, BufWriter};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::task::{LocalSet, spawn_local};
use tokio_util::compat::{TokioAsyncReadCompatExt, TokioAsyncWriteCompatExt};

use crate::client::Flavour;
use crate::driver::Driver;
use crate::placement::Placement;
use crate::row::{Address, Row, Transport};
use crate::work::{self, Work};
use bench_capnp::{adder, factory, step};

/// What Cap'n Proto's compiler makes of `bench.capnp`, where stands how.
#[rustfmt::skip]
#[path = "capnp/bench_capnp.rs.in"]
#[allow(clippy::all, clippy::unwrap_used, clippy::use_self, dead_code, unused_qualifications)]
mod bench_capnp;
mod driver;

/// This file's rows.
pub const ROWS: &[&dyn Row] = &[&Capnp];

struct Capnp;

impl Row for Capnp {
    fn name(&self) -> &'static str {
        "capnp"
    }

    fn about(&self) -> &'static str {
        "capnp-rpc 0.27, TCP_NODELAY, buffered streams, no limit of traversal; bytes are read in place; \
         tokio with one thread at both ends"
    }

    fn transports(&self) -> &'static [Transport] {
        Transport::SOCKETS
    }

    fn offers(&self, _: Placement, work: Work) -> bool {
        let objects = matches!(work, Work::Member | Work::Callback | Work::Life);
        work.is_universal() || objects || matches!(work, Work::Chain(_) | Work::Steps(_))
    }

    fn serve(&self, address: &Address, ready: &dyn Fn(&Address)) -> Result<()> {
        let runtime = Flavour::CurrentThread.build()?;
        LocalSet::new().block_on(&runtime, serve(address, ready))
    }

    fn connect(&self, address: &Address) -> Result<Box<dyn Driver>> {
        Ok(Box::new(driver::CapnpDriver::connect(address)?))
    }
}

struct Servant;

struct Sum;

struct Back(adder::Client);

struct Number(u64);

impl adder::Server for Servant {
    async fn add(
        self: Rc<Self>,
        params: adder::AddParams,
        mut results: adder::AddResults,
    ) -> capnp::Result<()> {
        add(&params, &mut results)
    }
}

impl adder::Server for Sum {
    async fn add(
        self: Rc<Self>,
        params: adder::AddParams,
        mut results: adder::AddResults,
    ) -> capnp::Result<()> {
        add(&params, &mut results)
    }
}

impl adder::Server for Back {
    async fn add(
        self: Rc<Self>,
        params: adder::AddParams,
        mut results: adder::AddResults,
    ) -> capnp::Result<()> {
        let params = params.get()?;
        let sum = call_add(&self.0, params.get_a(), params.get_b()).await?;
        results.get().set_sum(sum);
        Ok(())
    }
}

impl step::Server for Number {
    async fn next(
        self: Rc<Self>,
        _: step::NextParams,
        mut results: step::NextResults,
    ) -> capnp::Result<()> {
        results.get().set_step(new_client(Self(self.0 + 1)));
        Ok(())
    }

    async fn number(
        self: Rc<Self>,
        _: step::NumberParams,
        mut results: step::NumberResults,
    ) -> capnp::Result<()> {
        results.get().set_number(self.0 + 1);
        Ok(())
    }
}

impl factory::Server for Servant {
    async fn echo(
        self: Rc<Self>,
        params: factory::EchoParams,
        mut results: factory::EchoResults,
    ) -> capnp::Result<()> {
        results.get().set_bytes(params.get()?.get_bytes()?);
        Ok(())
    }

    async fn sum(
        self: Rc<Self>,
        params: factory::SumParams,
        mut results: factory::SumResults,
    ) -> capnp::Result<()> {
        results.get().set_sum(work::sum(params.get()?.get_bytes()?));
        Ok(())
    }

    async fn make(
        self: Rc<Self>,
        _: factory::MakeParams,
        mut results: factory::MakeResults,
    ) -> capnp::Result<()> {
        results.get().set_adder(new_client(Sum));
        Ok(())
    }

    async fn back(
        self: Rc<Self>,
        params: factory::BackParams,
        mut results: factory::BackResults,
    ) -> capnp::Result<()> {
        results.get().set_back(new_client(Back(params.get()?.get_adder()?)));
        Ok(())
    }

    async fn first(
        self: Rc<Self>,
        _: factory::FirstParams,
        mut results: factory::FirstResults,
    ) -> capnp::Result<()> {
        results.get().set_step(new_client(Number(1)));
        Ok(())
    }
}

fn add(params: &adder::AddParams, results: &mut adder::AddResults) -> capnp::Result<()> {
    let params = params.get()?;
    results.get().set_sum(params.get_a().wrapping_add(params.get_b()));
    Ok(())
}

/// A call of `add`, which is on its way when this returns.
fn call_add(adder: &adder::Client, a: u64, b: u64) -> Promise<u64, capnp::Error> {
    let mut request = adder.add_request();
    let mut params = request.get();
    params.set_a(a);
    params.set_b(b);
    let answer = request.send().promise;
    Promise::from_future(async move { Ok(answer.await?.get()?.get_sum()) })
}

async fn serve(address: &Address, ready: &dyn Fn(&Address)) -> Result<()> {
    match address {
        Address::Unix(path) => {
            let listener = UnixListener::bind(path)?;
            ready(address);
            loop {
                let (rx, tx) = listener.accept().await?.0.into_split();
                spawn_local(system(rx, tx, Side::Server));
            }
        }
        Address::Tcp(socket) => {
            let listener = TcpListener::bind(socket).await?;
            ready(&Address::Tcp(listener.local_addr()?));
            loop {
                let (stream, _) = listener.accept().await?;
                stream.set_nodelay(true)?;
                let (rx, tx) = stream.into_split();
                spawn_local(system(rx, tx, Side::Server));
            }
        }
        Address::Inproc(_) | Address::Shm(_) | Address::Queue(_) => {
            bail!("capnp is not measured at {address}")
        }
    }
}

async fn dial(address: &Address) -> Result<factory::Client> {
    let mut system = match address {
        Address::Unix(path) => {
            let (rx, tx) = UnixStream::connect(path).await?.into_split();
            system(rx, tx, Side::Client)
        }
        Address::Tcp(socket) => {
            let stream = TcpStream::connect(socket).await?;
            stream.set_nodelay(true)?;
            let (rx, tx) = stream.into_split();
            system(rx, tx, Side::Client)
        }
        Address::Inproc(_) | Address::Shm(_) | Address::Queue(_) => {
            bail!("capnp is not measured at {address}")
        }
    };
    let factory = system.bootstrap(Side::Server);
    spawn_local(system);
    Ok(factory)
}

/// One side of a connection, to be spawned.
fn system(
    rx: impl AsyncRead + Unpin + 'static,
    tx: impl AsyncWrite + Unpin + 'static,
    side: Side,
) -> RpcSystem<Side> {
    let mut options = ReaderOptions::new();
    options.traversal_limit_in_words(None);
    let (rx, tx) = (BufReader::new(rx.compat()), BufWriter::new(tx.compat_write()));
    let network = twoparty::VatNetwork::new(rx, tx, side, options);
    let servant = (side == Side::Server).then(|| new_client::<factory::Client, _>(Servant).client);
    RpcSystem::new(Box::new(network), servant)
}
