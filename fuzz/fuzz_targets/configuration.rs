//! The fuzzer's way into the target `configuration`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| farcall_fuzz::configuration::run(bytes));
