//! Letters that go in and come out: how they are written, and what becomes of those that are not acked.

use crate::stage::Stage;

#[test]
fn text_comes_out_as_it_went_in() {
    let stage = Stage::new();
    let host = stage.serve(&["jobs"]);
    assert!(host.address.ends_with("#jobs"), "{}", host.address);
    assert_eq!(stage.out(&["mailbox", "send", "jobs", "sweep the yard"]), "letter 0\n");
    let sent = stage.run_with(&["mailbox", "send", "jobs"], b"two\nlines\n");
    assert_eq!((sent.code, &*sent.out), (0, "letter 1\n"));
    let lines = ["mailbox", "send", "jobs", "--lines", "--json"];
    let sent = stage.run_with(&lines, b"three\nfour\n");
    assert_eq!((sent.code, &*sent.out), (0, "{\"letter\":2}\n{\"letter\":3}\n"));
    let as_json = ["mailbox", "send", "jobs", "--as", "json", "\"fi\\u0076e\""];
    assert_eq!(stage.out(&as_json), "letter 4\n");
    assert_eq!(stage.out(&["mailbox", "recv", "jobs"]), "sweep the yard\n");
    assert_eq!(stage.out(&["mailbox", "recv", "jobs"]), "two\nlines\n");
    let rest = stage.out(&["mailbox", "recv", "jobs", "--follow", "--timeout", "0s"]);
    assert_eq!(rest, "three\nfour\nfive\n");
}

#[test]
fn a_follower_gets_what_comes() {
    let stage = Stage::new();
    let _host = stage.serve(&["jobs", "--kind", "String"]);
    let mut follower = crate::stage::Running::start(
        stage.command(&["mailbox", "recv", "jobs", "--follow", "--json"]),
    );
    for letter in ["one", "two"] {
        stage.out(&["mailbox", "send", "jobs", letter]);
        let line: serde_json::Value = serde_json::from_str(&follower.line()).unwrap();
        assert_eq!((&line["value"], &line["deliveries"]), (&letter.into(), &1.into()));
    }
}

#[test]
fn what_is_not_acked_is_given_back_and_dies_in_the_end() {
    let stage = Stage::new();
    let host = stage.serve(&["jobs", "--on-crash", "redeliver=2"]);
    stage.out(&["mailbox", "send", "jobs", "a"]);
    stage.out(&["mailbox", "send", "jobs", "b"]);
    for deliveries in [1, 2] {
        let both = ["mailbox", "recv", "jobs", "--no-ack", "--count", "2", "--json"];
        let taken = stage.out(&both);
        let taken = taken.lines().map(serde_json::from_str::<serde_json::Value>);
        let taken: Vec<_> = taken.map(|line| line.unwrap()["deliveries"].clone()).collect();
        assert_eq!(taken, [deliveries, deliveries]);
    }
    assert_eq!(stage.run(&["mailbox", "recv", "jobs", "--timeout", "0s"]).code, 3);
    let dead = format!("{}.dead", host.address);
    assert_eq!(stage.out(&["mailbox", "recv", &dead, "--count", "2"]), "a\nb\n");
}

#[test]
fn bytes_and_numbers_are_letters_too() {
    let stage = Stage::new();
    let _bytes = stage.serve(&["bytes", "--kind", "Vec<u8>"]);
    for input in [&b"abc"[..], b"\x00\xff\n"] {
        assert_eq!(stage.run_with(&["mailbox", "send", "bytes"], input).code, 0);
    }
    let peeked = stage.out(&["mailbox", "peek", "bytes", "--json", "--count", "1"]);
    assert!(peeked.contains(r#""hex":"616263""#), "{peeked}");
    assert_eq!(stage.out(&["mailbox", "recv", "bytes", "--count", "2"]), "abc\n00ff0a\n");
    let _numbers = stage.serve(&["numbers", "--kind", "(u8, Option<String>)"]);
    assert_eq!(stage.out(&["mailbox", "send", "numbers", "[7, null]"]), "letter 0\n");
    let wrong = stage.run(&["mailbox", "send", "numbers", "[256, null]"]);
    assert_eq!(wrong.code, 1);
    assert!(wrong.err.contains("`256` is no number from 0 to 255"), "{}", wrong.err);
    assert_eq!(stage.out(&["mailbox", "recv", "numbers"]), "[7,null]\n");
}

#[test]
fn looking_takes_nothing() {
    let stage = Stage::new();
    let _host = stage.serve(&["jobs"]);
    for letter in ["a", "b", "c"] {
        stage.out(&["mailbox", "send", "jobs", letter]);
    }
    let mut holder = crate::stage::Running::start(
        stage.command(&["mailbox", "recv", "jobs", "--no-ack", "--follow"]),
    );
    assert_eq!(holder.line(), "a\n");
    assert_eq!(holder.line(), "b\n");
    assert_eq!(holder.line(), "c\n");
    let peeked = stage.out(&["mailbox", "peek", "jobs", "--count", "2", "--json"]);
    let letters: Vec<serde_json::Value> =
        peeked.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let says = |at: usize| (letters[at]["letter"].clone(), letters[at]["value"].clone());
    assert_eq!([says(0), says(1)], [(0.into(), "a".into()), (1.into(), "b".into())]);
    assert_eq!(letters[1]["holder"]["pid"], holder.child.id());
    assert_eq!(letters.len(), 2);
}
