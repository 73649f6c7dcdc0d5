//! Does all work on one thread, for nothing of capnp-rpc may leave its own.

use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use capnp_rpc::new_client;
use futures::TryFutureExt;
use tokio::runtime::Runtime;
use tokio::task::{LocalSet, spawn_local};

use super::{FromClientHook, Sum, adder, call_add, dial, factory};
use crate::calls::{self, Sent, expect, one_by_one};
use crate::client::Flavour;
use crate::driver::Driver;
use crate::objects::HALF;
use crate::relay;
use crate::row::Address;
use crate::stopwatch::Measured;
use crate::work::{self, Work};

/// A connected client.
pub(super) struct CapnpDriver {
    // What is connected goes before what it runs in.
    client: Client,
    idle: Vec<factory::Client>,
    address: Address,
    local: LocalSet,
    runtime: Runtime,
}

impl CapnpDriver {
    /// Connects from inside a runtime of its own.
    pub(super) fn connect(address: &Address) -> Result<Self> {
        let (runtime, local) = (Flavour::CurrentThread.build()?, LocalSet::new());
        let client = local.block_on(&runtime, Client::connect(address))?;
        Ok(Self { client, idle: Vec::new(), address: address.clone(), local, runtime })
    }
}

impl Driver for CapnpDriver {
    fn run(&mut self, work: Work, time: Duration) -> Result<Measured> {
        let (client, address) = (self.client.clone(), self.address.clone());
        let run = async move {
            match work {
                Work::Add => {
                    one_by_one(time, || async { expect(client.add(1, 2).await?, 3) }).await
                }
                Work::Echo(length) => client.echoes(length, time).await,
                Work::Sum(length) => client.sums(length, time).await,
                Work::Tasks(depth) => client.tasks(depth, time).await,
                Work::Held(depth) => {
                    calls::held(depth, time, Sent::WhenMade, |a, b| client.add(a, b)).await
                }
                Work::Member => {
                    let member = client.make().await?;
                    one_by_one(time, || async { expect(call_add(&member, 1, 2).await?, 3) }).await
                }
                Work::Callback => {
                    let call = || async { expect(call_add(&client.back, 1, 2).await?, 3) };
                    one_by_one(time, call).await
                }
                Work::Life => {
                    let call = || async { expect(call_add(&client.make().await?, 1, 2).await?, 3) };
                    one_by_one(time, call).await
                }
                Work::Chain(hops) => {
                    let far = Client::connect_far(&address).await?;
                    one_by_one(time, || async { expect(far.chain(hops).await?, hops as u64) }).await
                }
                Work::Steps(hops) => {
                    let far = Client::connect_far(&address).await?;
                    one_by_one(time, || async { expect(far.steps(hops).await?, hops as u64) }).await
                }
                other => bail!("no {other} here"),
            }
        };
        self.local.block_on(&self.runtime, run)
    }

    fn widen(&mut self, count: usize) -> Result<()> {
        for _ in 0..count {
            let one = async {
                let factory = dial(&self.address).await?;
                let adder = factory.clone().cast_to();
                ensure!(call_add(&adder, 1, 2).await? == 3);
                anyhow::Ok(factory)
            };
            self.idle.push(self.local.block_on(&self.runtime, one)?);
        }
        Ok(())
    }

    fn rest(&mut self, time: Duration) -> Result<()> {
        self.local.block_on(&self.runtime, async { tokio::time::sleep(time).await });
        Ok(())
    }
}

#[derive(Clone)]
struct Client {
    factory: factory::Client,
    /// The same as what adds.
    adder: adder::Client,
    /// What adds by calling back.
    back: adder::Client,
}

impl Client {
    async fn connect(address: &Address) -> Result<Self> {
        let factory = dial(address).await?;
        let mut request = factory.back_request();
        request.get().set_adder(new_client(Sum));
        let back = request.send().promise.await?.get()?.get_back()?;
        Ok(Self { adder: factory.clone().cast_to(), factory, back })
    }

    /// Connects over a way that takes 1 ms there and back.
    async fn connect_far(address: &Address) -> Result<Self> {
        Self::connect(&relay::to(&address.to_string(), HALF)?.parse()?).await
    }

    /// A call that is on its way when this returns.
    fn add(&self, a: u64, b: u64) -> impl Future<Output = Result<u64>> + use<> {
        call_add(&self.adder, a, b).err_into()
    }

    async fn make(&self) -> Result<adder::Client> {
        Ok(self.factory.make_request().send().promise.await?.get()?.get_adder()?)
    }

    async fn chain(&self, hops: usize) -> Result<u64> {
        let Some(further) = hops.checked_sub(2) else { bail!("a chain has two calls at least") };
        let mut step = self.factory.first_request().send().pipeline.get_step();
        for _ in 0..further {
            step = step.next_request().send().pipeline.get_step();
        }
        Ok(step.number_request().send().promise.await?.get()?.get_number())
    }

    async fn steps(&self, hops: usize) -> Result<u64> {
        let mut step = self.factory.first_request().send().promise.await?.get()?.get_step()?;
        for _ in 2..hops {
            step = step.next_request().send().promise.await?.get()?.get_step()?;
        }
        Ok(step.number_request().send().promise.await?.get()?.get_number())
    }

    /// The answer is read where it lies.
    async fn echoes(&self, length: usize, time: Duration) -> Result<Measured> {
        let data = work::pattern(length);
        let mark = work::mark(&data);
        let call = || async {
            let mut request = self.factory.echo_request();
            request.get().set_bytes(&data);
            work::check_echo(request.send().promise.await?.get()?.get_bytes()?, mark)
        };
        one_by_one(time, call).await
    }

    async fn sums(&self, length: usize, time: Duration) -> Result<Measured> {
        let data = work::pattern(length);
        let sum = work::sum(&data);
        let call = || async {
            let mut request = self.factory.sum_request();
            request.get().set_bytes(&data);
            expect(request.send().promise.await?.get()?.get_sum(), sum)
        };
        one_by_one(time, call).await
    }

    async fn tasks(&self, depth: usize, time: Duration) -> Result<Measured> {
        let started = Instant::now();
        let tasks = (0..depth).map(|_| {
            let client = self.clone();
            spawn_local(calls::task(started, time, move |a, b| client.add(a, b)))
        });
        calls::joined(started, tasks.collect()).await
    }
}
