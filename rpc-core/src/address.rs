//! Addresses: URLs, parsed once at the door. Knows no scheme by name: what a place means is its transport's affair.

mod options;

pub use options::Spin;

use crate::error::{Error, ErrorKind};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::{borrow::Cow, fmt, str::FromStr};

/// What is written with a percent sign in a place and in a service, and nothing else is.
const ESCAPES: [(char, &str); 3] = [('%', "%25"), ('#', "%23"), ('?', "%3F")];

/// Where an endpoint is, how to talk to it, and which of its services is meant.
///
/// ```text
/// scheme://place[?key=value&..][#service]
/// tcp://host:7000?spin=off#archive
/// unix:///run/archive.sock
/// ```
///
/// The scheme is a transport's and is kept in lower case. The place is `host:port`, a path or a name: not empty, and
/// read by the transport. The options are `spin=off|adaptive|always`, and `arena=256MiB` for shared memory: how many bytes this side has
/// for payloads, on each connection. In a place and in a service `%`, `#` and `?`
/// are written `%25`, `%23` and `%3F`; nothing else is escaped, and no other escape is accepted.
///
/// A bare name (`archive`) is not an address: see [`is_name`].
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Address {
    scheme: String,
    place: String,
    options: Vec<(String, String)>,
    spin: Spin,
    arena: Option<usize>,
    service: Option<String>,
}

impl Address {
    /// Reads an address; the same as [`FromStr`].
    ///
    /// # Errors
    /// `ErrorKind::Address`, with a text that quotes the address and says what to write.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let Some((scheme, rest)) = text.split_once("://") else { return Err(no_scheme(text)) };
        check_scheme(text, scheme)?;
        let (rest, service) = match rest.split_once('#') {
            Some((rest, service)) => (rest, Some(parse_service(text, service)?)),
            None => (rest, None),
        };
        let (place, options) = match rest.split_once('?') {
            Some((place, options)) => (place, options::parse(text, options)?),
            None => (rest, Vec::new()),
        };
        if place.is_empty() {
            let what = "has no place: write one after `://`, as in `tcp://127.0.0.1:7000`";
            return Err(wrong(text, what));
        }
        if let Some(control) = text.chars().find(|c| c.is_control()) {
            return Err(wrong(text, &format!("contains the control character {control:?}")));
        }
        Ok(Self {
            scheme: scheme.to_ascii_lowercase(),
            place: unescape(text, place)?,
            spin: options::spin(text, &options)?,
            arena: options::arena(text, &options)?,
            options,
            service,
        })
    }

    /// The transport: `tcp` in `tcp://host:7000`. In lower case.
    #[must_use]
    pub fn scheme(&self) -> &str {
        &self.scheme
    }

    /// `host:port`, a path or a name, unescaped. Never empty.
    #[must_use]
    pub fn place(&self) -> &str {
        &self.place
    }

    /// The service, where the address names one.
    #[must_use]
    pub fn service(&self) -> Option<&str> {
        self.service.as_deref()
    }

    /// The value of an option, where the address sets it.
    #[must_use]
    pub fn option(&self, key: &str) -> Option<&str> {
        self.options.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    /// How to wait.
    #[must_use]
    pub fn spin(&self) -> Spin {
        self.spin
    }

    /// Bytes of shared memory for payloads in each direction, where the address says so: `arena=256MiB`.
    #[must_use]
    pub fn arena(&self) -> Option<usize> {
        self.arena
    }

    /// The same address, waiting as `spin` says.
    #[must_use]
    pub fn with_spin(mut self, spin: Spin) -> Self {
        self.options.retain(|(key, _)| key != "spin");
        self.options.push(("spin".to_owned(), spin.to_string()));
        self.spin = spin;
        self
    }

    /// The same address, of the service `name`, in place of the one it had. An empty name is none.
    #[must_use]
    pub fn with_service(mut self, name: &str) -> Self {
        self.service = (!name.is_empty()).then(|| name.to_owned());
        self
    }

    /// The same address, of no service: the endpoint's own.
    #[must_use]
    pub fn without_service(mut self) -> Self {
        self.service = None;
        self
    }
}

/// Whether `text` is a bare name, to be looked up in the configuration: one or more of `A-Z a-z 0-9 _ . -`.
#[must_use]
pub fn is_name(text: &str) -> bool {
    let part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    !text.is_empty() && text.bytes().all(part)
}

impl FromStr for Address {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::parse(text)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, escape(&self.place))?;
        for (at, (key, value)) in self.options.iter().enumerate() {
            let mark = if at == 0 { '?' } else { '&' };
            write!(f, "{mark}{key}={value}")?;
        }
        match &self.service {
            Some(service) => write!(f, "#{}", escape(service)),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Address {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        Self::parse(&text).map_err(de::Error::custom)
    }
}

fn check_scheme(text: &str, scheme: &str) -> Result<(), Error> {
    let part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'.' | b'-');
    match scheme.as_bytes() {
        [] => {
            let what = "has no scheme: write one before `://`, as in `tcp://127.0.0.1:7000`";
            Err(wrong(text, what))
        }
        [first, rest @ ..]
            if first.is_ascii_alphabetic() && rest.iter().all(|byte| part(*byte)) =>
        {
            Ok(())
        }
        _ => {
            let what = format!(
                "has the scheme `{scheme}`: a scheme is letters, digits, `+`, `.` and `-`, a letter first"
            );
            Err(wrong(text, &what))
        }
    }
}

fn no_scheme(text: &str) -> Error {
    let what = if is_name(text) {
        "is a name and not an address: an address is `scheme://place`, as in `tcp://127.0.0.1:7000`"
    } else {
        "has no scheme: write `scheme://place`, as in `tcp://127.0.0.1:7000`"
    };
    wrong(text, what)
}

fn parse_service(text: &str, service: &str) -> Result<String, Error> {
    if service.is_empty() {
        return Err(wrong(text, "names no service after `#`: name one, or leave the `#` out"));
    }
    if service.contains('?') {
        return Err(wrong(text, "has a `?` after the `#`: options go before the service"));
    }
    if service.contains('#') {
        return Err(wrong(text, "has two `#`: write the one in the place as `%23`"));
    }
    unescape(text, service)
}

fn escape(text: &str) -> Cow<'_, str> {
    if !text.contains(['%', '#', '?']) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 2);
    for char in text.chars() {
        match ESCAPES.iter().find(|(plain, _)| *plain == char) {
            Some((_, escape)) => escaped.push_str(escape),
            None => escaped.push(char),
        }
    }
    Cow::Owned(escaped)
}

fn unescape(text: &str, part: &str) -> Result<String, Error> {
    let mut pieces = part.split('%');
    let mut plain = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let code = piece.get(..2).unwrap_or(piece);
        let escape = |(_, escape): &&(char, &str)| escape[1..].eq_ignore_ascii_case(code);
        let Some((char, _)) = ESCAPES.iter().find(escape) else {
            let what = format!(
                "has the escape `%{code}`: only `%`, `#` and `?` are escaped, as `%25`, `%23` and `%3F`"
            );
            return Err(wrong(text, &what));
        };
        plain.push(*char);
        plain.push_str(&piece[2..]);
    }
    Ok(plain)
}

fn wrong(text: &str, what: &str) -> Error {
    Error::of(ErrorKind::Address, format!("the address `{text}` {what}"))
}

#[cfg(test)]
mod tests;
