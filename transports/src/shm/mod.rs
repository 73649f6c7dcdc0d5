//! `shm://name` and `shm:///path`: between processes of one user on one host, through shared memory.

#![allow(dead_code, unused_imports, reason = "the ring comes first")]

mod ring;
