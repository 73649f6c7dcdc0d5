//! The arguments of a call while they are decoded, with what came beside them.

use crate::{codec::Decoder, error::Error, payload::may_hold, stub::Brought};
use serde::{Deserialize, de::DeserializeOwned};

/// The arguments of a call, decoded in order. What no argument claims is dropped with this.
#[derive(Debug)]
pub struct Arguments<'de> {
    decoder: Decoder<'de>,
    brought: Brought,
}

impl<'de> Arguments<'de> {
    pub(super) fn new(decoder: Decoder<'de>, brought: Brought) -> Self {
        Self { decoder, brought }
    }

    /// The next argument, which may borrow from the frame.
    ///
    /// # Errors
    /// The bytes are not those of a `T`.
    #[inline]
    pub fn value<T: Deserialize<'de>>(&mut self) -> Result<T, Error> {
        let decoder = &mut self.decoder;
        if !std::mem::needs_drop::<T>() {
            return decoder.value();
        }
        self.brought.claim(|| decoder.value())
    }

    /// The next argument, which borrows nothing.
    ///
    /// # Errors
    /// The bytes are not those of a `T`.
    #[inline]
    pub fn owned<T: DeserializeOwned + 'static>(&mut self) -> Result<T, Error> {
        let decoder = &mut self.decoder;
        if !may_hold::<T>() {
            return decoder.owned();
        }
        self.brought.claim(|| decoder.owned())
    }

    /// The next argument, of type `&[u8]`.
    ///
    /// # Errors
    /// The bytes are not those of a `&[u8]`.
    #[inline]
    pub fn bytes(&mut self) -> Result<&'de [u8], Error> {
        self.decoder.bytes()
    }

    /// The next argument, of type `&str`.
    ///
    /// # Errors
    /// The bytes are not those of a `&str`.
    #[inline]
    pub fn str(&mut self) -> Result<&'de str, Error> {
        self.decoder.str()
    }

    /// There may be no more arguments.
    ///
    /// # Errors
    /// Bytes are left.
    #[inline]
    pub fn end(&self) -> Result<(), Error> {
        self.decoder.end()
    }
}
