//! Bytes to values.

use crate::error::Error;
use serde::{Deserialize, de::DeserializeOwned};

/// What decoding one message may cost.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    /// Bytes that may be materialised.
    pub bytes: usize,
    /// Nesting.
    pub depth: usize,
}

/// Reads values one after the other.
#[derive(Debug)]
pub struct Decoder<'de> {
    bytes: &'de [u8],
    budget: Budget,
}

impl<'de> Decoder<'de> {
    /// Reads from `bytes`.
    #[must_use]
    pub fn new(bytes: &'de [u8], budget: Budget) -> Self {
        Self { bytes, budget }
    }

    /// The next value, which may borrow from the bytes.
    pub fn value<T: Deserialize<'de>>(&mut self) -> Result<T, Error> {
        unimplemented!()
    }

    /// The next value, which borrows nothing. `Vec<u8>`, `String` and `Bytes` are copied whole.
    pub fn owned<T: DeserializeOwned + 'static>(&mut self) -> Result<T, Error> {
        unimplemented!()
    }

    /// The next value, of type `&[u8]`.
    pub fn bytes(&mut self) -> Result<&'de [u8], Error> {
        unimplemented!()
    }

    /// The next value, of type `&str`.
    pub fn str(&mut self) -> Result<&'de str, Error> {
        unimplemented!()
    }

    /// Nothing may be left.
    pub fn end(&self) -> Result<(), Error> {
        unimplemented!()
    }
}
