//! The fuzzer's way into the target `address`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| farcall_fuzz::targets::address::run(bytes));
