//! The floors of farcall below its facade: the protocol, the driver, the object model, the contract of a transport.
//!
//! Users depend on `farcall`, which re-exports what is theirs.

#[doc(hidden)]
pub mod clock;
#[doc(hidden)]
pub mod copy;
pub mod error;
pub mod id;
#[doc(hidden)]
pub mod size;

pub mod codec;
pub mod frame;
pub mod limits;

pub mod conn;

pub mod address;
pub mod buffer;
pub mod context;
mod described;
pub mod interface;
pub mod payload;
pub mod registry;
pub mod skeleton;
pub mod tail;
pub mod transport;

mod driver;
#[doc(hidden)]
pub mod host;
#[doc(hidden)]
pub mod memory;
#[doc(hidden)]
pub mod runtime;
mod sync;

pub mod endpoint;
pub mod stream;
pub mod stub;
#[doc(hidden)]
pub mod value;

/// What generated code and the facade use. Not a public interface.
#[doc(hidden)]
pub mod __private {
    pub use crate::{
        error::Error,
        id::MethodId,
        interface::{
            Description, Hosts, HostsFunction, HostsShared, Interface, Method, Mode,
            StartExclusive, StartShared, Timeout,
        },
        skeleton::{Arguments, Common, Exclusive, Local, Request, Task, actor, share},
        stub::{Call, Outgoing, Remote},
        value::{Failure, NoObject, Refused, ResultOf, Returned, Value, Wire, failure, value},
    };
    pub use ::core;
    pub use ::serde;
    pub use ::std;
}
