//! How a payload is encoded: within a call as its place in a list that travels beside the values, elsewhere as bytes.

use super::{
    Payload,
    beside::{Scope, Scopes},
};
use bytes::Bytes;
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, SeqAccess, Visitor},
};
use std::{any::TypeId, cell::Cell, fmt, mem};

thread_local! {
    static SCOPE: Cell<Scope<Payload, Payload>> = const { Cell::new(Scope::None) };
}

/// The list of the payloads that travel with the values.
const SCOPES: Scopes<Payload, Payload> = Scopes(&SCOPE);

/// Whether a value of this type may hold payloads. Costs nothing at run time.
#[inline]
pub(crate) fn may_hold<T: 'static>() -> bool {
    let ty = TypeId::of::<T>();
    mem::needs_drop::<T>()
        && ty != TypeId::of::<Vec<u8>>()
        && ty != TypeId::of::<String>()
        && ty != TypeId::of::<Bytes>()
}

/// Runs `encode`; the payloads of what it encodes are added to `list`, unless it fails.
pub(crate) fn collect_into<E>(
    list: &mut Vec<Payload>,
    encode: impl FnOnce() -> Result<(), E>,
) -> Result<(), E> {
    SCOPES.collect_into(list, encode)
}

/// Runs `decode`, which may claim each payload of `list` once.
pub(crate) fn claim_from<T>(list: &mut Vec<Option<Payload>>, decode: impl FnOnce() -> T) -> T {
    SCOPES.claim_from(list, decode)
}

impl Serialize for Payload {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let listed = match serializer.is_human_readable() {
            true => None,
            false => SCOPES.collect(self.clone()),
        };
        match (listed, self.try_as_slice()) {
            (Some(index), _) => serializer.serialize_u32(index),
            (None, Some(slice)) => serializer.serialize_bytes(slice),
            (None, None) => serializer.serialize_bytes(&self.to_buffer()),
        }
    }
}

impl<'de> Deserialize<'de> for Payload {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() || !SCOPES.is_decoding() {
            return deserializer.deserialize_byte_buf(Whole);
        }
        let index = u32::deserialize(deserializer)?;
        let missing = "it names a payload that did not come with it, or names it twice";
        SCOPES.claim(index).ok_or_else(|| de::Error::custom(missing))
    }
}

/// Takes bytes for a payload, in each form that they have elsewhere.
struct Whole;

impl<'de> Visitor<'de> for Whole {
    type Value = Payload;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("bytes")
    }

    fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Payload, E> {
        Ok(bytes.into())
    }

    fn visit_byte_buf<E: de::Error>(self, bytes: Vec<u8>) -> Result<Payload, E> {
        Ok(bytes.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Payload, A::Error> {
        let mut bytes = Vec::new();
        while let Some(byte) = sequence.next_element()? {
            bytes.push(byte);
        }
        Ok(bytes.into())
    }
}
