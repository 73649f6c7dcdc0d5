//! Options of traits that do not exist, or have no such value.

#[farcall::remote(named = "archive")]
pub trait Unknown {}

#[farcall::remote(name = 1)]
pub trait Number {}

#[farcall::remote(crate = "not a path")]
pub trait Path {}

#[farcall::remote(idempotent)]
pub trait OfMethods {}

fn main() {}
