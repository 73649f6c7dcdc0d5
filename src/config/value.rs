//! One configured value, with the place it stands at: what it is read as, and what is wrong with it.

use farcall_core::{
    address::{Address, Spin},
    error::{Error, ErrorKind},
    size,
};
use std::{fmt, time::Duration};

/// The units of a duration, and their milliseconds.
const TIMES: [(&str, u64); 5] =
    [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];
/// The longest duration: a moment that far away can still be computed.
const LONGEST: Duration = Duration::from_secs(366 * 86_400);

/// Where a value stands.
#[derive(Clone, Debug)]
pub(super) enum Place<'a> {
    /// In a file. Line and column count from 1, the column in characters.
    File { name: &'a str, line: usize, column: usize },
    /// In an environment variable.
    Variable(&'a str),
}

/// What stands there.
#[derive(Debug)]
pub(super) enum Raw<'a> {
    /// A text.
    Text(&'a str),
    /// The digits of a number and their radix.
    Integer(&'a str, u32),
    /// A list.
    List(Vec<Value<'a>>),
    /// What no key takes: its type.
    Other(&'static str),
}

/// One configured value.
#[derive(Debug)]
pub(super) struct Value<'a> {
    /// The last part of its key.
    pub(super) key: &'a str,
    pub(super) key_place: Place<'a>,
    pub(super) place: Place<'a>,
    pub(super) raw: Raw<'a>,
}

impl Value<'_> {
    pub(super) fn address(&self) -> Result<Address, Error> {
        self.text()?.parse().map_err(|error: Error| wrong(&self.place, error.text()))
    }

    pub(super) fn spin(&self) -> Result<Spin, Error> {
        self.text()?.parse().map_err(|error: Error| wrong(&self.place, error.text()))
    }

    /// A number, 0 included.
    pub(super) fn count(&self) -> Result<usize, Error> {
        let (digits, radix) = self.digits("number")?;
        usize::from_str_radix(digits, radix)
            .map_err(|_| self.not("a number", digits, "write it as in `1024`"))
    }

    /// A number of bytes, not 0.
    pub(super) fn size(&self) -> Result<usize, Error> {
        let (text, radix) = self.digits("number or a string")?;
        match size::parse(text, radix) {
            Some(0) => Err(self.zero()),
            Some(size) => Ok(size),
            None => {
                let how =
                    "write a number of bytes, or one with a unit as in `16MiB` (B, KiB, MiB, GiB)";
                Err(self.not("a size", text, how))
            }
        }
    }

    /// A duration with its unit, not 0.
    pub(super) fn duration(&self) -> Result<Duration, Error> {
        let (text, _) = self.digits("string")?;
        let unit =
            TIMES.iter().find_map(|(unit, millis)| Some((text.strip_suffix(unit)?, *millis)));
        let millis = unit.and_then(|(number, millis)| {
            number.trim_end().parse::<u64>().ok()?.checked_mul(millis)
        });
        match millis.map(Duration::from_millis) {
            Some(Duration::ZERO) => Err(self.zero()),
            Some(duration) if duration <= LONGEST => Ok(duration),
            _ => {
                let how = "write a number with a unit as in `10s` (ms, s, m, h, d), at most `366d`";
                Err(self.not("a duration", text, how))
            }
        }
    }

    /// That the value is of a type that its key does not take.
    pub(super) fn not_a(&self, wanted: &str) -> Error {
        let article = |word: &str| if word.starts_with(['a', 'i']) { "an" } else { "a" };
        let found = match self.raw {
            Raw::Text(_) => "string",
            Raw::Integer(..) => "integer",
            Raw::List(_) => "array",
            Raw::Other(found) => found,
        };
        let what = format!(
            "`{}` is {} {wanted}, not {} {found}",
            self.key,
            article(wanted),
            article(found)
        );
        wrong(&self.place, &what)
    }

    /// That there is no such key, but those that are `known`.
    pub(super) fn unknown_key(&self, known: &[&str]) -> Error {
        wrong(&self.key_place, &unknown("key", self.key, known))
    }

    fn text(&self) -> Result<&str, Error> {
        match self.raw {
            Raw::Text(text) => Ok(text),
            _ => Err(self.not_a("string")),
        }
    }

    fn digits(&self, wanted: &str) -> Result<(&str, u32), Error> {
        match self.raw {
            Raw::Text(text) => Ok((text.trim(), 10)),
            Raw::Integer(digits, radix) => Ok((digits, radix)),
            _ => Err(self.not_a(wanted)),
        }
    }

    fn not(&self, wanted: &str, found: &str, how: &str) -> Error {
        wrong(&self.place, &format!("`{}` is {wanted}, not `{found}`: {how}", self.key))
    }

    fn zero(&self) -> Error {
        wrong(&self.place, &format!("`{}` is 0: it must be more", self.key))
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { name, line, column } => write!(f, "{name}:{line}:{column}"),
            Self::Variable(name) => write!(f, "the environment variable {name}"),
        }
    }
}

/// An error about what stands at `place`.
pub(super) fn wrong(place: &Place<'_>, what: &str) -> Error {
    Error::of(ErrorKind::Configuration, format!("{place}: {what}"))
}

/// That there is no such `noun` (key, section): the nearest of those there are, or all of them.
pub(super) fn unknown(noun: &str, found: &str, known: &[&str]) -> String {
    let distance = |known: &str| strsim::damerau_levenshtein(known, &found.to_ascii_lowercase());
    let nearest = known.iter().map(|known| (distance(known), known)).min();
    match nearest {
        Some((distance, known)) if distance <= 2.max(known.len() / 3) && distance < known.len() => {
            format!("unknown {noun} `{found}`; did you mean `{known}`?")
        }
        _ => format!("unknown {noun} `{found}`: there is `{}`", known.join("`, `")),
    }
}
