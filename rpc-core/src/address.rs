//! Addresses: URLs, parsed once at the door. Knows no scheme by name: what a place means is its transport's affair.

use crate::error::{Error, ErrorKind};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::{borrow::Cow, fmt, str::FromStr};

/// Every option an address may have.
const OPTIONS: [&str; 1] = ["spin"];
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
/// read by the transport. The one option is `spin=off|adaptive|always`. In a place and in a service `%`, `#` and `?`
/// are written `%25`, `%23` and `%3F`; nothing else is escaped, and no other escape is accepted.
///
/// A bare name (`archive`) is not an address: see [`is_name`].
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Address {
    scheme: String,
    place: String,
    options: Vec<(String, String)>,
    spin: Spin,
    service: Option<String>,
}

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
            Some((place, options)) => (place, parse_options(text, options)?),
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
            spin: parse_spin(text, &options)?,
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

fn parse_options(text: &str, options: &str) -> Result<Vec<(String, String)>, Error> {
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

fn parse_spin(text: &str, options: &[(String, String)]) -> Result<Spin, Error> {
    match options.iter().find(|(key, _)| key == "spin") {
        Some((_, value)) => {
            value.parse().map_err(|error: Error| wrong(text, &format!("is wrong: {error}")))
        }
        None => Ok(Spin::default()),
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
mod tests {
    use super::*;
    use std::collections::HashSet;

    fn address(text: &str) -> Address {
        Address::parse(text).unwrap()
    }

    #[test]
    fn good_addresses() {
        fn check(text: &str, want: (&str, &str, Option<&str>, Spin)) {
            let found = address(text);
            assert_eq!((found.scheme(), found.place(), found.service(), found.spin()), want);
            assert_eq!(found.to_string(), text);
            assert_eq!(text.parse(), Ok(found));
        }
        use Spin::{Adaptive, Always, Off};
        check("inproc://a", ("inproc", "a", None, Adaptive));
        check("tcp://host:7000#archive", ("tcp", "host:7000", Some("archive"), Adaptive));
        check("tcp://[::1]:0?spin=off#a.b", ("tcp", "[::1]:0", Some("a.b"), Off));
        check("unix:///run/a.sock?spin=always", ("unix", "/run/a.sock", None, Always));
        check("unix://a?spin=adaptive", ("unix", "a", None, Adaptive));
        check("tcp://host", ("tcp", "host", None, Adaptive));
        check("exec://cat -u", ("exec", "cat -u", None, Adaptive));
        check("unix:///100%25%23%3F#%23%25", ("unix", "/100%#?", Some("#%"), Adaptive));
        check("nats://server/name", ("nats", "server/name", None, Adaptive));
        check("a+b-c.1://x://y", ("a+b-c.1", "x://y", None, Adaptive));
        check("unix:///é#ü", ("unix", "/é", Some("ü"), Adaptive));
    }

    #[test]
    fn bad_addresses() {
        fn check(text: &str, want: &str) {
            let want = format!("the address `{text}` {want}");
            assert_eq!(Address::parse(text), Err(Error::of(ErrorKind::Address, want)));
        }
        const SCHEME: &str = "a scheme is letters, digits, `+`, `.` and `-`, a letter first";
        const ESCAPED: &str = "only `%`, `#` and `?` are escaped, as `%25`, `%23` and `%3F`";
        check("", "has no scheme: write `scheme://place`, as in `tcp://127.0.0.1:7000`");
        check("a:1", "has no scheme: write `scheme://place`, as in `tcp://127.0.0.1:7000`");
        let name = "is a name and not an address: an address is `scheme://place`, as in `tcp://127.0.0.1:7000`";
        check("archive", name);
        let scheme = "has no scheme: write one before `://`, as in `tcp://127.0.0.1:7000`";
        check("://host:1", scheme);
        check("t p://host:1", &format!("has the scheme `t p`: {SCHEME}"));
        check("1a://host", &format!("has the scheme `1a`: {SCHEME}"));
        let place = "has no place: write one after `://`, as in `tcp://127.0.0.1:7000`";
        for text in ["tcp://", "tcp://#a", "tcp://?spin=off"] {
            check(text, place);
        }
        check("tcp://h#", "names no service after `#`: name one, or leave the `#` out");
        check("tcp://h#a#b", "has two `#`: write the one in the place as `%23`");
        check("tcp://h#a?spin=off", "has a `?` after the `#`: options go before the service");
        check("tcp://h?", "has the option ``: an option is `key=value`");
        check("tcp://h?spin", "has the option `spin`: an option is `key=value`");
        check("tcp://h?spin=off&", "has the option ``: an option is `key=value`");
        check("tcp://h?spin=off&spin=off", "sets `spin` twice");
        check("tcp://h?spin=", "is wrong: spin is `off`, `adaptive` or `always`, not ``");
        check("tcp://h?spin=on", "is wrong: spin is `off`, `adaptive` or `always`, not `on`");
        check("tcp://h?speed=1", "has the unknown option `speed`: there is `spin`");
        for key in ["spn", "Spin", "sping", "pin", "spni", "span"] {
            let want =
                format!("has the unknown option `{key}`: there is `spin`; did you mean `spin`?");
            check(&format!("tcp://h?{key}=off"), &want);
        }
        check("unix:///a%20b", &format!("has the escape `%20`: {ESCAPED}"));
        check("unix:///100%", &format!("has the escape `%`: {ESCAPED}"));
        check("tcp://h#%é", &format!("has the escape `%é`: {ESCAPED}"));
        check("unix:///a\0b", "contains the control character '\\0'");
    }

    #[test]
    fn names() {
        for name in ["archive", "a", "a.b_c-1", "7"] {
            assert!(is_name(name), "{name}");
        }
        for text in ["", "tcp://a", "a b", "a/b", "é", "a#b", "a:1"] {
            assert!(!is_name(text), "{text}");
        }
    }

    #[test]
    fn services_and_spin_are_replaced() {
        let plain = address("TCP://h:1");
        assert_eq!(plain.to_string(), "tcp://h:1");
        let other = plain.clone().with_service("a#b").with_spin(Spin::Off);
        assert_eq!(other.to_string(), "tcp://h:1?spin=off#a%23b");
        assert_eq!(other.option("spin"), Some("off"));
        assert_eq!(plain.option("spin"), None);
        assert_eq!(other.clone().with_service("").with_service("c").service(), Some("c"));
        assert_eq!(
            other.with_spin(Spin::Always).without_service(),
            address("tcp://h:1?spin=always")
        );
        assert!(HashSet::from([plain]).contains(&address("tcp://h:1")));
    }

    #[test]
    fn it_travels_as_text() {
        let sent = address("unix:///a%25?spin=off#b");
        let bytes = postcard::to_stdvec(&sent).unwrap();
        assert_eq!(postcard::from_bytes(&bytes), Ok(sent));
        assert!(postcard::from_bytes::<Address>(&[1, b'x']).is_err());
    }
}
