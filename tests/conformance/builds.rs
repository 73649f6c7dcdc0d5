//! An older or newer build on the other side: two traits of the same name on the wire.

use crate::{place::Place, work::outline};
use farcall::{ErrorKind, Executed, Remote};

/// What this side knows.
#[farcall::remote(name = "Archive")]
pub(crate) trait Newer {
    async fn list(&self) -> farcall::Result<Vec<String>>;
    async fn read(&self, path: &str) -> farcall::Result<String>;
    async fn size(&self, path: &str) -> farcall::Result<u64>;
    #[remote(name = "remove")]
    async fn delete(&self, path: &str) -> farcall::Result<()>;
    async fn digest(&self, path: &str) -> farcall::Result<[u8; 4]>;
}

/// What the other side knows: reordered, with one method less, one more, one renamed in Rust only, and one changed.
#[farcall::remote(name = "Archive")]
pub(crate) trait Older {
    async fn remove(&self, path: &str) -> farcall::Result<()>;
    async fn size(&self, path: &str, follow: bool) -> farcall::Result<u32>;
    async fn touch(&self, path: &str) -> farcall::Result<()>;
    async fn read(&self, path: &str) -> farcall::Result<String>;
    async fn list(&self) -> farcall::Result<Vec<String>>;
}

struct Shelf;

impl Older for Shelf {
    async fn remove(&self, path: &str) -> farcall::Result<()> {
        if path == "a" { Ok(()) } else { Err(farcall::Error::new("no such file")) }
    }
    async fn size(&self, _path: &str, _follow: bool) -> farcall::Result<u32> {
        panic!("it must never be decoded")
    }
    async fn touch(&self, _path: &str) -> farcall::Result<()> {
        Ok(())
    }
    async fn read(&self, path: &str) -> farcall::Result<String> {
        Ok(format!("the text of {path}"))
    }
    async fn list(&self) -> farcall::Result<Vec<String>> {
        Ok(vec!["a".to_owned()])
    }
}

pub(crate) async fn differ_by_method(place: Place) {
    let host =
        place.start(farcall::Server::new().export("it", Remote::<dyn Older>::new(Shelf))).await;
    let newer = farcall::connect::<dyn Newer>(host.address()).await.expect("they can talk");
    assert_eq!(newer.list().await, Ok(vec!["a".to_owned()]));
    assert_eq!(newer.read("a").await, Ok("the text of a".to_owned()));
    assert_eq!(newer.delete("a").await, Ok(()));

    let error = newer.digest("a").await.expect_err("it is not there");
    assert_eq!(outline(&error), (ErrorKind::Unimplemented, Executed::No));
    let want = "`Archive` on the other side has no method `digest`, its build is older or newer: it has remove, size, \
                touch, read, list; this build has list, read, size, remove, digest";
    assert_eq!(error.text(), want);

    let error = newer.size("a").await.expect_err("it has changed");
    assert_eq!(outline(&error), (ErrorKind::SignatureMismatch, Executed::No));
    let want = "`Archive::size` is `(&str) -> farcall::Result<u64>` in this build and `(&str, bool) -> \
                farcall::Result<u32>` on the other side: build both from the same trait, or give the new method \
                another name";
    assert_eq!(error.text(), want);
    assert_eq!(newer.list().await, Ok(vec!["a".to_owned()]));
}
