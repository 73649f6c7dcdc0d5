//! Mailboxes on disk: what outlives the end of their host, and what is refused.

use crate::stage::{Ran, Running, Stage};
use serde_json::Value;

/// `farcall mailbox serve jobs --durable store ..`.
#[track_caller]
fn serve(stage: &Stage, arguments: &[&str]) -> Running {
    stage.serve(&[&["jobs", "--durable", "store"], arguments].concat())
}

/// Kills a host, as `kill -9` does.
fn kill(mut host: Running) {
    host.child.kill().unwrap();
    host.child.wait().unwrap();
}

fn lines(out: &str) -> Vec<Value> {
    out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The command fails, and says this.
#[track_caller]
fn check_refused(ran: &Ran, code: i32, says: &[&str]) {
    assert_eq!((ran.code, &*ran.out), (code, ""), "{}", ran.err);
    for says in says {
        assert!(ran.err.contains(says), "`{says}` is not in {}", ran.err);
    }
    assert!(!ran.err.contains("panicked"), "{}", ran.err);
}

#[test]
fn letters_outlive_their_host() {
    let stage = Stage::new();
    let host = serve(&stage, &[]);
    for letter in ["a", "b", "c", "d"] {
        stage.out(&["mailbox", "send", "jobs", letter]);
    }
    assert_eq!(stage.out(&["mailbox", "recv", "jobs"]), "a\n");
    let holds = stage.command(&["mailbox", "recv", "jobs", "--no-ack", "--follow"]);
    let mut holds = Running::start(holds);
    assert_eq!(holds.line(), "b\n");
    assert_eq!(holds.line(), "c\n");
    assert_eq!(holds.line(), "d\n");
    kill(host);
    assert_eq!(holds.end().code, 1);
    let _host = serve(&stage, &[]);
    let peeked = lines(&stage.out(&["mailbox", "peek", "jobs", "--json"]));
    let seen: Vec<_> = peeked.iter().map(|of| [&of["letter"], &of["value"]]).collect();
    let ids = [1, 2, 3].map(Value::from);
    let values = ["b", "c", "d"].map(Value::from);
    assert_eq!(seen, [0, 1, 2].map(|at| [&ids[at], &values[at]]));
    let taken = lines(&stage.out(&["mailbox", "recv", "jobs", "--count", "3", "--json"]));
    assert!(taken.iter().all(|of| of["deliveries"] == 2), "{taken:?}");
    assert_eq!(stage.out(&["mailbox", "send", "jobs", "e"]), "letter 4\n");
    let listed = lines(&stage.out(&["mailbox", "ls", "jobs", "--json"]));
    assert_eq!((&listed[0]["durable"], &listed[0]["kind"]), (&true.into(), &"String".into()));
}

#[test]
#[cfg(unix)]
fn a_host_that_is_told_to_end_keeps_its_letters() {
    let stage = Stage::new();
    let mut host = serve(&stage, &[]);
    stage.out(&["mailbox", "send", "jobs", "a"]);
    host.signal("TERM");
    let ended = host.end();
    assert_eq!(ended.code, 0);
    assert!(ended.err.contains("1 letters, which are kept in store"), "{}", ended.err);
    let _host = serve(&stage, &[]);
    assert_eq!(stage.out(&["mailbox", "recv", "jobs"]), "a\n");
}

#[test]
fn dead_letters_outlive_their_host() {
    let stage = Stage::new();
    let host = serve(&stage, &["--on-crash", "redeliver=1"]);
    stage.out(&["mailbox", "send", "jobs", "a"]);
    stage.out(&["mailbox", "recv", "jobs", "--no-ack"]);
    let dead = format!("{}.dead", host.address);
    let died = || stage.run(&["mailbox", "peek", &dead]).code == 0;
    while !died() {}
    kill(host);
    let _host = serve(&stage, &["--on-crash", "redeliver=1"]);
    assert_eq!(stage.run(&["mailbox", "peek", "jobs"]).code, 3);
    assert_eq!(stage.out(&["mailbox", "recv", &dead]), "a\n");
    assert_eq!(stage.run(&["mailbox", "peek", &dead]).code, 3);
}

#[test]
fn other_parameters_and_another_type_are_refused() {
    let stage = Stage::new();
    kill(serve(&stage, &["--capacity", "7", "--kind", "u32"]));
    let again = ["mailbox", "serve", "jobs", "--durable", "store"];
    let refused = stage.run(&[&again[..], &["--capacity", "8"]].concat());
    check_refused(&refused, 1, &["--capacity 7 --policy first-receiver", "with --capacity 8"]);
    let refused = stage.run(&[&again[..], &["--capacity", "7", "--kind", "u64"]].concat());
    check_refused(&refused, 1, &["are `u32` and not `u64`"]);
    let refused = stage.run(&[&again[..], &["--capacity", "zero"]].concat());
    check_refused(&refused, 2, &["keeps no letters"]);
    drop(serve(&stage, &["--capacity", "7"]));
}

#[test]
fn a_second_host_of_the_same_files_is_refused() {
    let stage = Stage::new();
    let _host = serve(&stage, &[]);
    let address = stage.address("jobs");
    let refused = stage.run(&["mailbox", "serve", &address, "--durable", "store"]);
    check_refused(&refused, 1, &["another process has ", "jobs.redb"]);
    // Another mailbox has a file of its own.
    drop(stage.serve(&["others", "--durable", "store"]));
}

#[test]
#[cfg(unix)]
fn only_their_user_may_read_them() {
    use std::os::unix::fs::PermissionsExt;
    let stage = Stage::new();
    let _host = serve(&stage, &[]);
    let mode = |name: &str| stage.path(name).metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!([mode("store"), mode("store/jobs.redb")], [0o700, 0o600]);
}

/// It was the host that died, and not the receiver: nothing is lost.
#[test]
fn a_mailbox_that_closes_for_its_receivers_does_not_close_for_its_host() {
    let stage = Stage::new();
    let host = serve(&stage, &["--on-crash", "close"]);
    stage.out(&["mailbox", "send", "jobs", "a"]);
    stage.out(&["mailbox", "send", "jobs", "b"]);
    let holds = stage.command(&["mailbox", "recv", "jobs", "--no-ack", "--follow"]);
    let mut holds = Running::start(holds);
    assert_eq!(holds.line(), "a\n");
    kill(host);
    assert_eq!(holds.end().code, 1);
    let _host = serve(&stage, &["--on-crash", "close"]);
    assert_eq!(stage.out(&["mailbox", "recv", "jobs", "--count", "2"]), "a\nb\n");
}

/// It is the host that ends, and not the receiver: nothing is lost.
#[test]
#[cfg(unix)]
fn a_mailbox_that_closes_for_its_receivers_does_not_close_for_a_host_that_is_told_to_end() {
    let stage = Stage::new();
    let mut host = serve(&stage, &["--on-crash", "close", "--grace", "1ms"]);
    stage.out(&["mailbox", "send", "jobs", "a"]);
    stage.out(&["mailbox", "send", "jobs", "b"]);
    let holds = stage.command(&["mailbox", "recv", "jobs", "--no-ack", "--follow"]);
    let mut holds = Running::start(holds);
    assert_eq!(holds.line(), "a\n");
    host.signal("TERM");
    let ended = host.end();
    assert!(ended.err.contains("2 letters, which are kept in store"), "{}", ended.err);
    assert_eq!(holds.end().code, 1);
    let _host = serve(&stage, &["--on-crash", "close"]);
    assert_eq!(stage.out(&["mailbox", "recv", "jobs", "--count", "2"]), "a\nb\n");
}
