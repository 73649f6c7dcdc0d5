//! How a payload is encoded: within a call as its place in a list that travels beside the values, elsewhere as bytes.
//!
//! The list is that of the innermost scope of this thread, which whoever encodes or decodes the values of a frame opens.

use super::Payload;
use bytes::Bytes;
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, SeqAccess, Visitor},
};
use std::{any::TypeId, cell::Cell, fmt, mem};

/// The list of the innermost scope.
#[derive(Default)]
enum Scope {
    #[default]
    None,
    /// Values are encoded: the payloads that they hold.
    Out(Vec<Payload>),
    /// Values are decoded: the payloads that came with them and were not claimed.
    In(Vec<Option<Payload>>),
}

thread_local! {
    static SCOPE: Cell<Scope> = const { Cell::new(Scope::None) };
}

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
    let before = list.len();
    let entered = Entered::new(Scope::Out(mem::take(list)));
    let encoded = encode();
    if let Scope::Out(collected) = entered.leave() {
        *list = collected;
    }
    if encoded.is_err() {
        list.truncate(before);
    }
    encoded
}

/// Runs `decode`, which may claim each payload of `list` once.
pub(crate) fn claim_from<T>(list: &mut Vec<Option<Payload>>, decode: impl FnOnce() -> T) -> T {
    let entered = Entered::new(Scope::In(mem::take(list)));
    let decoded = decode();
    if let Scope::In(left) = entered.leave() {
        *list = left;
    }
    decoded
}

/// A scope while it is the innermost one. Puts the one around it back, also when a value's own code panics.
struct Entered {
    outer: Option<Scope>,
}

impl Entered {
    fn new(scope: Scope) -> Self {
        Self { outer: Some(exchange(scope)) }
    }

    fn leave(mut self) -> Scope {
        self.outer.take().map(exchange).unwrap_or_default()
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        if let Some(outer) = self.outer.take() {
            exchange(outer);
        }
    }
}

/// A thread that ends has no scopes.
fn exchange(scope: Scope) -> Scope {
    SCOPE.try_with(|innermost| innermost.replace(scope)).unwrap_or_default()
}

/// What a payload is in the values that are encoded or decoded at the moment.
enum Form {
    /// Bytes, as elsewhere.
    Bytes,
    /// A place in the list.
    Listed,
}

/// Adds a payload to the list that is collected. `None` where none is.
fn collect(payload: &Payload) -> Option<u32> {
    let mut scope = exchange(Scope::None);
    let index = match &mut scope {
        Scope::Out(list) => {
            list.push(payload.clone());
            u32::try_from(list.len() - 1).ok()
        }
        _ => None,
    };
    exchange(scope);
    index
}

/// The payload with this place in the list, if it is there and was not claimed before.
fn claim(index: u32) -> Option<Payload> {
    let mut scope = exchange(Scope::None);
    let claimed = match &mut scope {
        Scope::In(list) => {
            usize::try_from(index).ok().and_then(|index| list.get_mut(index)).and_then(Option::take)
        }
        _ => None,
    };
    exchange(scope);
    claimed
}

/// What is being decoded.
fn form() -> Form {
    let scope = exchange(Scope::None);
    let form = if matches!(scope, Scope::In(_)) { Form::Listed } else { Form::Bytes };
    exchange(scope);
    form
}

impl Serialize for Payload {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let listed = if serializer.is_human_readable() { None } else { collect(self) };
        match (listed, self.try_as_slice()) {
            (Some(index), _) => serializer.serialize_u32(index),
            (None, Some(slice)) => serializer.serialize_bytes(slice),
            (None, None) => serializer.serialize_bytes(&self.to_buffer()),
        }
    }
}

impl<'de> Deserialize<'de> for Payload {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match form() {
            Form::Listed if !deserializer.is_human_readable() => {
                let index = u32::deserialize(deserializer)?;
                let missing = "it names a payload that did not come with it, or names it twice";
                claim(index).ok_or_else(|| de::Error::custom(missing))
            }
            _ => deserializer.deserialize_byte_buf(Whole),
        }
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
