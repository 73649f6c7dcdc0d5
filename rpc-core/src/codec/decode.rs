//! Bytes to values.

use super::{budget::Budget, deserializer::Deserializer, fault::Fault};
use crate::{
    copy,
    error::{Error, ErrorKind},
};
use bytes::Bytes;
use serde::{Deserialize, de::DeserializeOwned};
use std::any::Any;

/// Reads values one after the other. After an error it is of no use any more.
///
/// Errors are of the kind `Decode` and name the type. They are raised for bytes that postcard would not have written
/// for a value of the type, and for values that exceed the budget, which all values of one decoder share.
#[derive(Debug)]
pub struct Decoder<'de> {
    from: Deserializer<'de>,
    /// What the bytes are a part of, if values may keep that.
    kept: Option<&'de Bytes>,
}

impl<'de> Decoder<'de> {
    /// Reads from `bytes`.
    #[inline]
    #[must_use]
    pub fn new(bytes: &'de [u8], budget: Budget) -> Self {
        Self { from: Deserializer::new(bytes, budget), kept: None }
    }

    /// The same, where `bytes` are a part of `whole`: large values of the type `Bytes` keep that, and are not copied.
    #[inline]
    pub(crate) fn keeping(mut self, whole: Option<&'de Bytes>) -> Self {
        self.kept = whole;
        self
    }

    /// The next value, which may borrow from the bytes.
    ///
    /// # Errors
    /// If the bytes are not a `T`.
    #[inline]
    pub fn value<T: Deserialize<'de>>(&mut self) -> Result<T, Error> {
        self.from.value().map_err(Fault::about::<T>)
    }

    /// The next value, which borrows nothing. `Vec<u8>`, `String` and `Bytes` are copied whole, if at all.
    ///
    /// # Errors
    /// If the bytes are not a `T`.
    #[inline]
    pub fn owned<T: DeserializeOwned + 'static>(&mut self) -> Result<T, Error> {
        let mut whole: Option<T> = None;
        let slot: &mut dyn Any = &mut whole;
        if let Some(slot) = slot.downcast_mut::<Option<Vec<u8>>>() {
            *slot = Some(copy::to_vec(self.charged_bytes::<T>()?));
        } else if let Some(slot) = slot.downcast_mut::<Option<Bytes>>() {
            *slot = Some(self.shared_bytes()?);
        } else if let Some(slot) = slot.downcast_mut::<Option<String>>() {
            let text = std::str::from_utf8(self.charged_bytes::<T>()?);
            *slot = Some(text.map_err(|_| Fault::Text.about::<T>())?.to_owned());
        }
        match whole {
            Some(value) => Ok(value),
            None => self.value(),
        }
    }

    /// The next value, of type `&[u8]`.
    ///
    /// # Errors
    /// If the bytes are not a `&[u8]`.
    #[inline]
    pub fn bytes(&mut self) -> Result<&'de [u8], Error> {
        self.from.input.slice().map_err(Fault::about::<[u8]>)
    }

    /// The next value, of type `&str`.
    ///
    /// # Errors
    /// If the bytes are not a `&str`.
    #[inline]
    pub fn str(&mut self) -> Result<&'de str, Error> {
        self.from.input.text().map_err(Fault::about::<str>)
    }

    /// Nothing may be left.
    ///
    /// # Errors
    /// If bytes are left.
    #[inline]
    pub fn end(&self) -> Result<(), Error> {
        match self.from.input.left() {
            0 => Ok(()),
            left => Err(excess(left)),
        }
    }

    /// What has at least half of the bytes keeps them all; the rest is copied.
    fn shared_bytes(&mut self) -> Result<Bytes, Error> {
        let bytes = self.from.input.slice().map_err(Fault::about::<Bytes>)?;
        if let Some(whole) = self.kept.filter(|whole| bytes.len() >= whole.len() / 2) {
            return Ok(whole.slice_ref(bytes));
        }
        self.from.budget.charge(bytes.len()).map_err(Fault::about::<Bytes>)?;
        Ok(copy::to_vec(bytes).into())
    }

    #[inline]
    fn charged_bytes<T>(&mut self) -> Result<&'de [u8], Error> {
        let bytes = self.from.input.slice().map_err(Fault::about::<T>)?;
        self.from.budget.charge(bytes.len()).map_err(Fault::about::<T>)?;
        Ok(bytes)
    }
}

#[cold]
fn excess(left: usize) -> Error {
    let text = format!(
        "{left} bytes are left after the last value; the two builds may disagree about its type"
    );
    Error::of(ErrorKind::Decode, text)
}
