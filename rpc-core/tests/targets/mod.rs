//! What is done with bytes that nobody would have written: one function for each fuzz target.

#![allow(
    unreachable_pub,
    missing_docs,
    missing_debug_implementations,
    reason = "public to the fuzz targets alone"
)]

pub mod address;
pub mod connection;
pub mod decode;
pub mod frames;
mod peers;
