//! Configurations that nobody would have written: each means something, or is an error that says where. A target of `fuzz/`.

#![allow(unreachable_pub, reason = "public to the fuzz target alone")]

use super::words::spell;
use farcall::{Config, ErrorKind};
use farcall_core::address::{Address, is_name};
use std::time::Duration;

/// What configurations are made of. Variables are separated from the file, and from each other, by a null character.
const WORDS: [&str; 64] = [
    "[services.a]\n",
    "[services.b-c]\n",
    "[services]\n",
    "[limits]\n",
    "services",
    "limits",
    "services.a.",
    "limits.",
    "connect",
    "listen",
    "spin",
    "connect = ",
    "listen = ",
    "spin = ",
    " = ",
    "\n",
    "\"",
    "'",
    "'''\n",
    "\"\"\"\n",
    "[",
    "]",
    "{",
    "}",
    ", ",
    ".",
    "#",
    "\\u00e9",
    "é",
    "ß",
    "\u{2028}",
    "\u{feff}",
    "\"tcp://127.0.0.1:7000\"\n",
    "\"unix:///a\"\n",
    "'shm://a?arena=1MiB'\n",
    "\"inproc://a#b\"\n",
    "tcp://h:1",
    "unix:///",
    "inproc://x",
    "?spin=off",
    "?spin=always",
    "#s",
    "\"adaptive\"\n",
    "frame = ",
    "deadline = ",
    "objects = ",
    "handshake_time = ",
    "decoded = ",
    "16MiB",
    "\"10s\"\n",
    "'366d'\n",
    "0x_",
    "18446744073709551616",
    "1_000\n",
    "KiB",
    "ms",
    "m",
    "-",
    "\0FARCALL__SERVICES__A__CONNECT=",
    "\0FARCALL__SERVICES__B_C__LISTEN=",
    "\0FARCALL__LIMITS__FRAME=",
    "\0FARCALL__LIMITS__DEADLINE=",
    "\0farcall__",
    "__",
];

/// Takes the bytes for a file and environment variables.
pub fn run(bytes: &[u8]) {
    let text = spell(bytes, &WORDS);
    let (file, rest) = text.split_once('\0').unwrap_or((&text, ""));
    let variables: Vec<(String, String)> = rest
        .split('\0')
        .filter_map(|variable| variable.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    match Config::parse(file, "the file", variables.iter().cloned()) {
        Ok(config) => means_something(&config),
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::Configuration);
            says_where(error.text(), file, &variables);
        }
    }
}

fn means_something(config: &Config) {
    for name in config.services() {
        assert!(is_name(name), "{name}");
        let connect = config.connect_address(name).expect("it is configured");
        assert!(connect.service().is_some());
        let listen = config.listen_addresses(name).expect("it is configured");
        assert!(!listen.is_empty() && listen.iter().all(|address| address.service().is_none()));
        for address in listen.into_iter().chain([connect]) {
            assert_eq!(Address::parse(&address.to_string()), Ok(address));
        }
    }
    let limits = config.limits();
    assert!(limits.frame > 0 && limits.decoded > 0 && limits.outbound > 0);
    for time in [limits.deadline, limits.handshake_time, limits.stalled, limits.dead_after] {
        assert!(time > Duration::ZERO && time <= Duration::from_secs(366 * 86_400));
    }
}

/// The line and column are there, or the variable is.
fn says_where(error: &str, file: &str, variables: &[(String, String)]) {
    if let Some(place) = error.strip_prefix("the file:") {
        let mut numbers = place.split(':').map_while(|part| part.parse::<usize>().ok());
        let (line, column) = (numbers.next().expect("a line"), numbers.next().expect("a column"));
        let there = file.split('\n').nth(line - 1).unwrap_or_else(|| panic!("{error}: no line"));
        assert!((1..=there.chars().count() + 1).contains(&column), "{error}: {there:?}");
    } else {
        let name = error.strip_prefix("the environment variable ").expect("it says where");
        assert!(variables.iter().any(|(variable, _)| name.starts_with(variable.as_str())));
    }
}
