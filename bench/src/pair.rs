//! A server, its client, and the order in which they are asked.

use std::time::Duration;

use anyhow::{Result, bail};

use crate::child::Child;
use crate::placement::Placement;
use crate::row::{Row, Transport};
use crate::stopwatch::Measured;
use crate::words::{Answer, Order};
use crate::work::Work;
use crate::workshop::Workshop;

/// A server and its client. In-process rows have both in the client's process.
pub struct Pair {
    client: Child,
    server: Option<Child>,
}

impl Pair {
    /// Starts both.
    pub fn start(
        shop: &Workshop,
        row: &dyn Row,
        transport: Transport,
        cpus: [Option<usize>; 2],
    ) -> Result<Self> {
        let [server_cpu, client_cpu] = cpus;
        let (name, wanted) = (row.name(), shop.address(transport));
        let start = |role, address, cpu| Child::start(role, name, address, cpu, shop.path("err"));
        let (server, address) = if transport == Transport::Inproc {
            (None, wanted)
        } else {
            let (server, address) = start("serve", &wanted, server_cpu)?;
            (Some(server), address)
        };
        let (client, _) = start("drive", &address, client_cpu)?;
        Ok(Self { client, server })
    }

    /// Does `work` for a fifth of `time` to warm up, then for `time`.
    pub fn measure(&mut self, work: Work, time: Duration) -> Result<Measured> {
        let outcome = self.run(work, time / 5).and_then(|_| {
            let before = self.cpu_nanoseconds()?;
            let measured = self.run(work, time)?;
            let cpu_nanoseconds = self.cpu_nanoseconds()?.saturating_sub(before);
            Ok(Measured { cpu_nanoseconds, ..measured })
        });
        outcome.map_err(|error| self.explain(error))
    }

    /// Gives the client an order that is answered with `Done` after about `time`.
    pub fn order(&mut self, order: Order, time: Duration) -> Result<()> {
        self.begin(order)?;
        self.end(time)
    }

    /// Gives the client an order; [`Pair::end`] waits for it.
    pub fn begin(&mut self, order: Order) -> Result<()> {
        self.client.tell(order)
    }

    /// Waits for the `Done` of an order that takes about `time`.
    pub fn end(&mut self, time: Duration) -> Result<()> {
        match self.client.hear(time) {
            Ok(Answer::Done) => Ok(()),
            Ok(other) => bail!("expected to be done: {other:?}"),
            Err(error) => Err(self.explain(error)),
        }
    }

    /// What the server has used, then the client.
    pub fn used(&mut self, order: Order) -> Result<[u64; 2]> {
        let server = self.server.as_mut().map_or(Ok(0), |server| server.used(order))?;
        Ok([server, self.client.used(order)?])
    }

    fn cpu_nanoseconds(&mut self) -> Result<u64> {
        Ok(self.used(Order::Cpu)?.iter().sum())
    }

    fn run(&mut self, work: Work, time: Duration) -> Result<Measured> {
        let nanoseconds = u64::try_from(time.as_nanos())?;
        self.client.tell(Order::Run { work, nanoseconds })?;
        match self.client.hear(time)? {
            Answer::Measured(measured) => Ok(measured),
            other => bail!("expected figures: {other:?}"),
        }
    }

    /// A client's error is often the server's death.
    fn explain(&mut self, error: anyhow::Error) -> anyhow::Error {
        let Some(server) = &mut self.server else { return error };
        if server.is_running() { error } else { error.context(server.last_words()) }
    }
}

/// One row over one transport in one placement: what a [`Pair`] is started for.
#[derive(Clone, Copy)]
pub struct Seat {
    pub row: &'static dyn Row,
    pub transport: Transport,
    pub placement: Placement,
    pub cpus: [Option<usize>; 2],
}
