//! What a servant knows of its caller and of the call: identity, metadata, trace, chain.

use crate::place::Place;
use farcall::Remote;
use serde::{Deserialize, Serialize};

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(crate) struct Caller {
    transport: String,
    address: String,
    uid: Option<u32>,
    pid: Option<u32>,
    local: bool,
}

#[farcall::remote]
pub(crate) trait Who {
    async fn calls(&self) -> farcall::Result<Caller>;
    async fn metadata_of(&self, key: &str) -> farcall::Result<Option<String>>;
    async fn trace(&self) -> farcall::Result<Option<Vec<u8>>>;
    async fn chain(&self) -> farcall::Result<u64>;
    async fn trace_at_the_next(&self) -> farcall::Result<(Option<Vec<u8>>, u64, u64)>;
}

struct Clerk {
    next: Option<Remote<dyn Who>>,
}

fn context() -> farcall::Context {
    farcall::context().expect("a call is being served")
}

impl Who for Clerk {
    async fn calls(&self) -> farcall::Result<Caller> {
        tokio::task::yield_now().await;
        let peer = farcall::peer().expect("a call is being served");
        Ok(Caller {
            transport: peer.transport.to_owned(),
            address: peer.address.clone(),
            uid: peer.uid,
            pid: peer.pid,
            local: peer.local,
        })
    }
    async fn metadata_of(&self, key: &str) -> farcall::Result<Option<String>> {
        tokio::task::yield_now().await;
        Ok(context().metadata(key).map(ToOwned::to_owned))
    }
    async fn trace(&self) -> farcall::Result<Option<Vec<u8>>> {
        Ok(context().trace().map(|trace| trace.to_vec()))
    }
    async fn chain(&self) -> farcall::Result<u64> {
        Ok(context().chain())
    }
    async fn trace_at_the_next(&self) -> farcall::Result<(Option<Vec<u8>>, u64, u64)> {
        let next = self.next.as_ref().expect("there is a next");
        let own = context().chain();
        Ok((next.trace().await?, own, next.chain().await?))
    }
}

async fn hosted(place: Place) -> (Remote<dyn Who>, [crate::place::Host; 2]) {
    let (next, next_host) = place.host(Remote::<dyn Who>::new(Clerk { next: None })).await;
    let (who, host) = place.host(Remote::<dyn Who>::new(Clerk { next: Some(next) })).await;
    (who, [host, next_host])
}

pub(crate) async fn names_the_peer(place: Place) {
    assert!(farcall::peer().is_none());
    let (who, hosts) = hosted(place).await;
    let caller = who.calls().await.expect("it answers");
    let (uid, pid) = (rustix::process::geteuid().as_raw(), std::process::id());
    let known = (Some(uid), Some(pid), true);
    let want = match place {
        Place::Unix => ("unix", known),
        Place::Shm => ("shm", known),
        Place::Inproc | Place::Near => ("inproc", known),
        Place::Tcp => ("tcp", (None, None, true)),
        Place::Stream => ("stream", (None, None, false)),
    };
    assert_eq!((&*caller.transport, (caller.uid, caller.pid, caller.local)), want);
    let server = Remote::peer(&who);
    match place {
        Place::Near => assert_eq!(server, None),
        Place::Stream => assert_eq!(caller.address, "the other end"),
        Place::Tcp => {
            assert!(caller.address.starts_with("tcp://127.0.0.1:"), "{caller:?}");
            assert_eq!(server.expect("it is connected").address, hosts[0].address());
        }
        Place::Inproc | Place::Unix | Place::Shm => {
            assert_eq!(caller.address, hosts[0].address());
            assert_eq!(server.expect("it is connected").address, hosts[0].address());
        }
    }
}

pub(crate) async fn carries_metadata(place: Place) {
    let (who, _hosts) = hosted(place).await;
    assert_eq!(who.metadata_of("a").await, Ok(None));
    let with = who.metadata("a", "1").metadata("größe", "").metadata("b", &"x".repeat(4000));
    for (key, want) in [("a", Some("1")), ("größe", Some("")), ("c", None)] {
        assert_eq!(with.metadata_of(key).await, Ok(want.map(ToOwned::to_owned)));
    }
    assert_eq!(with.metadata_of("b").await, Ok(Some("x".repeat(4000))));
    // What is beyond the limits is not sent, and disturbs nothing.
    let full = with.metadata("c", &"y".repeat(8000));
    assert_eq!(full.metadata_of("c").await, Ok(None));
    assert_eq!(full.metadata_of("a").await, Ok(Some("1".to_owned())));
    let many = (0..40).fold(who.clone(), |who, n| who.metadata(&format!("k{n}"), "v"));
    assert_eq!(many.metadata_of("k31").await, Ok(Some("v".to_owned())));
    assert_eq!(many.metadata_of("k32").await, Ok(None));
    assert_eq!(who.metadata_of("a").await, Ok(None));
}

pub(crate) async fn carries_the_trace(place: Place) {
    const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let (who, _hosts) = hosted(place).await;
    assert_eq!(who.trace().await, Ok(None));
    let traced = who.metadata("traceparent", TRACE);
    let bytes: Vec<u8> = (0..50)
        .step_by(2)
        .map(|at| {
            let digits: String = TRACE[3..].chars().filter(char::is_ascii_hexdigit).collect();
            u8::from_str_radix(&digits[at..at + 2], 16).expect("two digits")
        })
        .collect();
    assert_eq!(traced.trace().await, Ok(Some(bytes.clone())));
    assert_eq!(traced.metadata_of("traceparent").await, Ok(None));
    let (trace, own, next) = traced.trace_at_the_next().await.expect("it answers");
    assert_eq!(trace, Some(bytes));
    assert_eq!(next, own + 1);
    for malformed in ["", "00-1-2-3", "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"] {
        assert_eq!(who.metadata("traceparent", malformed).trace().await, Ok(None));
    }
}

pub(crate) async fn gives_each_call_a_chain_of_its_own(place: Place) {
    let (who, _hosts) = hosted(place).await;
    let (first, second) = (who.chain().await, who.chain().await);
    assert_ne!(first, second);
    let (_, own, next) = who.trace_at_the_next().await.expect("it answers");
    assert_eq!(next, own + 1);
}
