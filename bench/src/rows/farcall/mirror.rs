//! `Bytes` there and back, which sockets need not copy between the program and the kernel: both ends are tokio with one thread.

use std::future::Future;

use anyhow::{Result, bail};
use bytes::Bytes;
use farcall::Remote;

use super::{service, stay};
use crate::calls::Sent;
use crate::client::{AsyncDriver, Client, Flavour};
use crate::driver::Driver;
use crate::placement::Placement;
use crate::row::{Address, Row, Transport};
use crate::work::Work;

/// This file's rows.
pub const ROWS: &[&dyn Row] = &[&Shared];

struct Shared;

impl Row for Shared {
    fn name(&self) -> &'static str {
        "farcall-bytes"
    }

    fn about(&self) -> &'static str {
        "`farcall-ct` with `Bytes` as argument and result, as tarpc's row has them, where the others have `&[u8]` and `Vec<u8>`"
    }

    fn transports(&self) -> &'static [Transport] {
        &[Transport::Shm, Transport::Unix, Transport::Tcp]
    }

    fn offers(&self, _: Placement, work: Work) -> bool {
        matches!(work, Work::Echo(_))
    }

    fn stands(&self) -> bool {
        false
    }

    fn serve(&self, address: &Address, ready: &dyn Fn(&Address)) -> Result<()> {
        let mirror = Remote::<dyn Mirror>::new(Servant);
        let server = farcall::Server::new().export("bench", mirror).listen(&address.to_string());
        Flavour::CurrentThread.build()?.block_on(async { stay(server.start().await?, ready).await })
    }

    fn connect(&self, address: &Address) -> Result<Box<dyn Driver>> {
        let runtime = Flavour::CurrentThread.build()?;
        Ok(Box::new(AsyncDriver::<MirrorClient>::connect(runtime, &address.to_string())?))
    }
}

#[farcall::remote]
trait Mirror {
    async fn echo(&self, data: Bytes) -> farcall::Result<Bytes>;
}

struct Servant;

impl Mirror for Servant {
    async fn echo(&self, data: Bytes) -> farcall::Result<Bytes> {
        Ok(data)
    }
}

#[derive(Clone)]
struct MirrorClient(Remote<dyn Mirror>);

impl Client for MirrorClient {
    const SENT: Sent = Sent::WhenMade;
    type Echoed = Bytes;

    async fn connect(address: &str) -> Result<Self> {
        Ok(Self(farcall::connect::<dyn Mirror>(&service(address)).await?))
    }

    fn echo(&self, data: &Bytes) -> impl Future<Output = Result<Bytes>> + Send {
        let call = self.0.echo(data.clone());
        async move { Ok(call.await?) }
    }

    async fn add(&self, _: u64, _: u64) -> Result<u64> {
        bail!("only echoes here")
    }

    async fn sum(&self, _: &Bytes) -> Result<u64> {
        bail!("only echoes here")
    }
}
