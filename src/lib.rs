//! farcall makes a trait callable from another process: `#[remote]` on a trait, and the same code calls an object in this process, in
//! another process of this host, or on another machine.
//!
//! Start with [`remote`], [`serve`] and [`connect`]; [`Remote`] is the handle, [`Call`] a call in flight, [`Error`] why one failed.
//!
//! # Logs and traces
//!
//! Through `tracing`, with these targets: `farcall::endpoint` (listening, accepted, stopped), `farcall::connection` (not connected,
//! connected, lost), `farcall::call` (an event `call` for each call made, a span `serve` with `interface`, `method` and `chain`
//! around each call served), and each transport's own. A W3C trace context travels with the call:
//! `remote.metadata("traceparent", ..)` at the caller, [`Context::trace`] at the servant, inherited by the calls it makes.

mod config;
mod connect;
pub mod naming;
mod serve;
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
        transport::*,
    };
    pub use farcall_transports::io::{wire, wire_of};
}

#[doc(hidden)]
pub use farcall_core::__private;
