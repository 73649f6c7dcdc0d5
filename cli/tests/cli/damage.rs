//! Files of letters that are damaged, and disks that are full.

use crate::stage::Stage;
use std::fs;

const SERVE: [&str; 5] = ["mailbox", "serve", "jobs", "--durable", "store"];

/// A file with letters, and what is in it.
fn filled(stage: &Stage) -> Vec<u8> {
    let host = stage.serve(&["jobs", "--durable", "store", "--capacity", "unbounded"]);
    let letters: Vec<_> = (0..50).map(|letter| format!("letter {letter:0>60}")).collect();
    let sent =
        stage.run_with(&["mailbox", "send", "jobs", "--lines"], letters.join("\n").as_bytes());
    assert_eq!(sent.code, 0, "{}", sent.err);
    drop(host);
    fs::read(stage.path("store/jobs.redb")).unwrap()
}

/// The host is refused, says which file it is, and what to do; or it has every letter: damage where nothing is.
fn is_refused(stage: &Stage, bytes: &[u8], what: &str) -> bool {
    fs::write(stage.path("store/jobs.redb"), bytes).unwrap();
    let serve = [&SERVE[..], &["--capacity", "unbounded"]].concat();
    let mut child = crate::stage::Running::start(stage.command(&serve));
    if child.line().is_empty() {
        let ended = child.end();
        assert_eq!(ended.code, 1, "{what}: {}", ended.err);
        for says in ["store/jobs.redb is damaged", "put a copy of it back"] {
            assert!(ended.err.contains(says), "{what}: {}", ended.err);
        }
        assert!(!ended.err.contains("panicked"), "{what}: {}", ended.err);
        return true;
    }
    let letters = stage.out(&["mailbox", "peek", "jobs", "--count", "1000"]);
    assert_eq!(letters.lines().count(), 50, "{what}");
    false
}

#[test]
fn a_file_that_ends_too_early_is_refused() {
    let stage = Stage::new();
    let whole = filled(&stage);
    for length in [0, 100, 4096, whole.len() / 2, whole.len() - 1] {
        assert!(is_refused(&stage, &whole[..length], &format!("{length} bytes")));
    }
}

#[test]
fn a_file_with_other_bytes_is_refused_or_has_all_letters() {
    let stage = Stage::new();
    let whole = filled(&stage);
    let letter = whole.windows(9).rposition(|bytes| bytes == b"letter 00").unwrap();
    let mut refused = 0;
    for at in [0, 9, 16, 70, 200, 4096 + 9, letter] {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        refused += usize::from(is_refused(&stage, &bytes, &format!("another byte at {at}")));
    }
    assert!(refused >= 3, "{refused} were noticed");
    assert!(!is_refused(&stage, &whole, "what was written"));
}

#[test]
fn what_is_no_file_of_letters_is_refused() {
    let stage = Stage::new();
    fs::create_dir(stage.path("store")).unwrap();
    for bytes in [&b"a text"[..], &[0; 8192], &[0xff; 100_000]] {
        assert!(is_refused(&stage, bytes, "something else"));
    }
    fs::remove_file(stage.path("store/jobs.redb")).unwrap();
    // What a host has left that was killed while it made the file.
    fs::write(stage.path("store/jobs.redb.new"), [0xff; 100]).unwrap();
    drop(stage.serve(&SERVE[2..]));
}
