//! The ring of `shm://` as it is, between two threads, in every interleaving that loom can think of, with mutants that must fail.
//!
//! `RUSTFLAGS="--cfg loom" cargo test --release --manifest-path transports/loom/Cargo.toml`

#![cfg(all(loom, test))]

mod ending;
mod moving;
mod returning;
#[allow(dead_code, unused_imports, reason = "the models use a part of it")]
#[path = "../../src/shm/ring/mod.rs"]
mod ring;
#[allow(dead_code, reason = "the models use a part of it")]
#[path = "../../../rpc-core/loom/src/sleeper.rs"]
mod sleeper;
mod waiting;
mod wire;
