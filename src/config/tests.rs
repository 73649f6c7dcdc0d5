//! What a configuration means, and what is said about a wrong one.

use super::*;
use farcall_core::error::ErrorKind;
use std::time::Duration;

const NONE: [(&str, &str); 0] = [];
/// The scheme of a name that nothing configures, but on Windows.
const DEFAULT: &str = if cfg!(all(target_os = "linux", feature = "shm")) { "shm" } else { "unix" };

fn parse(text: &str, environment: &[(&str, &str)]) -> Result<Config, Error> {
    let pairs = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Config::parse(text, "farcall.toml", pairs)
}

fn config(text: &str, environment: &[(&str, &str)]) -> Config {
    parse(text, environment).unwrap()
}

const FILE: &str = r#"
[services.archive]
connect = "tcp://host:7000#shelf"
listen = ["unix:///run/archive.sock", "tcp://0.0.0.0:7000?spin=off"]
spin = "always"

[services.one-line]
connect = "tcp://127.0.0.1:7001"

[services.listens]
listen = "tcp://0.0.0.0:7002"

[services.spins]
spin = "off"

[limits]
frame = "32MiB"
serving = 7
decoded = 0x1_000
deadline = "90s"
"#;

#[test]
fn services_have_the_names_that_are_written() {
    let listen = "FARCALL__SERVICES__NEW__LISTEN";
    let spin = "FARCALL__SERVICES__ONE_LINE__SPIN";
    let config = config(FILE, &[(listen, "inproc://a"), (spin, "off")]);
    let names: Vec<_> = config.services().collect();
    assert_eq!(names, ["archive", "listens", "new", "one-line", "spins"]);
}

#[test]
fn connect_addresses() {
    fn check(environment: &[(&str, &str)], name: &str, want: &str) {
        let found = config(FILE, environment).connect_address(name);
        assert_eq!(found.map(|address| address.to_string()), Ok(want.to_owned()));
    }
    check(&NONE, "archive", "tcp://host:7000?spin=always#shelf");
    check(&NONE, "Archive", "tcp://host:7000?spin=always#shelf");
    check(&NONE, "one-line", "tcp://127.0.0.1:7001#one-line");
    check(&NONE, "one_line", "tcp://127.0.0.1:7001#one_line");
    check(&NONE, "listens", "tcp://0.0.0.0:7002#listens");
    check(&NONE, "tcp://elsewhere:1", "tcp://elsewhere:1");
    check(&NONE, "tcp://elsewhere:1?spin=off#a", "tcp://elsewhere:1?spin=off#a");
    if cfg!(not(windows)) {
        check(&NONE, "spins", &format!("{DEFAULT}://spins?spin=off#spins"));
        check(&NONE, "Other.one", &format!("{DEFAULT}://Other.one#Other.one"));
    }
    let connect = "FARCALL__SERVICES__ARCHIVE__CONNECT";
    check(&[(connect, "unix:///a")], "archive", "unix:///a?spin=always#archive");
    check(&[(connect, " unix:///a?spin=off#b ")], "archive", "unix:///a?spin=off#b");
    check(
        &[("farcall__services__one_line__connect", "inproc://a")],
        "one-line",
        "inproc://a#one-line",
    );
    check(&[("FARCALL__SERVICES__A__B__CONNECT", "inproc://a")], "a__b", "inproc://a#a__b");
    check(&[("FARCALL__SERVICES__NEW__LISTEN", "inproc://a,inproc://b")], "new", "inproc://a#new");
    check(
        &[("FARCALL__SERVICES__ARCHIVE__SPIN", "off")],
        "archive",
        "tcp://host:7000?spin=off#shelf",
    );
    check(
        &[("FARCALL_SERVICES_X", "?"), ("FARCALL_CONFIG", "?"), ("PATH", "")],
        "listens",
        "tcp://0.0.0.0:7002#listens",
    );
}

#[test]
fn listen_addresses() {
    fn check(environment: &[(&str, &str)], name: &str, want: &[&str]) {
        let found = config(FILE, environment).listen_addresses(name).unwrap();
        let found: Vec<String> = found.iter().map(Address::to_string).collect();
        assert_eq!(found, want);
    }
    check(
        &NONE,
        "archive",
        &["unix:///run/archive.sock?spin=always", "tcp://0.0.0.0:7000?spin=off"],
    );
    check(&NONE, "one-line", &["tcp://127.0.0.1:7001"]);
    check(&NONE, "listens", &["tcp://0.0.0.0:7002"]);
    check(&NONE, "tcp://h:1#a", &["tcp://h:1#a"]);
    if cfg!(not(windows)) {
        check(&NONE, "spins", &[&format!("{DEFAULT}://spins?spin=off")]);
        check(&NONE, "other", &[&format!("{DEFAULT}://other")]);
    }
    let listen = "FARCALL__SERVICES__ARCHIVE__LISTEN";
    check(&[(listen, "inproc://a")], "archive", &["inproc://a?spin=always"]);
    check(
        &[(listen, "inproc://a, unix:///b?spin=off")],
        "archive",
        &["inproc://a?spin=always", "unix:///b?spin=off"],
    );
    // A service that only connects to `#shelf` listens at the same place.
    check(&[("FARCALL__SERVICES__X__CONNECT", "tcp://h:1#shelf")], "x", &["tcp://h:1"]);
}

#[test]
fn neither_names_nor_addresses() {
    fn check(text: &str) {
        let config = Config::default();
        assert_eq!(config.connect_address(text).unwrap_err().kind(), ErrorKind::Address);
        assert_eq!(config.listen_addresses(text).unwrap_err().kind(), ErrorKind::Address);
    }
    for text in ["", "a b", "127.0.0.1:7000", "/run/archive.sock", "tcp://", "tcp://h?spni=off"] {
        check(text);
    }
}

#[test]
fn limits_are_set_field_by_field() {
    fn check(text: &str, environment: &[(&str, &str)], change: impl FnOnce(&mut Limits)) {
        let mut want = Limits::default();
        change(&mut want);
        assert_eq!(config(text, environment).limits(), &want);
    }
    check("", &NONE, |_| {});
    check(FILE, &NONE, |limits| {
        limits.frame = 32 << 20;
        limits.serving = 7;
        limits.decoded = 4096;
        limits.deadline = Duration::from_secs(90);
    });
    let environment = [
        ("FARCALL__LIMITS__FRAME", "1 GiB"),
        ("FARCALL__LIMITS__OBJECTS", "0"),
        ("FARCALL__LIMITS__outbound", "4096"),
        ("FARCALL__LIMITS__STALLED", "1500ms"),
        ("FARCALL__LIMITS__DEAD_AFTER", "366d"),
        ("FARCALL__LIMITS__PING_AFTER", "2 m"),
    ];
    check("limits.outbound = 1\nlimits.overhead = '5B'", &environment, |limits| {
        limits.frame = 1 << 30;
        limits.objects = 0;
        limits.outbound = 4096;
        limits.overhead = 5;
        limits.stalled = Duration::from_millis(1500);
        limits.dead_after = Duration::from_secs(366 * 86_400);
        limits.ping_after = Duration::from_secs(120);
    });
}

/// Each field of `Limits`, as its `Debug` names them, can be set.
#[test]
fn no_limit_is_forgotten() {
    let shown = format!("{:#?}", Limits::default());
    let fields: Vec<&str> = shown
        .lines()
        .filter_map(|line| line.strip_prefix("    ")?.split_once(": "))
        .map(|(name, _)| name)
        .collect();
    assert!(fields.len() >= 20, "{shown}");
    for field in fields {
        let set = |text: &str| parse(&format!("limits.{field} = {text}"), &NONE);
        let (number, time) = (set("12345"), set("'12345ms'"));
        assert!(number.is_ok() != time.is_ok(), "{field}");
        let config = number.or(time).unwrap();
        assert!(
            format!("{:#?}", config.limits).contains("12345")
                || format!("{:?}", config.limits).contains("12.345s")
        );
        assert_ne!(config.limits, Limits::default());
    }
}

#[test]
fn ports_are_dynamic_and_stay_the_same() {
    assert_eq!(port_of("archive"), ARCHIVE_PORT);
    for name in ["", "a", "b", "archive", "stats", "a-very-long-name.of_a_service"] {
        assert!(DYNAMIC_PORTS.contains(&port_of(name)), "{name}");
    }
}

/// A change of the hash would part new clients from old servers.
const ARCHIVE_PORT: u16 = 57_405;

mod errors;
