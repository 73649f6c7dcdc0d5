//! From JSON to the bytes of a letter.

use super::{Shape, Width};
use serde::{
    Serialize, Serializer,
    ser::{Error, SerializeMap, SerializeSeq, SerializeTuple},
};
use serde_json::Value;

/// A value that is to be written as one of a type.
pub(super) struct Shaped<'a> {
    pub(super) shape: &'a Shape,
    pub(super) value: &'a Value,
}

impl Serialize for Shaped<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        if let Some(why) = wrong(self.shape, self.value) {
            return Err(S::Error::custom(why));
        }
        let value = self.value;
        match self.shape {
            Shape::Bool => to.serialize_bool(value.as_bool().unwrap_or_default()),
            Shape::Unsigned(width) => {
                let number = unsigned(value).unwrap_or_default();
                match width {
                    Width::W8 => to.serialize_u8(number as u8),
                    Width::W16 => to.serialize_u16(number as u16),
                    Width::W32 => to.serialize_u32(number as u32),
                    Width::W64 => to.serialize_u64(number as u64),
                    Width::W128 => to.serialize_u128(number),
                }
            }
            Shape::Signed(width) => {
                let number = signed(value).unwrap_or_default();
                match width {
                    Width::W8 => to.serialize_i8(number as i8),
                    Width::W16 => to.serialize_i16(number as i16),
                    Width::W32 => to.serialize_i32(number as i32),
                    Width::W64 => to.serialize_i64(number as i64),
                    Width::W128 => to.serialize_i128(number),
                }
            }
            Shape::F32 => to.serialize_f32(value.as_f64().unwrap_or_default() as f32),
            Shape::F64 => to.serialize_f64(value.as_f64().unwrap_or_default()),
            Shape::Char => {
                let text = value.as_str().unwrap_or_default();
                to.serialize_char(text.chars().next().unwrap_or_default())
            }
            Shape::Text => to.serialize_str(value.as_str().unwrap_or_default()),
            Shape::Bytes => to.serialize_bytes(&bytes(value).unwrap_or_default()),
            Shape::Unit => to.serialize_unit(),
            Shape::Option(of) => match value {
                Value::Null => to.serialize_none(),
                value => to.serialize_some(&Shaped { shape: of, value }),
            },
            Shape::List(of) => {
                let items = items(value);
                let mut to = to.serialize_seq(Some(items.len()))?;
                for value in items {
                    to.serialize_element(&Shaped { shape: of, value })?;
                }
                to.end()
            }
            Shape::Tuple(shapes) => {
                let mut to = to.serialize_tuple(shapes.len())?;
                for (shape, value) in shapes.iter().zip(items(value)) {
                    to.serialize_element(&Shaped { shape, value })?;
                }
                to.end()
            }
            Shape::Map(key, of) => {
                let pairs = pairs(key, value);
                let mut to = to.serialize_map(Some(pairs.len()))?;
                for (name, value) in &pairs {
                    to.serialize_entry(
                        &Shaped { shape: key, value: name },
                        &Shaped { shape: of, value },
                    )?;
                }
                to.end()
            }
        }
    }
}

/// Why a value is none of a type: what is wrong first.
pub(super) fn why(shape: &Shape, value: &Value) -> String {
    let inner = |shape: &Shape, values: &mut dyn Iterator<Item = Value>| {
        let each = values.map(|value| why(shape, &value));
        each.into_iter().find(|why| !why.is_empty()).unwrap_or_default()
    };
    match (wrong(shape, value), shape) {
        (Some(why), _) => why,
        (None, Shape::Option(of)) if !value.is_null() => why(of, value),
        (None, Shape::List(of)) => inner(of, &mut items(value).iter().cloned()),
        (None, Shape::Tuple(shapes)) => {
            let each = shapes.iter().zip(items(value)).map(|(shape, value)| why(shape, value));
            each.into_iter().find(|why| !why.is_empty()).unwrap_or_default()
        }
        (None, Shape::Map(key, of)) => {
            let pairs = pairs(key, value);
            let keys = inner(key, &mut pairs.iter().map(|(key, _)| key.clone()));
            if keys.is_empty() { inner(of, &mut pairs.into_iter().map(|(_, of)| of)) } else { keys }
        }
        (None, _) => String::new(),
    }
}

/// Why a value itself is none of a type, whatever is in it.
fn wrong(shape: &Shape, value: &Value) -> Option<String> {
    let (is_right, want) = match shape {
        Shape::Bool => (value.is_boolean(), "is neither `true` nor `false`".to_owned()),
        Shape::Unsigned(width) => {
            let most = u128::MAX >> (128 - width.bits());
            let is_in = unsigned(value).is_some_and(|number| number <= most);
            (is_in, format!("is no number from 0 to {most}"))
        }
        Shape::Signed(width) => {
            let most = i128::MAX >> (128 - width.bits());
            let is_in = signed(value).is_some_and(|number| (!most..=most).contains(&number));
            (is_in, format!("is no number from {} to {most}", !most))
        }
        Shape::F32 | Shape::F64 => (value.is_number(), "is no number".to_owned()),
        Shape::Char => {
            let is_one = value.as_str().is_some_and(|text| text.chars().count() == 1);
            (is_one, "is no text of one character".to_owned())
        }
        Shape::Text => (value.is_string(), "is no text".to_owned()),
        Shape::Bytes => {
            (bytes(value).is_some(), "is neither a text nor a list of bytes".to_owned())
        }
        Shape::Unit => (value.is_null(), "is not `null`".to_owned()),
        Shape::Option(_) => (true, String::new()),
        Shape::List(_) => (value.is_array(), "is no list".to_owned()),
        Shape::Tuple(shapes) => {
            let is_right = value.as_array().is_some_and(|items| items.len() == shapes.len());
            (is_right, format!("is no list of {} items", shapes.len()))
        }
        Shape::Map(key, _) if **key == Shape::Text => {
            (value.is_object(), "is no object".to_owned())
        }
        Shape::Map(..) => {
            let is_pair = |pair: &Value| pair.as_array().is_some_and(|pair| pair.len() == 2);
            let is_right = value.as_array().is_some_and(|pairs| pairs.iter().all(is_pair));
            (is_right, "is no list of pairs".to_owned())
        }
    };
    (!is_right).then(|| format!("`{value}` {want}"))
}

impl Width {
    fn bits(self) -> u32 {
        match self {
            Self::W8 => 8,
            Self::W16 => 16,
            Self::W32 => 32,
            Self::W64 => 64,
            Self::W128 => 128,
        }
    }
}

/// A number, or a text of one that JSON cannot hold.
fn unsigned(value: &Value) -> Option<u128> {
    let number = value.as_u64().map(u128::from);
    let large = || value.as_str()?.parse().ok().filter(|number| *number > u64::MAX.into());
    number.or_else(large)
}

fn signed(value: &Value) -> Option<i128> {
    let number = value.as_i64().map(i128::from).or(value.as_u64().map(i128::from));
    let is_large = |number: &i128| i64::try_from(*number).is_err();
    number.or_else(|| value.as_str()?.parse().ok().filter(is_large))
}

fn bytes(value: &Value) -> Option<Vec<u8>> {
    match value {
        Value::String(text) => Some(text.clone().into_bytes()),
        Value::Array(items) => {
            let byte = |item: &Value| item.as_u64().and_then(|byte| u8::try_from(byte).ok());
            items.iter().map(byte).collect()
        }
        _ => None,
    }
}

fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn pairs(key: &Shape, value: &Value) -> Vec<(Value, Value)> {
    match value {
        Value::Object(members) if *key == Shape::Text => {
            members.iter().map(|(name, of)| (Value::String(name.clone()), of.clone())).collect()
        }
        pairs => {
            let pair = |pair: &Value| Some((pair.get(0)?.clone(), pair.get(1)?.clone()));
            items(pairs).iter().filter_map(pair).collect()
        }
    }
}
