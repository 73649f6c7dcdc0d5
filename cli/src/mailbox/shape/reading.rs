//! From the bytes of a letter to JSON. The bytes are another process's: none of them can panic here, nor allocate beyond what they are.

use super::{Shape, Width};
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use std::fmt;

/// What a letter says, if it is a value of that type and nothing else.
pub(in crate::mailbox) fn value(shape: &Shape, letter: &[u8]) -> Result<Value, String> {
    let mut from = postcard::Deserializer::from_bytes(letter);
    let value = shape.deserialize(&mut from).map_err(|error| error.to_string())?;
    match from.finalize() {
        Ok([]) => Ok(value),
        Ok(rest) => Err(format!("{} bytes are left over", rest.len())),
        Err(error) => Err(error.to_string()),
    }
}

impl<'de> DeserializeSeed<'de> for &Shape {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        match self {
            Shape::Bool => from.deserialize_bool(self),
            Shape::Unsigned(Width::W8) => from.deserialize_u8(self),
            Shape::Unsigned(Width::W16) => from.deserialize_u16(self),
            Shape::Unsigned(Width::W32) => from.deserialize_u32(self),
            Shape::Unsigned(Width::W64) => from.deserialize_u64(self),
            Shape::Unsigned(Width::W128) => from.deserialize_u128(self),
            Shape::Signed(Width::W8) => from.deserialize_i8(self),
            Shape::Signed(Width::W16) => from.deserialize_i16(self),
            Shape::Signed(Width::W32) => from.deserialize_i32(self),
            Shape::Signed(Width::W64) => from.deserialize_i64(self),
            Shape::Signed(Width::W128) => from.deserialize_i128(self),
            Shape::F32 => from.deserialize_f32(self),
            Shape::F64 => from.deserialize_f64(self),
            Shape::Char => from.deserialize_char(self),
            Shape::Text => from.deserialize_str(self),
            Shape::Bytes => from.deserialize_bytes(self),
            Shape::Unit => from.deserialize_unit(self),
            Shape::Option(_) => from.deserialize_option(self),
            Shape::List(_) => from.deserialize_seq(self),
            Shape::Tuple(items) => from.deserialize_tuple(items.len(), self),
            Shape::Map(..) => from.deserialize_map(self),
        }
    }
}

impl<'de> Visitor<'de> for &Shape {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u128<E>(self, value: u128) -> Result<Value, E> {
        Ok(u64::try_from(value).map_or_else(|_| value.to_string().into(), Value::from))
    }

    fn visit_i128<E>(self, value: i128) -> Result<Value, E> {
        Ok(i64::try_from(value).map_or_else(|_| value.to_string().into(), Value::from))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or_else(|| value.to_string().into(), Value::Number))
    }

    fn visit_char<E>(self, value: char) -> Result<Value, E> {
        Ok(value.to_string().into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_bytes<E>(self, value: &[u8]) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        match self {
            Shape::Option(of) => of.deserialize(from),
            _ => Ok(Value::Null),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        match self {
            Shape::List(of) => {
                while let Some(item) = from.next_element_seed(&**of)? {
                    items.push(item);
                }
            }
            Shape::Tuple(shapes) => {
                for shape in shapes {
                    items.extend(from.next_element_seed(shape)?);
                }
            }
            _ => {}
        }
        Ok(items.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Value, A::Error> {
        let (mut members, mut pairs) = (Map::new(), Vec::new());
        if let Shape::Map(key, of) = self {
            while let Some((key, of)) = from.next_entry_seed(&**key, &**of)? {
                match key {
                    Value::String(name) if self.has_names() => {
                        members.insert(name, of);
                    }
                    key => pairs.push(Value::Array(vec![key, of])),
                }
            }
        }
        Ok(if self.has_names() { members.into() } else { pairs.into() })
    }
}

impl Shape {
    fn has_names(&self) -> bool {
        matches!(self, Self::Map(key, _) if **key == Self::Text)
    }
}
