//! A network in memory that a test can hurt, for services of one's own. Behind the feature `testing`.
//!
//! A [`Network`] has addresses like any other; what goes through it can be delayed, held, chopped and cut at the n-th byte, and connecting
//! can be refused, while client and server run as they do elsewhere: they encode, wait, lose the wire and make it anew. So a test can bring
//! about, every time, what a real network does once a year: here the answer to a call is lost, after the call has run.
//!
//! ```
//! use farcall::{Executed, Remote, Server, testing::{Network, Way}};
//! use std::sync::atomic::{AtomicU32, Ordering};
//!
//! #[farcall::remote]
//! trait Counter {
//!     async fn add(&self, count: u32) -> farcall::Result<u32>;
//! }
//!
//! #[derive(Default)]
//! struct Sum(AtomicU32);
//!
//! impl Counter for Sum {
//!     async fn add(&self, count: u32) -> farcall::Result<u32> {
//!         Ok(self.0.fetch_add(count, Ordering::Relaxed) + count)
//!     }
//! }
//!
//! #[tokio::main]
//! async fn main() -> farcall::Result<()> {
//!     let network = Network::new();
//!     let address = network.address("counter");
//!     let sum = Remote::<dyn Counter>::new(Sum::default());
//!     let _running = Server::new().export("sum", sum).listen(&address).start().await?;
//!     let counter = farcall::connect::<dyn Counter>(&address).await?;
//!
//!     network.hold(Way::ToClient);
//!     let call = counter.add(1);
//!     network.holds(Way::ToClient).await; // the answer is on its way
//!     network.cut();
//!     assert_eq!(call.await.unwrap_err().executed(), Executed::Maybe);
//!
//!     network.heal();
//!     assert_eq!(counter.add(1).await, Ok(2)); // over a new wire; the first call had run
//!     Ok(())
//! }
//! ```
//!
//! A connection needs a reliable stream, so nothing is lost in the middle or comes twice: on TCP too, what is lost either comes later
//! ([`delay`](Network::delay), [`hold`](Network::hold)) or is the end ([`cut`](Network::cut)). A test that wants no time at all holds and
//! resumes.
//!
//! # Virtual time
//! Times go by tokio's clock. A test on one thread that has paused it, with `#[tokio::test(start_paused = true)]` and tokio's feature
//! `test-util`, has virtual time: it stands still while anybody has something to do, and then jumps to the moment at which something is due.
//! So a deadline of an hour, the pings of a week, the pauses between attempts to connect and the delays of a network pass at once and
//! exactly. That is for a `Network` only: other transports wait for the system, which tokio takes for idleness, and threads that wait have the
//! system's time.

mod network;
mod relay;
mod transport;

pub use network::{Network, Way};
