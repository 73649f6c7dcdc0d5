//! The fuzzer's way into the target `frames`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| farcall_fuzz::targets::frames::run(bytes));
