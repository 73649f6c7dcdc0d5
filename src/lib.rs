//! farcall makes a trait callable from another process.

mod config;
mod connect;
mod serve;
mod transports;

pub use config::Config;
pub use connect::{Connecting, connect, connect_over};
pub use farcall_core::{
    address::{Address, Spin},
    context::{Context, context, peer},
    error::{Error, ErrorKind, Executed, Result},
    limits::Limits,
    stub::{Call, Remote},
    transport::Peer,
};
pub use farcall_macros::remote;
pub use serve::{Running, Server, Serving, serve, serve_over, serve_with_shutdown};
pub use transports::register;

/// What a transport implements, for those who write one.
pub mod transport {
    pub use farcall_core::{buffer::Buffer, transport::*};
    pub use farcall_transports::io::{wire, wire_of};
}

#[doc(hidden)]
pub use farcall_core::__private;
