//! The parameters of mailboxes as a command line says them.

use farcall::mailbox::{Capacity, Key, OnCrash, Policy, Terms};
use std::time::Duration;

/// Deliveries of a letter, unless said otherwise.
const DELIVERIES: u32 = 5;

pub(super) fn capacity(text: &str) -> Result<Capacity, String> {
    match text {
        "zero" => Ok(Capacity::Zero),
        "unbounded" => Ok(Capacity::Unbounded),
        number => match number.parse() {
            Ok(0) => Err("write `zero` for a rendezvous".to_owned()),
            Ok(most) => Ok(Capacity::Bounded(most)),
            Err(_) => Err("write `zero`, `unbounded`, or how many letters".to_owned()),
        },
    }
}

pub(super) fn policy(text: &str) -> Result<Policy, String> {
    let all = POLICIES.iter().find(|(name, _)| *name == text);
    all.map(|(_, policy)| *policy).ok_or_else(|| {
        let names: Vec<_> = POLICIES.iter().map(|(name, _)| format!("`{name}`")).collect();
        format!("write one of {}", names.join(", "))
    })
}

/// The policies by their names. The first name of several is what is printed.
const POLICIES: [(&str, Policy); 7] = [
    ("pair", Policy::Pair),
    ("first-receiver", Policy::FirstReceiver),
    ("round-robin", Policy::RoundRobin),
    ("least-loaded", Policy::LeastLoaded),
    ("sticky", Policy::Sticky(Key::Letter)),
    ("sticky=letter", Policy::Sticky(Key::Letter)),
    ("sticky=sender", Policy::Sticky(Key::Sender)),
];

pub(super) fn on_crash(text: &str) -> Result<OnCrash, String> {
    let wrong = || "write `redeliver`, `redeliver=N`, `drop`, `return` or `close`".to_owned();
    match text.split_once('=').unwrap_or((text, "")) {
        ("redeliver", "") => Ok(OnCrash::Redeliver { max: DELIVERIES }),
        ("redeliver", max) => match max.parse() {
            Ok(0) => Err("a letter is delivered once at least: write `redeliver=1`".to_owned()),
            Ok(max) => Ok(OnCrash::Redeliver { max }),
            Err(_) => Err(wrong()),
        },
        ("drop", "") => Ok(OnCrash::Drop),
        ("return", "") => Ok(OnCrash::Return),
        ("close", "") => Ok(OnCrash::Close),
        _ => Err(wrong()),
    }
}

pub(super) fn bytes(text: &str) -> Result<u64, String> {
    let bytes = farcall_core::size::parse(text, 10).filter(|bytes| *bytes > 0);
    let bytes = bytes.and_then(|bytes| u64::try_from(bytes).ok());
    bytes.ok_or_else(|| "write a size as in `64MiB` (B, KiB, MiB, GiB)".to_owned())
}

pub(super) fn duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text).map_err(|_| "write a time as in `500ms` or `10s`".to_owned())
}

pub(super) fn capacity_text(capacity: Capacity) -> String {
    match capacity {
        Capacity::Zero => "zero".to_owned(),
        Capacity::Bounded(most) => most.to_string(),
        Capacity::Unbounded => "unbounded".to_owned(),
    }
}

pub(super) fn policy_text(policy: Policy) -> &'static str {
    POLICIES.iter().find(|(_, of)| *of == policy).map_or("", |(name, _)| name)
}

pub(super) fn on_crash_text(on_crash: OnCrash) -> String {
    match on_crash {
        OnCrash::Redeliver { max } => format!("redeliver={max}"),
        OnCrash::Drop => "drop".to_owned(),
        OnCrash::Return => "return".to_owned(),
        OnCrash::Close => "close".to_owned(),
    }
}

/// All parameters, as `serve` takes them.
pub(crate) fn terms_text(terms: &Terms) -> String {
    let Terms { capacity, ceiling, policy, on_crash } = *terms;
    let (capacity, on_crash) = (capacity_text(capacity), on_crash_text(on_crash));
    let policy = policy_text(policy);
    format!("--capacity {capacity} --policy {policy} --on-crash {on_crash} --ceiling {ceiling}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_read_as_they_are_written() {
        for text in ["zero", "unbounded", "64"] {
            assert_eq!(capacity(text).map(capacity_text), Ok(text.to_owned()));
        }
        for text in ["pair", "first-receiver", "round-robin", "least-loaded", "sticky"] {
            assert_eq!(policy(text).map(policy_text), Ok(text));
        }
        for text in ["redeliver=3", "drop", "return", "close"] {
            assert_eq!(on_crash(text).map(on_crash_text), Ok(text.to_owned()));
        }
        assert_eq!(on_crash("redeliver"), Ok(OnCrash::Redeliver { max: 5 }));
        assert_eq!((bytes("2KiB"), bytes("7")), (Ok(2048), Ok(7)));
        assert_eq!(duration("1s 500ms"), Ok(Duration::from_millis(1500)));
    }

    #[test]
    fn what_is_wrong_is_said() {
        let check = |said: Result<String, String>, want: &str| {
            assert_eq!(said, Err(want.to_owned()));
        };
        check(capacity("0").map(capacity_text), "write `zero` for a rendezvous");
        check(capacity("-1").map(capacity_text), "write `zero`, `unbounded`, or how many letters");
        let once = "a letter is delivered once at least: write `redeliver=1`";
        check(on_crash("redeliver=0").map(on_crash_text), once);
        assert!(policy("first").is_err_and(|said| said.contains("`first-receiver`")));
        assert!(on_crash("drop=1").is_err() && bytes("0").is_err() && duration("5").is_err());
    }
}
