//! Two builds of one program, each an executable of its own: methods were added and reordered, and either may be the one that serves.

use crate::{Ended, Example, assert_matches};
use std::process::Stdio;

/// The output of one build while the other one serves.
#[track_caller]
fn check(client: &str, server: &str, want: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let runtime = folder.path().to_str().unwrap();
    let mut serves = Example::new(server, &["serve"]).env("XDG_RUNTIME_DIR", runtime);
    let _server =
        Ended(serves.command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
    let (success, text) = Example::new(client, &[]).env("XDG_RUNTIME_DIR", runtime).run();
    assert!(success, "{client} failed:\n{text}");
    assert_matches(&text, want);
}

#[test]
fn a_newer_build_calls_an_older_one() {
    let want = [
        "opened  older words on 3",
        "words   `Page` on the other side has no method `words`, its build is older or newer: it has text, number; this build has words, number, text",
        "pages   `Book` on the other side has no method `pages`, its build is older or newer: it has open, read; this build has pages, read, open",
        "read    newer words on 4",
        "back    older words on 3",
    ];
    check("newer", "older", &want);
}

#[test]
fn an_older_build_calls_a_newer_one() {
    let want = [
        "opened  newer words on 3",
        "read    `Page` on the other side has no method `words`, its build is older or newer: it has text, number; this build has words, number, text",
        "back    2 words on 3",
    ];
    check("older", "newer", &want);
}

#[test]
fn two_of_one_build_know_each_other() {
    let want = [
        "opened  newer words on 3",
        "words   2",
        "pages   9",
        "read    2 words on 4",
        "back    2 words on 3",
    ];
    check("newer", "newer", &want);
}
