//! The options of an address: `?spin=off&arena=256MiB`.

use super::wrong;
use crate::{
    error::{Error, ErrorKind},
    size,
};
use std::{fmt, str::FromStr};

/// Every option an address may have.
const OPTIONS: [&str; 2] = ["spin", "arena"];

/// Whether a waiter tries again for a while before it sleeps: `?spin=off|adaptive|always`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Spin {
    /// Never: least CPU, most latency.
    Off,
    /// For as long as that has lately paid.
    #[default]
    Adaptive,
    /// Until there is something: least latency, one busy core.
    Always,
}

/// The options in `options`, which are of the address `text`.
pub(super) fn parse(text: &str, options: &str) -> Result<Vec<(String, String)>, Error> {
    let mut found: Vec<(String, String)> = Vec::new();
    for option in options.split('&') {
        let Some((key, value)) = option.split_once('=') else {
            let what = format!("has the option `{option}`: an option is `key=value`");
            return Err(wrong(text, &what));
        };
        if !OPTIONS.contains(&key) {
            return Err(unknown_option(text, key));
        }
        if found.iter().any(|(earlier, _)| earlier == key) {
            return Err(wrong(text, &format!("sets `{key}` twice")));
        }
        found.push((key.to_owned(), value.to_owned()));
    }
    Ok(found)
}

/// How to wait.
pub(super) fn spin(text: &str, options: &[(String, String)]) -> Result<Spin, Error> {
    match options.iter().find(|(key, _)| key == "spin") {
        Some((_, value)) => {
            value.parse().map_err(|error: Error| wrong(text, &format!("is wrong: {error}")))
        }
        None => Ok(Spin::default()),
    }
}

/// Bytes of shared memory for payloads.
pub(super) fn arena(text: &str, options: &[(String, String)]) -> Result<Option<usize>, Error> {
    let Some((_, value)) = options.iter().find(|(key, _)| key == "arena") else { return Ok(None) };
    match size::parse(value, 10) {
        Some(bytes) => Ok(Some(bytes)),
        None => {
            let what = format!(
                "is wrong: an arena has a size as in `256MiB` (B, KiB, MiB, GiB), not `{value}`"
            );
            Err(wrong(text, &what))
        }
    }
}

fn unknown_option(text: &str, key: &str) -> Error {
    let known = OPTIONS.map(|option| format!("`{option}`")).join(", ");
    let hint = match OPTIONS.iter().find(|option| is_near(option, key)) {
        Some(option) => format!("; did you mean `{option}`?"),
        None => String::new(),
    };
    wrong(text, &format!("has the unknown option `{key}`: there is {known}{hint}"))
}

/// Whether one slip turns one word into the other: in case, or one letter more, less, other or swapped.
fn is_near(known: &str, written: &str) -> bool {
    let written = written.to_ascii_lowercase();
    let (known, written) = (known.as_bytes(), written.as_bytes());
    let pairs = || known.iter().zip(written);
    let head = pairs().take_while(|(a, b)| a == b).count();
    let tail = known.iter().rev().zip(written.iter().rev()).take_while(|(a, b)| a == b).count();
    let longest = known.len().max(written.len());
    let swapped = known.len() == written.len()
        && head + tail + 2 >= longest
        && known.get(head) == written.get(head + 1);
    head + tail + 1 >= longest || swapped
}

impl FromStr for Spin {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text {
            "off" => Ok(Self::Off),
            "adaptive" => Ok(Self::Adaptive),
            "always" => Ok(Self::Always),
            _ => {
                let text = format!("spin is `off`, `adaptive` or `always`, not `{text}`");
                Err(Error::of(ErrorKind::Address, text))
            }
        }
    }
}

impl fmt::Display for Spin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Off => "off",
            Self::Adaptive => "adaptive",
            Self::Always => "always",
        })
    }
}
