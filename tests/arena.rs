//! Arenas have the size that an address says: what fits is lent, what does not goes with its call.

#![cfg(target_os = "linux")]

#[allow(dead_code, reason = "the suite uses all of it")]
#[path = "conformance/place.rs"]
mod place;

use farcall::{ErrorKind, Payload, Remote, Running, Server};
use place::one_thread;
use tempfile::TempDir;

const MIB: usize = 1 << 20;

#[farcall::remote]
trait Store {
    async fn echo(&self, payload: Payload) -> farcall::Result<Payload>;
    /// Answers with so many bytes of loaned memory.
    async fn make(&self, length: usize) -> farcall::Result<Payload>;
}

struct Shelf;

impl Store for Shelf {
    async fn echo(&self, payload: Payload) -> farcall::Result<Payload> {
        Ok(payload)
    }
    async fn make(&self, length: usize) -> farcall::Result<Payload> {
        Ok(farcall::loan(length).into())
    }
}

/// A server and a client with arenas of these sizes; dropping the server ends it.
async fn connected(server: &str, client: &str) -> (Remote<dyn Store>, Running, TempDir) {
    let directory = tempfile::tempdir().expect("a directory");
    let address = format!("shm://{}/a.shm", directory.path().display());
    let object = Remote::<dyn Store>::new(Shelf);
    let running = Server::new().export("it", object).listen(&format!("{address}{server}"));
    let running = running.start().await.expect("a fresh address");
    let store = farcall::connect::<dyn Store>(&format!("{address}{client}")).await;
    (store.expect("it listens"), running, directory)
}

/// Whether a loan of this side's comes back as the very memory that it was.
async fn lends(store: &Remote<dyn Store>, length: usize) -> bool {
    let payload = Payload::from(store.loan(length));
    let address = |payload: &Payload| payload.try_as_slice().map(<[u8]>::as_ptr);
    let before = address(&payload);
    let back = store.echo(payload).await.expect("it goes one way or the other");
    assert_eq!(back.len(), length);
    before == address(&back)
}

/// Whether a loan of the server's lies in memory that the server could still write.
async fn is_lent(store: &Remote<dyn Store>, length: usize) -> bool {
    let made = store.make(length).await.expect("it goes one way or the other");
    assert_eq!(made.len(), length);
    made.try_as_slice().is_none()
}

#[test]
fn each_side_has_the_size_of_its_address() {
    one_thread(async {
        let (store, _running, _directory) = connected("?arena=2MiB", "?arena=8MiB").await;
        assert_eq!(Remote::peer(&store).expect("it is connected").transport, "shm");
        for (length, mine, theirs) in [
            (2 * MIB, true, true),
            (2 * MIB + 1, true, false),
            (8 * MIB, true, false),
            (8 * MIB + 1, false, false),
        ] {
            assert_eq!(lends(&store, length).await, mine, "{length}");
            assert_eq!(is_lent(&store, length).await, theirs, "{length}");
        }
    });
}

#[test]
fn without_an_arena_payloads_go_with_their_calls() {
    one_thread(async {
        let (store, _running, _directory) = connected("?arena=0", "?arena=0").await;
        assert_eq!(Remote::peer(&store).expect("it is connected").transport, "shm");
        for length in [0, 1, 100_000, 2 * MIB] {
            assert_eq!(store.echo(vec![1; length].into()).await.expect("it fits").len(), length);
            assert!(!is_lent(&store, length).await);
        }
        let error = store.echo(vec![1; 17 * MIB].into()).await.expect_err("no frame holds it");
        assert_eq!(error.kind(), ErrorKind::TooLarge);
    });
}

#[test]
fn the_largest_is_a_gibibyte() {
    one_thread(async {
        let (store, _running, _directory) = connected("", "?arena=1GiB").await;
        assert!(lends(&store, 100 * MIB).await);
        let place = "shm:///run/farcall-nobody";
        for size in ["1025MiB", "1GiB&spin=off", "1MiB"] {
            let error = farcall::connect::<dyn Store>(&format!("{place}?arena={size}"));
            let error = error.within(std::time::Duration::from_millis(1)).await;
            let is_address = error.expect_err("nobody listens").kind() == ErrorKind::Address;
            assert_eq!(is_address, size == "1025MiB", "{size}");
        }
        for size in ["1025MiB", "1073741825", "1000", "1023KiB", "20GiB"] {
            let address = format!("{place}?arena={size}");
            let want = format!(
                "the address `{address}` is wrong: an arena has a whole number of MiB, and at most 1024 MiB"
            );
            let error = Server::new().export("it", Remote::<dyn Store>::new(Shelf));
            let error = error.listen(&address).start().await.expect_err("no arena has that size");
            assert_eq!((error.kind(), error.text()), (ErrorKind::Address, &*want));
        }
    });
}
