//! A server that computes while it answers: it has two workers, and its client is tokio with one thread.

use anyhow::Result;

use super::{BenchClient, serve};
use crate::client::{AsyncDriver, Flavour};
use crate::driver::Driver;
use crate::placement::Placement;
use crate::row::{Address, Row, Transport};
use crate::work::Work;

/// This file's rows.
pub const ROWS: &[&dyn Row] = &[&Workers];

struct Workers;

impl Row for Workers {
    fn name(&self) -> &'static str {
        "farcall-workers"
    }

    fn about(&self) -> &'static str {
        "`farcall-ct` with a server of two workers; the heavy method is `unordered`"
    }

    fn transports(&self) -> &'static [Transport] {
        &[Transport::Shm, Transport::Unix, Transport::Tcp]
    }

    fn offers(&self, _: Placement, work: Work) -> bool {
        matches!(work, Work::Mixed(_) | Work::Light | Work::Beside)
    }

    fn stands(&self) -> bool {
        false
    }

    fn serve(&self, address: &Address, ready: &dyn Fn(&Address)) -> Result<()> {
        Flavour::MultiThread.build()?.block_on(serve(&address.to_string(), ready))
    }

    fn connect(&self, address: &Address) -> Result<Box<dyn Driver>> {
        let runtime = Flavour::CurrentThread.build()?;
        Ok(Box::new(AsyncDriver::<BenchClient>::connect(runtime, &address.to_string())?))
    }
}
