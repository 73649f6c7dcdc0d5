//! Mailboxes that programs and the command share.

use crate::stage::Stage;
use farcall::mailbox::{Capacity, Error, Mailbox, Policy};
use serde::{Deserialize, Serialize};
use tokio::runtime::Runtime;

#[derive(Serialize, Deserialize, PartialEq, Eq, Debug)]
struct Job {
    number: u32,
    text: String,
}

pub(crate) fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

#[test]
fn programs_use_what_the_command_hosts() {
    let stage = Stage::new();
    let host = stage.serve(&[&stage.address("jobs"), "--capacity", "2", "--policy", "round-robin"]);
    runtime().block_on(async {
        let jobs = Mailbox::<Job>::host(&host.address)
            .capacity(Capacity::Bounded(2))
            .policy(Policy::RoundRobin)
            .open()
            .await
            .unwrap();
        assert!(!jobs.is_host());
        let other = Mailbox::<Job>::host(&host.address).open().await.unwrap_err();
        assert!(matches!(other, Error::OtherParameters { .. }), "{other}");
        // The first has said what the letters are.
        let other = Mailbox::<u32>::attach(&host.address).await.unwrap_err();
        assert!(matches!(other, Error::OtherLetters { .. }), "{other}");
        let job = Job { number: 1, text: "sweep".to_owned() };
        jobs.send(&job).await.unwrap();
        let again = Mailbox::<Job>::attach(&host.address).await.unwrap();
        assert_eq!(*again.recv().await.unwrap(), job);
    });
}

#[test]
fn letters_of_a_program_s_own_type_are_shown_as_bytes_and_not_made_from_json() {
    let stage = Stage::new();
    let runtime = runtime();
    let hosted = Mailbox::<Job>::host(&stage.address("jobs"));
    let jobs = runtime.block_on(async { hosted.open().await }).unwrap();
    let address = format!("{}#jobs", jobs.address());
    let job = Job { number: 1, text: "sweep".to_owned() };
    runtime.block_on(async { jobs.send(&job).await }).unwrap();
    let refused = stage.run(&["mailbox", "send", &address, r#"{"number": 1, "text": "a"}"#]);
    assert_eq!(refused.code, 1);
    for says in ["`Job { number, text }`", "a type of a program's own", "--as raw"] {
        assert!(refused.err.contains(says), "{}", refused.err);
    }
    let peeked = stage.out(&["mailbox", "peek", &address, "--json"]);
    assert!(peeked.contains(r#""hex":"01057377656570""#), "{peeked}");
    // Its bytes can be taken, and sent again.
    let raw = stage.command(&["mailbox", "recv", &address, "--as", "raw"]).output().unwrap();
    assert_eq!(raw.stdout, b"\x01\x05sweep");
    let sent = stage.run_with(&["mailbox", "send", &address, "--as", "raw"], &raw.stdout);
    assert_eq!(sent.code, 0, "{}", sent.err);
    let letter = runtime.block_on(async { jobs.recv().await }).unwrap();
    assert_eq!(*letter, job);
}

/// The textbook's other owner: such a mailbox stays when all who use it have ended, and each use here is a process of its own.
#[test]
fn a_mailbox_owned_by_the_system_outlives_its_users() {
    let stage = Stage::new();
    let unix = stage.address("jobs");
    let shm = unix.replacen("unix://", "shm://", 1).replacen("#jobs", "s#jobs", 1);
    let shm = if cfg!(target_os = "linux") { &*shm } else { "tcp://127.0.0.1:0#jobs" };
    for address in [&unix, "tcp://127.0.0.1:0#jobs", shm] {
        let host = stage.serve(&[address]);
        for letter in ["a", "b"] {
            stage.out(&["mailbox", "send", &host.address, letter]);
        }
        for letter in ["a\n", "b\n"] {
            assert_eq!(stage.out(&["mailbox", "recv", &host.address]), letter, "{address}");
        }
    }
}
