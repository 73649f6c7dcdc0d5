//! The fuzzer's way into the target `decode`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| farcall_fuzz::targets::decode::run(bytes));
