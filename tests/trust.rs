//! A peer that is trusted: what it lends can be had as a slice. May be `unsafe`, to promise that.
#![cfg(target_os = "linux")]
#![expect(
    unsafe_code,
    reason = "the peer is this very process, which does not write what it has lent"
)]

use farcall::{Payload, Remote, Server};

#[farcall::remote]
trait Store {
    /// Whether there was a slice, and its sum.
    async fn take(&self, payload: Payload) -> farcall::Result<(bool, u64)>;
    /// Where in its page the argument begins, and its sum.
    async fn bytes(&self, before: &str, bytes: &[u8], after: u32) -> farcall::Result<(usize, u64)>;
    async fn give(&self, length: usize) -> farcall::Result<Payload>;
}

struct Servant;

impl Store for Servant {
    async fn take(&self, payload: Payload) -> farcall::Result<(bool, u64)> {
        let mut sum = 0;
        payload
            .for_each_chunk(|chunk| sum += chunk.iter().map(|byte| u64::from(*byte)).sum::<u64>());
        Ok((payload.try_as_slice().is_some(), sum))
    }

    async fn bytes(&self, before: &str, bytes: &[u8], after: u32) -> farcall::Result<(usize, u64)> {
        assert_eq!((before, after), ("before", 7));
        let sum = bytes.iter().map(|byte| u64::from(*byte)).sum::<u64>();
        Ok((bytes.as_ptr().addr() % 4096, sum))
    }

    async fn give(&self, length: usize) -> farcall::Result<Payload> {
        let mut loan = farcall::loan(length);
        loan.fill(7);
        Ok(loan.into())
    }
}

/// Whether each side has slices of what the other has lent.
async fn slices(client: bool, server: bool) -> (bool, bool) {
    let folder = tempfile::tempdir().expect("a directory");
    let address = format!("shm://{}/a.shm", folder.path().display());
    let serving = Server::new().export("store", Remote::<dyn Store>::new(Servant)).listen(&address);
    // SAFETY: the only client is this test.
    let serving = if server { unsafe { serving.trust_peer() } } else { serving };
    let _running = serving.start().await.expect("a fresh address");
    let connecting = farcall::connect::<dyn Store>(&address);
    // SAFETY: the server is this test.
    let connecting = if client { unsafe { connecting.trust_peer() } } else { connecting };
    let store = connecting.await.expect("it serves");
    let given = store.give(100_000).await.expect("it fits");
    assert_eq!(given.to_vec(), vec![7; 100_000]);
    let mut loan = store.loan(50_000);
    loan.fill(2);
    let (slice, sum) = store.take(loan.into()).await.expect("it fits");
    assert_eq!(sum, 100_000);
    // Arguments in a block begin with a page; what is copied does not.
    let prefix = 1 + "before".len() + 3;
    let (at, sum) = store.bytes("before", &vec![3; 300_000], 7).await.expect("it fits");
    assert_eq!((at == prefix, sum), (server, 900_000));
    (given.try_as_slice().is_some(), slice)
}

#[tokio::test]
async fn there_is_a_slice_where_the_peer_is_trusted() {
    for (client, server) in [(false, false), (true, false), (false, true), (true, true)] {
        assert_eq!(slices(client, server).await, (client, server));
    }
}
