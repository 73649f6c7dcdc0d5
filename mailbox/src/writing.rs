//! What a letter says, encoded: with what it encloses, payloads and handles on objects.

use crate::{Error, Result};
use bytes::{Buf, Bytes};
use farcall_core::{
    buffer::Buffer,
    codec::{Budget, Decoder, Encoder},
    limits::Limits,
    stub::Enclosures,
};
use serde::{Serialize, de::DeserializeOwned};
use std::{any::Any, mem};

/// Payloads that a letter may enclose, and as many handles on objects.
pub const ENCLOSED: usize = 32;

/// Bytes from which letters travel beside the call that carries them, and not in it: they are copied less often then.
pub(crate) const LONG: usize = 4 << 10;

/// What a letter says, encoded.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Writing {
    /// The value.
    pub bytes: Bytes,
    /// What the value holds that is not in its bytes.
    pub enclosed: Enclosures,
}

impl Writing {
    /// Encodes a value.
    pub(crate) fn of<T: Serialize + 'static>(value: &T) -> Result<Self> {
        let mut encoder = Encoder::new();
        if let Some(bytes) = bytes_in(value).filter(|bytes| bytes.len() >= LONG) {
            let head = encoder.take_before_bulk(bytes.len());
            let mut all = Buffer::with_capacity(head.len() + bytes.len());
            all.extend_from_slice(&head);
            all.extend_from_slice(bytes);
            return Ok(Bytes::from_owner(all).into());
        }
        let enclosed = enclosed(&mut encoder, value)?;
        Ok(Self { bytes: bytes_of(encoder), enclosed })
    }

    /// Decodes the value. `Bytes` are not copied, nor shared: they are what is left of these. To share them, as a call's decoder does, costs a
    /// tenth of the letters per second.
    pub(crate) fn read<T: DeserializeOwned + 'static>(mut self) -> Result<T> {
        let mut whole: Option<T> = None;
        let slot: &mut dyn Any = &mut whole;
        if let Some(slot) = slot.downcast_mut::<Option<Bytes>>() {
            *slot = Some(self.take_whole()?);
        }
        match whole {
            Some(value) => Ok(value),
            None => self.decode(),
        }
    }

    /// What it says, where that is bytes and nothing else.
    fn take_whole(&mut self) -> Result<Bytes> {
        let mut decoder = self.decoder();
        let length = decoder.bytes()?.len();
        decoder.end()?;
        self.bytes.advance(self.bytes.len() - length);
        Ok(mem::take(&mut self.bytes))
    }

    fn decode<T: DeserializeOwned + 'static>(&self) -> Result<T> {
        let mut decoder = self.decoder();
        let value = self.enclosed.decode(&mut decoder)?;
        decoder.end()?;
        Ok(value)
    }

    fn decoder(&self) -> Decoder<'_> {
        Decoder::new(&self.bytes, Budget::of(&Limits::default(), self.bytes.len()))
    }

    /// Whether it travels best in the call that carries it.
    pub(crate) fn is_short(&self) -> bool {
        self.bytes.len() < LONG && self.enclosed.is_empty()
    }

    /// Its bytes, and those of the payloads.
    #[must_use]
    pub fn size(&self) -> usize {
        self.bytes.len() + self.enclosed.size()
    }
}

impl From<Bytes> for Writing {
    fn from(bytes: Bytes) -> Self {
        Self { bytes, enclosed: Enclosures::default() }
    }
}

/// The bytes of a value that is nothing else, behind their number.
fn bytes_in<T: 'static>(value: &T) -> Option<&[u8]> {
    let value: &dyn Any = value;
    let vector = value.downcast_ref::<Vec<u8>>().map(Vec::as_slice);
    let text = || value.downcast_ref().map(String::as_bytes);
    vector.or_else(text).or_else(|| value.downcast_ref().map(Bytes::as_ref))
}

/// Encodes a value: what it encloses. One that encloses too much leaves no byte behind.
pub(crate) fn enclosed<T: Serialize + 'static>(
    encoder: &mut Encoder,
    value: &T,
) -> Result<Enclosures> {
    if let Some(bytes) = bytes_in(value) {
        encoder.bytes(bytes);
        return Ok(Enclosures::default());
    }
    let before = encoder.written();
    let enclosed = Enclosures::encode(encoder, value)?;
    if is_within(&enclosed) {
        return Ok(enclosed);
    }
    encoder.truncate(before);
    let what = "payloads, or handles on objects, in one letter".to_owned();
    Err(Error::LimitExceeded { what, limit: ENCLOSED as u64 })
}

/// Whether a letter may enclose so much.
#[inline]
pub(crate) fn is_within(enclosed: &Enclosures) -> bool {
    enclosed.payloads().len() <= ENCLOSED && enclosed.remotes().len() <= ENCLOSED
}

/// What was encoded, in one piece.
pub(crate) fn bytes_of(encoder: Encoder) -> Bytes {
    let (head, tail) = encoder.finish();
    let mut bytes = head.into_vec();
    bytes.extend_from_slice(tail.as_deref().unwrap_or_default());
    bytes.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Debug;

    /// It is encoded as it is where it is a part of something else, alone and among others.
    #[track_caller]
    fn check<T: Serialize + DeserializeOwned + PartialEq + Clone + Debug + 'static>(value: T) {
        let writing = Writing::of(&value).unwrap();
        assert_eq!(writing, Writing::of(&(value.clone(),)).unwrap());
        assert_eq!(writing.clone().read::<T>(), Ok(value.clone()));
        let mut encoder = Encoder::new();
        assert!(enclosed(&mut encoder, &7_u8).unwrap().is_empty());
        assert!(enclosed(&mut encoder, &value).unwrap().is_empty());
        assert_eq!(bytes_of(encoder), [&[7], &writing.bytes[..]].concat());
    }

    #[test]
    fn bytes_are_read_where_they_are_and_only_whole() {
        let writing = Writing::of(&Bytes::from(vec![7; 200])).unwrap();
        let value: Bytes = writing.clone().read().unwrap();
        assert_eq!((&*value, value.as_ptr()), (&[7; 200][..], writing.bytes[2..].as_ptr()));
        for wrong in [&writing.bytes[..201], &[&writing.bytes[..], &[0]].concat(), &[]] {
            let wrong = Writing::from(Bytes::copy_from_slice(wrong));
            let same = wrong.clone().read::<Vec<u8>>().unwrap_err().to_string();
            let error = wrong.read::<Bytes>().unwrap_err().to_string();
            assert_eq!(error, same.replace("alloc::vec::Vec<u8>", "[u8]"));
        }
    }

    #[test]
    fn bytes_and_texts_are_written_at_once_and_not_otherwise() {
        for length in [0, 1, 127, 128, LONG - 1, LONG, 100_000] {
            let bytes: Vec<u8> = (0..length).map(|at| at as u8).collect();
            check(bytes.clone());
            check(Bytes::from(bytes));
            check("x".repeat(length));
        }
    }
}
