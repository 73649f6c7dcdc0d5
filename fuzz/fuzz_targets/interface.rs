//! The fuzzer's way into the target `interface`. A macro cannot be linked, so that its parts are here.
#![no_main]

#[path = "../../rpc-macros/src/attributes.rs"]
mod attributes;
#[path = "../../rpc-macros/src/check/mod.rs"]
mod check;
#[path = "../../rpc-macros/src/expand/mod.rs"]
mod expand;
#[path = "../../rpc-macros/src/interface.rs"]
mod interface;
#[path = "../../rpc-macros/src/mistakes.rs"]
mod mistakes;
#[path = "../../rpc-macros/src/passing.rs"]
mod passing;
#[path = "../../rpc-macros/src/result.rs"]
mod result;
#[path = "../../rpc-macros/src/signature.rs"]
mod signature;
#[path = "../../rpc-macros/src/target.rs"]
mod target;
use farcall_fuzz::words;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| target::run(bytes));
