//! What type the letters of a mailbox have, as far as one can see without a letter: its name, and the fields at its top.

use serde::{
    Deserialize, Serialize,
    de::{self, DeserializeOwned, Deserializer, Visitor},
    forward_to_deserialize_any,
};
use std::fmt;

/// Bytes of the name of a type that a mailbox takes over from the first process that attaches to it.
pub const KIND_BYTES: usize = 1 << 16;

/// The type of letters. Two builds agree on it if the type is called the same and its fields are, wherever it is defined.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Kind(String);

impl Kind {
    /// That of `T`.
    #[must_use]
    pub fn of<T: DeserializeOwned>() -> Self {
        let name = without_paths(std::any::type_name::<T>());
        let fields = match T::deserialize(Top) {
            Err(Seen(Some(fields))) => format!(" {{ {} }}", fields.join(", ")),
            _ => String::new(),
        };
        Self(name + &fields)
    }

    /// The one that is written so, for whoever does not have the type: `String`, or `Job { number, text }`.
    #[must_use]
    pub fn named(text: &str) -> Self {
        Self(text.split_whitespace().collect::<Vec<_>>().join(" "))
    }

    /// As it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// `Vec<Job>` of `alloc::vec::Vec<jobs::Job>`.
fn without_paths(name: &str) -> String {
    let mut short = String::with_capacity(name.len());
    let mut rest = name;
    while !rest.is_empty() {
        let is_path = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
        let end = rest.find(|c| !is_path(c)).unwrap_or(rest.len());
        let (path, after) = rest.split_at(end);
        short.push_str(path.rsplit("::").next().unwrap_or_default());
        let next = after.find(is_path).unwrap_or(after.len());
        let (between, after) = after.split_at(next);
        short.push_str(between);
        rest = after;
    }
    short
}

/// Looks at what a type asks for first, and gives it nothing.
struct Top;

/// What was asked for: the fields, if it is a struct, or the variants, if it is an enum.
#[derive(Debug)]
struct Seen(Option<&'static [&'static str]>);

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("only looked at")
    }
}

impl std::error::Error for Seen {}

impl de::Error for Seen {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self(None)
    }
}

impl<'de> Deserializer<'de> for Top {
    type Error = Seen;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Seen> {
        Err(Seen(None))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Seen> {
        Err(Seen(Some(fields)))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Seen> {
        Err(Seen(Some(variants)))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct newtype_struct
        seq tuple tuple_struct map identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_told_apart() {
        #[derive(Deserialize)]
        #[allow(dead_code, reason = "only its shape matters")]
        struct Job {
            number: u32,
            text: String,
        }
        #[derive(Deserialize)]
        #[allow(dead_code, reason = "only its shape matters")]
        enum Order {
            Stop,
            Go(u8),
        }
        let check = |kind: Kind, want: &str| assert_eq!(kind.to_string(), want);
        check(Kind::of::<u32>(), "u32");
        check(Kind::of::<Job>(), "Job { number, text }");
        check(Kind::of::<Order>(), "Order { Stop, Go }");
        check(Kind::of::<Vec<(Job, String)>>(), "Vec<(Job, String)>");
        check(Kind::of::<[u8; 4]>(), "[u8; 4]");
        check(Kind::named(" Job  { number, text }\n"), "Job { number, text }");
    }
}
