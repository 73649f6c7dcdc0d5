//! Values to bytes and back: postcard, with bulk bytes as slices and with a budget for what a peer may make us build.

mod budget;
mod decode;
mod encode;

pub use decode::{Budget, Decoder};
pub use encode::Encoder;
