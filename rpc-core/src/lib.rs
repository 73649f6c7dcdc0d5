//! The floors of farcall below its facade: the protocol, the driver, the object model, the contract of a transport.
//!
//! Users depend on `farcall`, which re-exports what is theirs.

pub mod address;
pub mod buffer;
pub mod codec;
pub mod conn;
pub mod error;
pub mod frame;
pub mod id;
pub mod interface;
pub mod limits;
pub mod skeleton;
pub mod stub;
pub mod transport;

/// What generated code and the facade use. Not a public interface.
#[doc(hidden)]
pub mod __private {
    pub use crate::{
        error::Error,
        id::MethodId,
        interface::{
            Description, Hosts, HostsShared, Interface, Method, Mode, StartExclusive, StartShared,
            Timeout,
        },
        skeleton::{Exclusive, Local, Request, Task, actor, share},
        stub::{Call, Outgoing, Remote},
    };
    pub use ::core;
    pub use ::serde;
    pub use ::std;
}
