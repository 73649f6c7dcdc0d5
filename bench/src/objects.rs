//! Rows of objects: what a peer's client must offer, and the driver that does the work with it.

use std::future::Future;
use std::time::Duration;

use anyhow::{Result, bail};
use tokio::runtime::Runtime;

use crate::calls::{self, expect, one_by_one};
use crate::driver::Driver;
use crate::relay;
use crate::stopwatch::Measured;
use crate::work::Work;

/// A peer's client: objects that calls return, and that calls take.
pub trait Objects: Clone + Send + Sync + 'static {
    /// An object of the peer's.
    type Member: Send + Sync + 'static;

    /// Opens a connection of its own, to a URL.
    fn connect(address: &str) -> impl Future<Output = Result<Self>> + Send;
    /// `a + b`, of the service itself.
    fn add(&self, a: u64, b: u64) -> impl Future<Output = Result<u64>> + Send;
    /// A new object.
    fn make(&self) -> impl Future<Output = Result<Self::Member>> + Send;
    /// `a + b`, of an object.
    fn add_by(member: &Self::Member, a: u64, b: u64) -> impl Future<Output = Result<u64>> + Send;
    /// `a + b`, by an object of this side, which the service calls before it returns.
    fn call_back(&self, a: u64, b: u64) -> impl Future<Output = Result<u64>> + Send;
    /// As many calls, each but the last on a new object that the one before returns; the last one gives
    /// their number.
    fn chain(&self, hops: usize) -> impl Future<Output = Result<u64>> + Send;
    /// The same calls, each made when the one before has returned.
    fn steps(&self, hops: usize) -> impl Future<Output = Result<u64>> + Send;
    /// The sum of the first words of as many small items, `0`, `1` and so on, of a stream.
    fn small(&self, items: u64) -> impl Future<Output = Result<u64>> + Send;
    /// How many bytes as many large items of a stream have.
    fn large(&self, items: u64, length: usize) -> impl Future<Output = Result<u64>> + Send;
}

/// A small item of a stream. It has as many bytes on the wire, as the integers of most codecs would not.
pub type Small = [f64; 8];

/// Which works there are with objects, and what they are measured against.
pub fn offers(work: Work) -> bool {
    match work {
        Work::Add | Work::Member | Work::Callback | Work::Life => true,
        Work::Chain(_) | Work::Steps(_) | Work::Stream(_) => true,
        Work::Echo(_) | Work::Sum(_) | Work::Tasks(_) | Work::Held(_) | Work::Oneway(_) => false,
        Work::Rendezvous(_) | Work::Letters(_) | Work::Crossed(_) => false,
        Work::Mixed(_) | Work::Light | Work::Beside => false,
    }
}

/// Does the works of objects with an [`Objects`].
pub struct ObjectsDriver<C> {
    runtime: Runtime,
    address: String,
    client: C,
}

impl<C: Objects> ObjectsDriver<C> {
    /// Connects from inside `runtime`.
    pub fn connect(runtime: Runtime, address: &str) -> Result<Self> {
        let client = runtime.block_on(C::connect(address))?;
        Ok(Self { runtime, address: address.to_owned(), client })
    }
}

impl<C: Objects> Driver for ObjectsDriver<C> {
    fn run(&mut self, work: Work, time: Duration) -> Result<Measured> {
        let (client, address) = (self.client.clone(), self.address.clone());
        let run = self.runtime.spawn(async move {
            match work {
                Work::Add => {
                    one_by_one(time, || async { expect(client.add(1, 2).await?, 3) }).await
                }
                Work::Member => {
                    let member = client.make().await?;
                    one_by_one(time, || async { expect(C::add_by(&member, 1, 2).await?, 3) }).await
                }
                Work::Callback => {
                    one_by_one(time, || async { expect(client.call_back(1, 2).await?, 3) }).await
                }
                Work::Life => {
                    let one = || async { expect(C::add_by(&client.make().await?, 1, 2).await?, 3) };
                    one_by_one(time, one).await
                }
                Work::Chain(hops) => {
                    let far: C = far(&address).await?;
                    one_by_one(time, || async { expect(far.chain(hops).await?, hops as u64) }).await
                }
                Work::Steps(hops) => {
                    let far: C = far(&address).await?;
                    one_by_one(time, || async { expect(far.steps(hops).await?, hops as u64) }).await
                }
                Work::Stream(length) => {
                    let small = |items| client.small(items);
                    calls::streams(length, time, small, |items| client.large(items, length)).await
                }
                other => bail!("no work for objects: {other}"),
            }
        });
        self.runtime.block_on(run)?
    }
}

/// Connects over a way that takes 1 ms there and back.
async fn far<C: Objects>(address: &str) -> Result<C> {
    C::connect(&relay::to(address, HALF)?).await
}

/// One way through the relay: half of a round trip.
pub const HALF: Duration = Duration::from_micros(500);
