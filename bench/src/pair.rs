//! A server, its clients, and the order in which they are asked.

use std::time::Duration;

use anyhow::{Result, bail, ensure};

use crate::child::Child;
use crate::placement::Placement;
use crate::row::{Address, Row, Transport};
use crate::stopwatch::Measured;
use crate::words::{Answer, Order};
use crate::work::Work;
use crate::workshop::Workshop;

/// A server and its client, or clients. In-process rows have both in the client's process.
pub struct Pair {
    clients: Vec<Child>,
    server: Option<Child>,
    entrance: Entrance,
}

/// What it takes to start one more client.
struct Entrance {
    row: &'static str,
    address: Address,
    cpu: Option<usize>,
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
        let (row, wanted) = (row.name(), shop.address(transport));
        let (server, address) = if transport == Transport::Inproc {
            (None, wanted)
        } else {
            let (server, address) =
                Child::start("serve", row, &wanted, server_cpu, shop.path("err"))?;
            (Some(server), address)
        };
        let entrance = Entrance { row, address, cpu: client_cpu };
        Ok(Self { clients: vec![entrance.enter(shop)?], server, entrance })
    }

    /// Starts clients, or ends some, so that there are as many.
    pub fn gather(&mut self, shop: &Workshop, clients: usize) -> Result<()> {
        self.clients.truncate(clients);
        while self.clients.len() < clients {
            self.clients.push(self.entrance.enter(shop)?);
        }
        Ok(())
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

    /// Gives the clients an order that is answered with `Done` after about `time`.
    pub fn order(&mut self, order: Order, time: Duration) -> Result<()> {
        self.begin(order)?;
        self.end(time)
    }

    /// Gives the clients an order; [`Pair::end`] waits for it.
    pub fn begin(&mut self, order: Order) -> Result<()> {
        self.clients.iter_mut().try_for_each(|client| client.tell(order))
    }

    /// Waits for the `Done` of an order that takes about `time`.
    pub fn end(&mut self, time: Duration) -> Result<()> {
        let answers = self.hear(time).map_err(|error| self.explain(error))?;
        for answer in answers {
            ensure!(matches!(answer, Answer::Done), "expected to be done: {answer:?}");
        }
        Ok(())
    }

    /// What the server has used, then the clients.
    pub fn used(&mut self, order: Order) -> Result<[u64; 2]> {
        let server = self.server.as_mut().map_or(Ok(0), |server| server.used(order))?;
        let clients = self.clients.iter_mut().map(|client| client.used(order));
        Ok([server, clients.sum::<Result<u64>>()?])
    }

    fn cpu_nanoseconds(&mut self) -> Result<u64> {
        Ok(self.used(Order::Cpu)?.iter().sum())
    }

    fn run(&mut self, work: Work, time: Duration) -> Result<Measured> {
        let nanoseconds = u64::try_from(time.as_nanos())?;
        self.begin(Order::Run { work, nanoseconds })?;
        let mut all = Vec::new();
        for answer in self.hear(time)? {
            match answer {
                Answer::Measured(measured) => all.push(measured),
                other => bail!("expected figures: {other:?}"),
            }
        }
        match <[Measured; 1]>::try_from(all) {
            Ok([only]) => Ok(only),
            Err(all) => Ok(Measured::together(&all)),
        }
    }

    fn hear(&mut self, time: Duration) -> Result<Vec<Answer>> {
        self.clients.iter_mut().map(|client| client.hear(time)).collect()
    }

    /// A client's error is often the server's death.
    fn explain(&mut self, error: anyhow::Error) -> anyhow::Error {
        let Some(server) = &mut self.server else { return error };
        if server.is_running() { error } else { error.context(server.last_words()) }
    }
}

impl Entrance {
    fn enter(&self, shop: &Workshop) -> Result<Child> {
        let Self { row, address, cpu } = self;
        Ok(Child::start("drive", row, address, *cpu, shop.path("err"))?.0)
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
