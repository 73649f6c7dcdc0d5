//! What is done with bytes that nobody would have written: one function for each fuzz target.

pub mod address;
pub mod connection;
pub mod decode;
pub mod frames;
mod peers;
