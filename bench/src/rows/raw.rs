//! The floors: what carries the bytes, without a framework. On a non-blocking socket every wait is a
//! spin on `read` or `write`, on a blocking one the kernel waits; nothing else differs. In shared
//! memory every wait is a spin on a word.

pub mod batched;
pub mod blocking;
pub mod epoll;
pub mod spinning;

pub mod line;
pub mod local;
pub mod queue;
pub mod ring;
pub mod slots;

mod shared;

mod driver;
mod frame;
mod server;
mod stream;
