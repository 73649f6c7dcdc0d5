//! Exit codes, and what is said with them.

use crate::stage::Stage;

/// The command ends with this code, writes nothing, and says this.
#[track_caller]
fn check(stage: &Stage, arguments: &[&str], code: i32, says: &str) {
    let ran = stage.run(arguments);
    assert_eq!((ran.code, &*ran.out), (code, ""), "{arguments:?}: {}", ran.err);
    assert!(ran.err.contains(says), "{arguments:?}: {}", ran.err);
}

#[test]
fn what_fails_is_1() {
    let stage = Stage::new();
    for command in ["send", "recv", "peek"] {
        check(&stage, &["mailbox", command, "nobody", "--within", "50ms"], 1, "start the server");
    }
    let listed = stage.run(&["mailbox", "ls", "nobody", "--within", "50ms"]);
    assert_eq!(listed.code, 1);
    assert!(listed.err.contains("start the server"), "{}", listed.err);
    let _host = stage.serve(&["jobs", "--kind", "u32"]);
    check(&stage, &["mailbox", "send", "jobs", "1", "--kind", "u64"], 1, "`u32` and not `u64`");
    check(&stage, &["mailbox", "send", "jobs", "one"], 1, "the letters are `u32`");
    check(&stage, &["mailbox", "serve", "jobs"], 1, "already listens there");
}

#[test]
fn a_wrong_command_line_is_2() {
    let stage = Stage::new();
    for (arguments, says) in [
        (&["mailbox"][..], "Usage"),
        (&["mailbox", "serve"], "ADDRESS"),
        (&["mailbox", "serve", "a", "--capacity", "0"], "write `zero` for a rendezvous"),
        (&["mailbox", "serve", "a", "--policy", "best"], "`round-robin`"),
        (&["mailbox", "serve", "a", "--on-crash", "panic"], "write `redeliver`"),
        (&["mailbox", "serve", "a", "--ceiling", "much"], "as in `64MiB`"),
        (&["mailbox", "serve", "a", "shm://a"], "two mailboxes are called `a`"),
        (&["mailbox", "recv", "a", "--timeout", "5"], "as in `500ms`"),
        (&["mailbox", "recv", "a", "--follow", "--count", "2"], "--count"),
    ] {
        check(&stage, arguments, 2, says);
    }
}

#[test]
fn nothing_there_or_not_in_time_is_3() {
    let stage = Stage::new();
    let _host = stage.serve(&["jobs", "--capacity", "1"]);
    check(&stage, &["mailbox", "recv", "jobs"], 3, "`--kind TYPE`");
    check(&stage, &["mailbox", "peek", "jobs"], 3, "no letter");
    stage.out(&["mailbox", "send", "jobs", "a"]);
    check(&stage, &["mailbox", "send", "jobs", "b", "--timeout", "0s"], 3, "full");
    check(&stage, &["mailbox", "send", "jobs", "b", "--timeout", "10ms"], 3, "time has passed");
    stage.out(&["mailbox", "recv", "jobs"]);
    check(&stage, &["mailbox", "recv", "jobs", "--timeout", "0s"], 3, "no letter");
    check(&stage, &["mailbox", "recv", "jobs", "--timeout", "10ms"], 3, "time has passed");
    check(&stage, &["mailbox", "recv", "jobs", "--follow", "--timeout", "0s"], 3, "no letter");
    let _rendezvous = stage.serve(&["meeting", "--capacity", "zero"]);
    check(
        &stage,
        &["mailbox", "send", "meeting", "a", "--timeout", "0s"],
        3,
        "nobody is receiving",
    );
}
