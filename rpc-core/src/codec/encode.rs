//! Values to bytes.

use crate::{
    buffer::Buffer,
    copy,
    error::{Error, ErrorKind},
    tail::{SLACK, Tail},
};
use bytes::Bytes;
use postcard::ser_flavors::Flavor;
use serde::Serialize;
use std::any::{self, Any};

/// Room for small values: one more than most calls need, so that nothing grows.
const HEAD: usize = 256;
/// Length from which bytes are bulk and go into a buffer of their own.
const BULK: usize = 32 << 10;

/// Writes values one after the other: small ones into `head`, and everything from the first large one on into `tail`.
///
/// The bytes are postcard's. A value that fails to encode leaves no byte behind.
#[derive(Debug, Default)]
pub struct Encoder {
    head: Buffer,
    tail: Option<Tail>,
}

impl Encoder {
    /// An encoder with nothing in it, whose memory comes from the pool.
    #[inline]
    #[must_use]
    pub fn new() -> Self {
        Self::with_capacity(HEAD)
    }

    /// The same with room for so many bytes.
    #[inline]
    pub(crate) fn with_capacity(bytes: usize) -> Self {
        Self { head: Buffer::with_capacity(bytes.max(HEAD)), tail: None }
    }

    /// The next value.
    ///
    /// # Errors
    /// Of the kind `Encode`, naming the type, if its `Serialize` fails.
    #[inline]
    pub fn value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        let out = self.out();
        let before = out.len();
        match postcard::serialize_with_flavor(value, Append(out)) {
            Ok(()) => Ok(()),
            Err(error) => {
                self.out().truncate(before);
                Err(failed(any::type_name::<T>(), error))
            }
        }
    }

    /// The next value, by value: a large `Vec<u8>`, `String` or `Bytes` is moved, not copied, if it is the first large one.
    ///
    /// # Errors
    /// Of the kind `Encode`, naming the type, if its `Serialize` fails.
    #[inline]
    pub fn owned<T: Serialize + 'static>(&mut self, value: T) -> Result<(), Error> {
        let mut value = Some(value);
        let slot: &mut dyn Any = &mut value;
        if let Some(slot) = slot.downcast_mut::<Option<Vec<u8>>>() {
            self.vector(slot.take().unwrap_or_default());
        } else if let Some(slot) = slot.downcast_mut::<Option<String>>() {
            self.vector(slot.take().unwrap_or_default().into_bytes());
        } else if let Some(slot) = slot.downcast_mut::<Option<Bytes>>() {
            self.shared(slot.take().unwrap_or_default());
        }
        match value {
            Some(value) => self.value(&value),
            None => Ok(()),
        }
    }

    /// The next value, of type `&[u8]`.
    #[inline]
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.length(bytes.len());
        if bytes.len() < BULK || self.tail.is_some() {
            copy::append(self.out(), bytes);
        } else {
            let mut tail = Buffer::with_capacity(bytes.len().saturating_add(SLACK));
            tail.extend_from_slice(bytes);
            self.tail = Some(tail.into());
        }
    }

    /// The next value, of type `&str`.
    #[inline]
    pub fn str(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    /// Writes over the first bytes, if so many were written.
    pub(crate) fn overwrite(&mut self, bytes: [u8; 4]) {
        if let Some(first) = self.head.first_chunk_mut() {
            *first = bytes;
        }
    }

    /// Forgets what was written after so many bytes.
    pub fn truncate(&mut self, written: usize) {
        match (&mut self.tail, written.checked_sub(self.head.len())) {
            (Some(tail), Some(of_tail)) => tail.truncate(of_tail),
            _ => {
                self.tail = None;
                self.head.truncate(written);
            }
        }
    }

    /// Bytes that were written.
    #[must_use]
    pub fn written(&self) -> usize {
        self.head.len().saturating_add(self.tail.as_ref().map_or(0, |tail| tail.len()))
    }

    /// Bytes that were written, if there is no tail yet.
    #[must_use]
    pub fn head_length(&self) -> Option<usize> {
        self.tail.is_none().then_some(self.head.len())
    }

    /// Takes out what was written, and behind it the length of the next value, which has so many bytes and which the caller writes itself.
    #[must_use]
    pub fn take_before_bulk(&mut self, length: usize) -> Buffer {
        self.length(length);
        std::mem::replace(&mut self.head, Buffer::with_capacity(HEAD))
    }

    /// What was written: the bytes of the head, then those of the tail.
    #[must_use]
    pub fn finish(self) -> (Buffer, Option<Tail>) {
        (self.head, self.tail)
    }

    fn vector(&mut self, bytes: Vec<u8>) {
        if bytes.len() < BULK || self.tail.is_some() {
            self.bytes(&bytes);
        } else {
            self.length(bytes.len());
            self.tail = Some(Buffer::from(bytes).into());
        }
    }

    fn shared(&mut self, bytes: Bytes) {
        if bytes.len() < BULK || self.tail.is_some() {
            self.bytes(&bytes);
        } else {
            self.length(bytes.len());
            self.tail = Some(bytes.into());
        }
    }

    fn length(&mut self, mut length: usize) {
        let out = self.out();
        while length >= 0x80 {
            out.push((length & 0x7f) as u8 | 0x80);
            length >>= 7;
        }
        out.push(length as u8);
    }

    #[inline]
    fn out(&mut self) -> &mut Vec<u8> {
        self.tail.as_mut().map_or(&mut self.head, Tail::writer).writer()
    }
}

#[cold]
fn failed(name: &str, error: postcard::Error) -> Error {
    let why = match error {
        postcard::Error::SerializeSeqLengthUnknown => {
            "a sequence or map in it does not know its length in advance: collect it first"
                .to_owned()
        }
        postcard::Error::SerdeSerCustom | postcard::Error::CollectStrError => {
            "its implementation of `Serialize` or `Display` failed".to_owned()
        }
        other => other.to_string(),
    };
    Error::of(ErrorKind::Encode, format!("cannot encode `{name}`: {why}"))
}

/// Appends to a vector.
struct Append<'a>(&'a mut Vec<u8>);

impl Flavor for Append<'_> {
    type Output = ();

    #[inline]
    fn try_extend(&mut self, bytes: &[u8]) -> postcard::Result<()> {
        copy::append(self.0, bytes);
        Ok(())
    }

    #[inline]
    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        self.0.push(byte);
        Ok(())
    }

    #[inline]
    fn finalize(self) -> postcard::Result<()> {
        Ok(())
    }
}
