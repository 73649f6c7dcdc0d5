//! farcall makes a trait callable from another process.

#[doc(hidden)]
pub use farcall_core::__private;
pub use farcall_core::{
    error::{Error, ErrorKind, Executed, Result},
    stub::{Call, Remote},
};
pub use farcall_macros::remote;
