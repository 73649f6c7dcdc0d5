//! How threads and tasks share one wire, in every interleaving that loom can think of: the lease as it is, and the protocol of those
//! who wait, modelled after `driver/wait.rs` and `driver/background.rs`, with mutants that must fail.
//!
//! `RUSTFLAGS="--cfg loom" cargo test --release --manifest-path rpc-core/loom/Cargo.toml`

#![cfg(all(loom, test))]

#[path = "../../src/driver/lease.rs"]
mod lease;

mod flushed;
mod handles;
mod link;
mod missed;
mod mutant;
mod releases;
mod sleeper;
mod sync;
mod waiting;
mod wire;
