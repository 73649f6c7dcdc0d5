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

/// A build before the other one.
mod before {
    use farcall::Remote;

    #[farcall::remote]
    pub(crate) trait Page {
        async fn text(&self) -> farcall::Result<String>;
        async fn number(&self) -> farcall::Result<u32>;
    }

    #[farcall::remote]
    pub(crate) trait Book {
        async fn first(&self) -> farcall::Result<Remote<dyn Page>>;
        async fn read(&self, page: Remote<dyn Page>) -> farcall::Result<String>;
    }

    pub(crate) struct Plain;

    impl Page for Plain {
        async fn text(&self) -> farcall::Result<String> {
            Ok("plain".to_owned())
        }
        async fn number(&self) -> farcall::Result<u32> {
            Ok(1)
        }
    }

    impl Book for Plain {
        async fn first(&self) -> farcall::Result<Remote<dyn Page>> {
            Ok(Remote::new(Self))
        }
        async fn read(&self, page: Remote<dyn Page>) -> farcall::Result<String> {
            Ok(format!("{} {}", page.number().await?, page.text().await?))
        }
    }
}

/// The next one: a method more in front of the others, which are in another order.
mod after {
    use farcall::Remote;

    #[farcall::remote]
    pub(crate) trait Page {
        async fn notes(&self) -> farcall::Result<Vec<String>>;
        async fn number(&self) -> farcall::Result<u32>;
        async fn text(&self) -> farcall::Result<String>;
    }

    #[farcall::remote]
    pub(crate) trait Book {
        async fn read(&self, page: Remote<dyn Page>) -> farcall::Result<String>;
        async fn last(&self) -> farcall::Result<Remote<dyn Page>>;
        async fn first(&self) -> farcall::Result<Remote<dyn Page>>;
    }

    pub(crate) struct Annotated;

    impl Page for Annotated {
        async fn notes(&self) -> farcall::Result<Vec<String>> {
            Ok(vec!["a note".to_owned()])
        }
        async fn number(&self) -> farcall::Result<u32> {
            Ok(2)
        }
        async fn text(&self) -> farcall::Result<String> {
            Ok("annotated".to_owned())
        }
    }

    impl Book for Annotated {
        async fn read(&self, page: Remote<dyn Page>) -> farcall::Result<String> {
            let notes = page.notes().await?;
            Ok(format!("{} {} {notes:?}", page.number().await?, page.text().await?))
        }
        async fn last(&self) -> farcall::Result<Remote<dyn Page>> {
            Ok(Remote::new(Self))
        }
        async fn first(&self) -> farcall::Result<Remote<dyn Page>> {
            Ok(Remote::new(Self))
        }
    }
}

const NO_NOTES: &str = "`Page` on the other side has no method `notes`, its build is older or newer: it has text, number; \
                        this build has notes, number, text";

/// Objects that travel, from an older build to a newer one and back, and the other way round.
pub(crate) async fn of_objects_differ_by_method(place: Place) {
    use after::{Book as _, Page as _};
    let older = Remote::<dyn before::Book>::new(before::Plain);
    let host = place.start(farcall::Server::new().export("it", older)).await;
    let book = farcall::connect::<dyn after::Book>(host.address()).await.expect("they can talk");
    let page = book.first().await.expect("there is one");
    assert_eq!((page.number().await, page.text().await), (Ok(1), Ok("plain".to_owned())));
    let error = page.notes().await.expect_err("the older build has none");
    assert_eq!(outline(&error), (ErrorKind::Unimplemented, Executed::No));
    assert_eq!(error.text(), NO_NOTES);
    let error = book.last().await.expect_err("the older build has none");
    let want = "`Book` on the other side has no method `last`, its build is older or newer: it has first, read; this build \
                has read, last, first";
    assert_eq!((error.kind(), error.text()), (ErrorKind::Unimplemented, want));
    assert_eq!(book.read(Remote::new(after::Annotated)).await, Ok("2 annotated".to_owned()));
    // It comes home to what this build knows.
    assert_eq!(book.read(page).await, Ok("1 plain".to_owned()));
}

pub(crate) async fn of_newer_objects_differ_by_method(place: Place) {
    use before::{Book as _, Page as _};
    use farcall::naming::Names as _;
    let newer = Remote::<dyn after::Book>::new(after::Annotated);
    let host = place.start(farcall::Server::new().export("it", newer)).await;
    let book = farcall::connect::<dyn before::Book>(host.address()).await.expect("they can talk");
    let page = book.first().await.expect("there is one");
    assert_eq!((page.number().await, page.text().await), (Ok(2), Ok("annotated".to_owned())));
    assert_eq!(book.read(page).await, Ok("2 annotated [\"a note\"]".to_owned()));
    // The newer servant calls back what the older build does not have.
    let error = book.read(Remote::new(before::Plain)).await.expect_err("it has no notes");
    assert_eq!(error.kind(), ErrorKind::Unimplemented);
    assert_eq!(error.text(), NO_NOTES);
    // Through a third process, that knows neither build.
    let (names, _registry) = place.host(farcall::naming::empty()).await;
    let entry = farcall::naming::Entry::new(&book);
    names.bind("book", entry).await.expect("it is free");
    let book = names.reach("book").await.expect("it is bound").to::<dyn before::Book>();
    let page = book.expect("it has the same name").first().await.expect("there is one");
    assert_eq!(page.text().await, Ok("annotated".to_owned()));
}
