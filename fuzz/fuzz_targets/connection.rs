//! The fuzzer's way into the target `connection`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| farcall_fuzz::targets::connection::run(bytes));
