//! The bodies of the targets, which `cargo test` runs on the corpora as well: see `rpc-core/tests/corpus.rs`.

#[path = "../../tests/hardening/configuration.rs"]
pub mod configuration;
#[path = "../../rpc-core/tests/targets/mod.rs"]
pub mod targets;
pub mod words;
