//! The fuzzer's way into the target `lending`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| farcall_transports::shm::targets::lending(bytes));
