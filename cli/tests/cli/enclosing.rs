//! Letters of programs that enclose payloads and handles on objects.

use crate::{programs::runtime, stage::Stage};
use farcall::{
    Payload, Remote,
    mailbox::{Error, Mailbox},
    remote,
};
use serde::{Deserialize, Serialize};

#[remote]
trait Reply {
    async fn say(&self, text: &str) -> Result<(), farcall::Error>;
}

struct Deaf;

impl Reply for Deaf {
    async fn say(&self, _: &str) -> Result<(), farcall::Error> {
        Ok(())
    }
}

#[derive(Serialize, Deserialize)]
struct Parcel {
    label: String,
    bytes: Payload,
    reply: Option<Remote<dyn Reply>>,
}

fn parcel() -> Parcel {
    Parcel { label: "fragile".to_owned(), bytes: vec![7; 100_000].into(), reply: None }
}

#[test]
fn payloads_outlive_their_host_and_are_not_lost_to_the_command() {
    let stage = Stage::new();
    let serve = || stage.serve(&["jobs", "--durable", "store"]);
    let mut host = serve();
    runtime().block_on(async {
        let jobs = Mailbox::<Parcel>::attach(&host.address).await.unwrap();
        jobs.send(&parcel()).await.unwrap();
    });
    host.child.kill().unwrap();
    host.child.wait().unwrap();
    drop(host);
    let host = serve();
    let peeked = stage.out(&["mailbox", "peek", "jobs", "--json"]);
    assert!(peeked.contains(r#""payloads":1,"remotes":0"#), "{peeked}");
    let refused = stage.run(&["mailbox", "recv", "jobs"]);
    assert_eq!((refused.code, &*refused.out), (1, ""), "{}", refused.err);
    assert!(refused.err.contains("take it with a program that has its type"), "{}", refused.err);
    runtime().block_on(async {
        let jobs = Mailbox::<Parcel>::attach(&host.address).await.unwrap();
        let letter = jobs.recv().await.unwrap();
        assert_eq!((&*letter.label, letter.delivery_count()), ("fragile", 1));
        assert_eq!(letter.bytes.to_vec(), vec![7; 100_000]);
        letter.ack();
    });
}

#[test]
fn handles_do_not_outlive_their_process_and_are_refused_on_disk_only() {
    let stage = Stage::new();
    let durable = stage.serve(&["jobs", "--durable", "store"]);
    let passing = stage.serve(&[&stage.address("others")]);
    runtime().block_on(async {
        let reply = Some(Remote::<dyn Reply>::new(Deaf));
        let letter = Parcel { reply, ..parcel() };
        let jobs = Mailbox::<Parcel>::attach(&durable.address).await.unwrap();
        let refused = jobs.send(&letter).await.unwrap_err();
        assert!(matches!(refused, Error::NotLasting), "{refused}");
        assert_eq!(
            refused.to_string(),
            "the letters outlive the mailbox's host here, and a `Remote` does not: send a name or an address instead, or use a \
             mailbox that is not durable"
        );
        assert_eq!(jobs.counts().await.unwrap().accepted, 0);
        let others = Mailbox::<Parcel>::attach(&passing.address).await.unwrap();
        others.send(&letter).await.unwrap();
        let letter = others.recv().await.unwrap();
        letter.reply.as_ref().unwrap().say("here").await.unwrap();
        letter.ack();
    });
}
