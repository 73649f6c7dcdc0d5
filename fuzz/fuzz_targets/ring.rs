//! The fuzzer's way into the target `ring`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| farcall_transports::shm::targets::ring(bytes));
