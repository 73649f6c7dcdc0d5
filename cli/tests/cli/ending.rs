//! A host that is told to end: SIGTERM or SIGINT.
#![cfg(unix)]

use crate::{
    programs::runtime,
    stage::{Running, Stage},
};
use farcall::mailbox::{Error, Letter, Mailbox};
use tokio::runtime::Runtime;

#[test]
fn a_host_that_is_told_to_end_ends_well() {
    for signal in ["TERM", "INT"] {
        let stage = Stage::new();
        let mut host = stage.serve(&["jobs", "--kind", "String"]);
        let waits = stage.command(&["mailbox", "recv", "jobs"]);
        let mut waits = Running::start(waits);
        while !stage.out(&["mailbox", "ls", "jobs", "--json"]).contains(r#""asking":1"#) {}
        host.signal(signal);
        assert_eq!(
            host.end(),
            crate::stage::Ran { code: 0, out: String::new(), err: String::new() }
        );
        let waited = waits.end();
        assert_eq!((waited.code, &*waited.out), (1, ""));
        assert!(waited.err.contains("the mailbox is gone"), "{}", waited.err);
        // The address is free.
        drop(stage.serve(&["jobs"]));
    }
}

#[test]
fn letters_that_are_lost_are_counted() {
    let stage = Stage::new();
    let mut host = stage.serve(&["jobs"]);
    stage.out(&["mailbox", "send", "jobs", "a"]);
    host.signal("TERM");
    let ended = host.end();
    assert_eq!(ended.code, 0);
    assert!(ended.err.contains("`jobs` ends with 1 letters, which are lost"), "{}", ended.err);
}

/// A host that waits until the letter of this test is acked.
fn waiting(stage: &Stage, runtime: &Runtime) -> (Running, Letter<String>) {
    let host = stage.serve(&[&*stage.address("jobs"), "--grace", "1h"]);
    stage.out(&["mailbox", "send", &host.address, "a"]);
    let letter = runtime.block_on(async {
        let jobs = Mailbox::<String>::attach(&host.address).await.unwrap();
        let letter = jobs.recv().await.unwrap();
        host.signal("TERM");
        // It has heard it when it gives no letters any more.
        while let Err(Error::Empty) = jobs.try_recv().await {}
        letter
    });
    (host, letter)
}

#[test]
fn a_letter_that_is_taken_can_still_be_acked() {
    let (stage, runtime) = (Stage::new(), runtime());
    let (mut host, letter) = waiting(&stage, &runtime);
    assert_eq!(runtime.block_on(letter.acked()), Ok("a".to_owned()));
    assert_eq!(host.end(), crate::stage::Ran { code: 0, out: String::new(), err: String::new() });
}

#[test]
fn a_host_that_is_told_twice_waits_for_nobody() {
    let (stage, runtime) = (Stage::new(), runtime());
    let (mut host, letter) = waiting(&stage, &runtime);
    host.signal("TERM");
    let ended = host.end();
    assert_eq!(ended.code, 0);
    assert!(ended.err.contains("1 letters, which are lost"), "{}", ended.err);
    drop(letter);
}

#[test]
fn who_waits_to_hear_of_a_letter_hears_that_its_host_ends() {
    let (stage, runtime) = (Stage::new(), runtime());
    let mut host = stage.serve(&[&*stage.address("jobs")]);
    let told = runtime.block_on(async {
        let jobs = Mailbox::<String>::attach(&host.address).await.unwrap();
        let receipt = jobs.send(&"a".to_owned()).await.unwrap();
        let told = tokio::spawn(async move { receipt.taken_by().await });
        // What is asked before this is with the host.
        while jobs.counts().await.unwrap().ready == 0 {}
        host.signal("TERM");
        told.await.unwrap()
    });
    assert!(matches!(told, Err(Error::MailboxGone(_))), "{told:?}");
    let ended = host.end();
    assert_eq!(ended.code, 0);
    assert!(ended.err.contains("1 letters, which are lost"), "{}", ended.err);
}
