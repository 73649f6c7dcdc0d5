//! Why bytes are not a value, in the part of the decoder that does not know yet of which type.

use crate::error::{Error, ErrorKind};
use serde::de;
use std::{any, fmt};

/// Why bytes are not a value.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub(super) enum Fault {
    #[error("the bytes end inside of it")]
    Cut,
    #[error("a number is malformed or out of range")]
    Varint,
    #[error("a boolean is neither 0 nor 1")]
    Bool,
    #[error("the mark of an option is neither 0 nor 1")]
    Option,
    #[error("a char is not one Unicode character")]
    Char,
    #[error("a text is not UTF-8")]
    Text,
    #[error("a length is larger than the bytes that follow it")]
    Length,
    #[error("a sequence has more elements than its type takes")]
    Excess,
    #[error("it is nested deeper than the limit `depth` allows")]
    Depth,
    #[error("it takes more memory than the limit `decoded` allows")]
    Memory,
    #[error("it must be told what follows, which the bytes do not say (untagged, flattened)")]
    SelfDescribing,
    #[error("{0}")]
    Custom(Box<str>),
}

impl Fault {
    /// The fault as an error about a `T`.
    #[cold]
    pub(super) fn about<T: ?Sized>(self) -> Error {
        let name = any::type_name::<T>();
        let hint = "the two builds may disagree about this type";
        Error::of(ErrorKind::Decode, format!("cannot decode `{name}`: {self}; {hint}"))
    }
}

impl de::Error for Fault {
    #[cold]
    fn custom<T: fmt::Display>(text: T) -> Self {
        Self::Custom(text.to_string().into_boxed_str())
    }
}
