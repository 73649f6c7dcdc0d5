//! The floors: sockets without a framework. On a non-blocking socket every wait is a spin on `read`
//! or `write`, on a blocking one the kernel waits; nothing else differs.

pub mod batched;
pub mod blocking;
pub mod spinning;

mod driver;
mod frame;
mod server;
mod stream;
