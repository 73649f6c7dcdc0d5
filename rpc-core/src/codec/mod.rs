//! Values to bytes and back: postcard's bytes, with bulk bytes as slices and with a budget for what a peer may make us
//! build. No byte of a peer's can panic here, nor overflow, nor allocate beyond the budget.

#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

mod encode;

mod budget;
mod decode;
mod deserializer;
mod fault;
mod input;
mod varint;

pub use budget::Budget;
pub use decode::Decoder;
pub use encode::Encoder;

#[cfg(test)]
mod tests;
