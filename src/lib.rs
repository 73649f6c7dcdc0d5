//! farcall makes a trait callable from another process: `#[remote]` on a trait, and the same code calls an object in this process, in
//! another process of this host, or on another machine.
//!
//! Start with [`remote`], [`serve`] and [`connect`]; [`Remote`] is the handle, [`Call`] a call in flight, [`Error`] why one failed.
//!
//! | to | take |
//! |---|---|
//! | serve several objects, or at several addresses, and end in good order | [`Server`], [`serve_with_shutdown`] |
//! | configure where services are, and the limits | [`Config`], [`Address`], [`Limits`] |
//! | pass an object and be called back; know when it is gone | [`Remote::new`], [`Remote::from_fn`]; [`Remote::closed`] |
//! | take objects away from their borrowers | [`Scope`] |
//! | call what a call will return | the methods of its interface on the [`Call`], or [`Call::pipelined`] |
//! | send many values, one, or only the newest | [`channel`], [`oneshot`], [`latest`] |
//! | send many bytes without a copy | [`Payload`], [`Remote::loan`], [`loan`] |
//! | find what comes and goes by name | [`naming`] |
//! | send letters to mailboxes, for whoever receives them | `mailbox` |
//! | know who calls, and until when | [`context`], [`peer`] |
//! | see what a connection does and holds | [`Remote::connection`] |
//! | carry frames by other means | [`transport`], [`register`], [`connect_over`] and [`serve_over`] |
//! | test a service on a network that delays, holds and cuts | `testing`, behind the feature of that name |
//!
//! # Objects, callbacks, streams
//!
//! Handles and ends of streams are values: arguments, results, and fields of either. Here the sensor is near; with
//! `farcall::connect::<dyn Sensor>("sensor").await?` it is wherever `farcall::serve("sensor", Remote::<dyn Sensor>::new(Probe))` runs.
//!
//! ```
//! use farcall::{Receiver, Remote};
//!
//! #[farcall::remote]
//! trait Sensor {
//!     /// A stream of so many readings.
//!     async fn readings(&self, count: u32) -> farcall::Result<Receiver<u32>>;
//!     /// Calls `watcher` back.
//!     async fn watch(&self, watcher: Remote<dyn Watcher>) -> farcall::Result<()>;
//! }
//!
//! #[farcall::remote]
//! trait Watcher {
//!     async fn changed(&self, value: u32) -> farcall::Result<()>;
//! }
//!
//! struct Probe;
//!
//! impl Sensor for Probe {
//!     async fn readings(&self, count: u32) -> farcall::Result<Receiver<u32>> {
//!         let (sender, receiver) = farcall::channel(16);
//!         tokio::spawn(async move {
//!             for value in 0..count {
//!                 sender.send(value).await?; // waits while the receiver is 16 items behind
//!             }
//!             sender.finish(); // dropped without, it gives the receiver an error
//!             Ok::<_, farcall::Error>(())
//!         });
//!         Ok(receiver)
//!     }
//!
//!     async fn watch(&self, watcher: Remote<dyn Watcher>) -> farcall::Result<()> {
//!         watcher.changed(7).await
//!     }
//! }
//!
//! #[tokio::main]
//! async fn main() -> farcall::Result<()> {
//!     let sensor = Remote::<dyn Sensor>::new(Probe);
//!     let mut readings = sensor.readings(3).await?;
//!     while let Some(value) = readings.recv().await {
//!         println!("{}", value?);
//!     }
//!     let watcher = Remote::<dyn Watcher>::from_fn(|value: u32| async move {
//!         println!("now {value}");
//!         Ok(())
//!     });
//!     sensor.watch(watcher).await?;
//!     Ok(())
//! }
//! ```
//!
//! # Logs and traces
//!
//! Through `tracing`, with these targets and stable names:
//!
//! | target | events |
//! |---|---|
//! | `farcall::endpoint` | `listening`, `accepted`; `stopped listening` if a listener fails |
//! | `farcall::connection` | a client's: `not connected` for each failed attempt, `connected`, `connection lost`; a server's: `connection ended` |
//! | `farcall::call` | `call` for each call made; a span `serve` with `interface`, `method` and `chain` around each call served |
//!
//! Each transport has a target of its own. A W3C trace context travels with the call:
//! `remote.metadata("traceparent", ..)` at the caller, [`Context::trace`] at the servant, inherited by the calls it makes.

mod config;
mod connect;
#[cfg(feature = "mailbox")]
pub mod mailbox;
pub mod naming;
mod serve;
#[cfg(feature = "testing")]
pub mod testing;
mod transports;

pub use config::Config;
pub use connect::{Connecting, connect, connect_over};
pub use farcall_core::{
    address::{Address, Spin},
    context::{Context, context, loan, peer},
    error::{Error, ErrorKind, Executed, Result},
    limits::Limits,
    payload::{Loan, Payload},
    skeleton::Scope,
    stream::{
        LatestReceiver, LatestSender, OneReceiver, OneSender, Receiver, Sender, channel, latest,
        oneshot,
    },
    stub::{AnyRemote, Call, Connection, Held, Remote, Snapshot, WeakRemote},
    transport::Peer,
};
pub use farcall_macros::remote;
pub use serve::{Running, Server, Serving, serve, serve_over, serve_with_shutdown};
pub use transports::register;

/// What a transport implements, for those who write one.
pub mod transport {
    pub use farcall_core::{
        buffer::Buffer,
        payload::{Block, Trusted},
        tail::Tail,
        transport::*,
    };
    pub use farcall_transports::io::{wire, wire_of};
}

#[doc(hidden)]
pub use farcall_core::__private;
