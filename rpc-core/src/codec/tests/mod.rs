//! The codec beside plain postcard, and against bytes that nobody would have written.

mod attacks;
mod large;
mod round_trip;

use super::{Budget, Decoder};
use crate::{error::Error, limits::Limits};
use serde::de::DeserializeOwned;

/// Decodes one value and nothing more, with the budget that a frame of these bytes has.
fn decode<T: DeserializeOwned + 'static>(bytes: &[u8]) -> Result<T, Error> {
    let mut decoder = Decoder::new(bytes, Budget::of(&Limits::default(), bytes.len()));
    let value = decoder.owned()?;
    decoder.end()?;
    Ok(value)
}
