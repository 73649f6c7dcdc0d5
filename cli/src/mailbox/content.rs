//! What letters say, as it is written on a command line and read on a terminal.

use super::shape::Shape;
use crate::failure::Failure;
use clap::ValueEnum;
use farcall::mailbox::{Kind, ProcessId};
use serde_json::{Value, json};
use std::fmt::Write as _;

/// How what a letter says is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(super) enum Form {
    /// The text itself, where letters are `String`; its bytes, where they are bytes; JSON, where they are another type of Rust's own.
    Text,
    /// JSON, where letters are of a type of Rust's own.
    Json,
    /// The bytes of the letter as they travel, in postcard's encoding: for letters of any type.
    Raw,
}

/// The bytes of a letter of that type that says this.
pub(super) fn letter(kind: &Kind, form: Form, said: Vec<u8>) -> Result<Vec<u8>, Failure> {
    if form == Form::Raw {
        return Ok(said);
    }
    let Some(shape) = Shape::of(kind) else { return Err(foreign(kind)) };
    let value = match (form, &shape) {
        (Form::Text, Shape::Text) => match String::from_utf8(said) {
            Ok(text) => Value::String(text),
            Err(_) => return Err(Failure::Failed("it is no text in UTF-8".to_owned())),
        },
        (Form::Text, Shape::Bytes) => return encoded(&said),
        _ => serde_json::from_slice(&said).map_err(|error| {
            Failure::Failed(format!(
                "the letters are `{kind}`, and this is no JSON for one: {error}"
            ))
        })?,
    };
    let why = |why| Failure::Failed(format!("the letters are `{kind}`: {why}"));
    shape.letter(&value).map_err(why)
}

fn encoded(bytes: &[u8]) -> Result<Vec<u8>, Failure> {
    postcard::to_allocvec(bytes).map_err(|error| Failure::Failed(error.to_string()))
}

/// That only a program knows how such letters are written.
fn foreign(kind: &Kind) -> Failure {
    Failure::Failed(format!(
        "the letters are `{kind}`, a type of a program's own: what its fields are made of is known only there, so send from a program \
         that has the type, or give the bytes of a letter in postcard's encoding with `--as raw`"
    ))
}

/// A letter that was taken or looked at.
pub(super) struct Shown<'a> {
    pub(super) kind: Option<&'a Kind>,
    pub(super) sender: &'a ProcessId,
    pub(super) deliveries: u32,
    pub(super) bytes: &'a [u8],
}

impl Shown<'_> {
    /// As an object. What it says is `value`; or `hex`, the bytes, if it is bytes or of a type of a program's own.
    pub(super) fn object(&self) -> Value {
        let sender = json!({ "name": self.sender.name, "pid": self.sender.pid });
        let mut object = json!({ "sender": sender, "deliveries": self.deliveries });
        let (key, says) = match self.says() {
            Says::Value(value) => ("value", value),
            Says::Bytes(bytes) => ("hex", Value::String(hex(&bytes))),
        };
        object[key] = says;
        object
    }

    /// As a line for people.
    pub(super) fn text(&self) -> String {
        match self.says() {
            Says::Value(Value::String(text)) => text,
            Says::Value(value) => value.to_string(),
            Says::Bytes(bytes) => match String::from_utf8(bytes) {
                Ok(text) if !text.contains(|c: char| c.is_control()) => text,
                Ok(text) => hex(text.as_bytes()),
                Err(error) => hex(error.as_bytes()),
            },
        }
    }

    fn says(&self) -> Says {
        let shape = self.kind.and_then(Shape::of);
        let value = match &shape {
            Some(Shape::Bytes) => {
                let bytes: Option<&[u8]> = postcard::from_bytes(self.bytes).ok();
                return Says::Bytes(bytes.unwrap_or(self.bytes).to_vec());
            }
            Some(shape) => shape.value(self.bytes).ok(),
            None => None,
        };
        value.map_or_else(|| Says::Bytes(self.bytes.to_vec()), Says::Value)
    }
}

/// What a letter says.
enum Says {
    Value(Value),
    Bytes(Vec<u8>),
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
