//! Values to bytes.

use crate::{buffer::Buffer, error::Error};
use serde::Serialize;

/// Writes values one after the other: small ones into `head`, and everything from the first large one on into `tail`.
#[derive(Debug, Default)]
pub struct Encoder {
    head: Buffer,
    tail: Option<Buffer>,
}

impl Encoder {
    /// An encoder with nothing in it, whose memory comes from the pool.
    #[must_use]
    pub fn new() -> Self {
        unimplemented!()
    }

    /// The next value.
    pub fn value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        unimplemented!()
    }

    /// The next value, by value: a large `Vec<u8>`, `String` or `Bytes` is moved, not copied, where it can be.
    pub fn owned<T: Serialize + 'static>(&mut self, value: T) -> Result<(), Error> {
        unimplemented!()
    }

    /// The next value, of type `&[u8]`.
    pub fn bytes(&mut self, bytes: &[u8]) {
        unimplemented!()
    }

    /// The next value, of type `&str`.
    pub fn str(&mut self, text: &str) {
        unimplemented!()
    }

    /// What was written.
    #[must_use]
    pub fn finish(self) -> (Buffer, Option<Buffer>) {
        (self.head, self.tail)
    }
}
