//! Peer: shmipc, streams in shared memory. It has no calls: a call is a request and an answer on a stream that
//! nobody else has meanwhile, of a few bytes of our own.

use std::os::unix::net::SocketAddr;

use anyhow::{Result, bail};
use bytes::Bytes;
use shmipc::Listener;
use shmipc::buffer::Buf;
use shmipc::config::{Config, SizePercentPair};
use shmipc::session::{SessionManager, SessionManagerConfig};
use shmipc::stream::Stream;
use shmipc::transport::{DefaultUnixConnect, DefaultUnixListen};

use crate::calls::Sent;
use crate::client::{AsyncDriver, Client, Flavour};
use crate::driver::Driver;
use crate::placement::Placement;
use crate::row::{Address, Row, Transport};
use crate::work::{self, Work};

/// This file's rows.
pub const ROWS: &[&dyn Row] = &[&Shmipc(Flavour::CurrentThread), &Shmipc(Flavour::MultiThread)];

struct Shmipc(Flavour);

impl Row for Shmipc {
    fn name(&self) -> &'static str {
        match self.0 {
            Flavour::CurrentThread => "shmipc-ct",
            Flavour::MultiThread => "shmipc-mt",
        }
    }

    fn about(&self) -> &'static str {
        match self.0 {
            Flavour::CurrentThread => {
                "shmipc 0.2 with eventfd, 8 MiB in slices that fit; a stream for each call under way, \
                 without serialization, bytes are read in place; tokio with one thread at both ends"
            }
            Flavour::MultiThread => "the same; tokio with two workers at both ends",
        }
    }

    fn transports(&self) -> &'static [Transport] {
        &[Transport::Shm]
    }

    fn offers(&self, _: Placement, work: Work) -> bool {
        work.is_universal() || matches!(work, Work::Mixed(_))
    }

    /// A session is meant to be the only one between two processes, and has the memory for that.
    fn stands(&self) -> bool {
        false
    }

    fn serve(&self, address: &Address, ready: &dyn Fn(&Address)) -> Result<()> {
        self.0.build()?.block_on(serve(address, ready))
    }

    fn connect(&self, address: &Address) -> Result<Box<dyn Driver>> {
        Ok(Box::new(AsyncDriver::<BenchClient>::connect(self.0.build()?, &address.to_string())?))
    }
}

/// What a request asks for. It stands before the length of the bytes and these.
const ADD: u8 = 0;
const ECHO: u8 = 1;
const SUM: u8 = 2;
/// The method, and the length in little endian; an answer begins with the length alone.
const REQUEST: usize = 1 + ANSWER;
const ANSWER: usize = 4;

async fn serve(address: &Address, ready: &dyn Fn(&Address)) -> Result<()> {
    let mut listener = Listener::new(DefaultUnixListen, socket(address)?, config()).await?;
    ready(address);
    loop {
        let mut stream = listener.accept().await?;
        tokio::spawn(async move {
            while answer(&mut stream).await.is_ok() {}
            // The stream has ended, or its client is gone.
            let _ = stream.close().await;
        });
    }
}

async fn answer(stream: &mut Stream) -> Result<()> {
    let (method, length) = {
        let header = stream.read_exact_bytes(REQUEST).await?;
        (header[0], length(&header[1..])?)
    };
    let data = stream.read_exact_bytes(length).await?;
    let number = match method {
        ADD => word(&data[..8])?.wrapping_add(word(&data[8..])?),
        SUM => work::sum(&data),
        ECHO => {
            let data = data.into_bytes();
            stream.release_read_and_reuse();
            reply(stream, &data)?;
            return Ok(stream.flush(false).await?);
        }
        other => bail!("no such method: {other}"),
    };
    drop(data);
    // From here on the memory of the request is that of the answer.
    stream.release_read_and_reuse();
    reply(stream, &number.to_le_bytes())?;
    Ok(stream.flush(false).await?)
}

/// Puts a length and bytes into one slice of the stream, which is still to be flushed.
fn reply(stream: &mut Stream, data: &[u8]) -> Result<()> {
    let room = stream.reserve(ANSWER + data.len())?;
    room[..ANSWER].copy_from_slice(&u32::try_from(data.len())?.to_le_bytes());
    room[ANSWER..].copy_from_slice(data);
    Ok(())
}

fn length(bytes: &[u8]) -> Result<usize> {
    Ok(u32::from_le_bytes(bytes.try_into()?) as usize)
}

fn word(bytes: &[u8]) -> Result<u64> {
    Ok(u64::from_le_bytes(bytes.try_into()?))
}

#[derive(Clone)]
struct BenchClient(SessionManager<DefaultUnixConnect>);

impl BenchClient {
    async fn call<T>(
        &self,
        method: u8,
        data: &[u8],
        read: impl FnOnce(Buf<'_>) -> Result<T>,
    ) -> Result<T> {
        let mut stream = self.0.get_stream()?;
        let room = stream.reserve(REQUEST + data.len())?;
        room[0] = method;
        room[1..REQUEST].copy_from_slice(&u32::try_from(data.len())?.to_le_bytes());
        room[REQUEST..].copy_from_slice(data);
        stream.flush(false).await?;
        let length = length(&stream.read_exact_bytes(ANSWER).await?)?;
        let answer = read(stream.read_exact_bytes(length).await?)?;
        stream.release_read_and_reuse();
        self.0.put_back(stream).await;
        Ok(answer)
    }
}

impl Client for BenchClient {
    const SENT: Sent = Sent::WhenPolled;
    type Echoed = Bytes;

    async fn connect(address: &str) -> Result<Self> {
        let address = socket(&address.parse()?)?;
        let config = SessionManagerConfig::new().with_config(config()).with_session_num(1);
        Ok(Self(SessionManager::new(config, DefaultUnixConnect, address).await?))
    }

    async fn add(&self, a: u64, b: u64) -> Result<u64> {
        let mut data = [0; 16];
        data[..8].copy_from_slice(&a.to_le_bytes());
        data[8..].copy_from_slice(&b.to_le_bytes());
        self.call(ADD, &data, |sum| word(&sum)).await
    }

    async fn echo(&self, data: &Bytes) -> Result<Bytes> {
        self.call(ECHO, data, |echoed| Ok(echoed.into_bytes())).await
    }

    async fn sum(&self, data: &Bytes) -> Result<u64> {
        self.call(SUM, data, |sum| word(&sum)).await
    }
}

/// The socket over which both sides meet.
fn socket(address: &Address) -> Result<SocketAddr> {
    let Address::Shm(path) = address else { bail!("shmipc is not measured at {address}") };
    Ok(SocketAddr::from_pathname(path)?)
}

/// Slices into which each size of message fits as a whole, with what stands before it. With more memory than
/// this the same work touches more of it, and takes up to seven times as long.
fn config() -> Config {
    let slice = |size: u32, percent| SizePercentPair { size: size + 64, percent };
    let config = Config {
        share_memory_buffer_cap: 8 << 20,
        queue_cap: 65536,
        buffer_slice_sizes: vec![
            slice(64, 10),
            slice(4 << 10, 10),
            slice(64 << 10, 20),
            slice(1 << 20, 60),
        ],
        ..Config::default()
    };
    config.with_v4_eventfd()
}
