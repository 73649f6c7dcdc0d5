//! Results: values, the interface's own errors, the library's, and what a panic becomes.

use crate::{
    place::Place,
    work::{Seen, Work, outline, worker},
};
use farcall::{Error, ErrorKind, Executed, Remote};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(crate) enum Refusal {
    NotFound { path: String },
    Full(u64),
    Remote(Error),
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Remote(error)
    }
}

/// A value that a servant cannot even read.
#[derive(Clone, Debug)]
pub(crate) struct Poisonous;

impl Serialize for Poisonous {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(1)
    }
}

impl<'de> Deserialize<'de> for Poisonous {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        panic!("a secret of the type")
    }
}

/// A value that cannot be written.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Unwritable;

impl Serialize for Unwritable {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("it has no words"))
    }
}

#[farcall::remote]
pub(crate) trait Answers {
    async fn own(&self, path: &str) -> Result<u8, Refusal>;
    async fn own_unit(&self, full: u64) -> Result<(), Refusal>;
    async fn plain(&self, text: &str) -> farcall::Result<()>;
    async fn panics(&self) -> Result<(), Refusal>;
    async fn takes_poison(&self, value: Poisonous) -> farcall::Result<()>;
    async fn takes_unwritable(&self, value: Unwritable) -> farcall::Result<()>;
    async fn gives_unwritable(&self) -> farcall::Result<Unwritable>;
}

struct Servant;

impl Answers for Servant {
    async fn own(&self, path: &str) -> Result<u8, Refusal> {
        if path == "there" { Ok(7) } else { Err(Refusal::NotFound { path: path.to_owned() }) }
    }
    async fn own_unit(&self, full: u64) -> Result<(), Refusal> {
        Err(Refusal::Full(full))
    }
    async fn plain(&self, text: &str) -> farcall::Result<()> {
        Err(Error::new(text))
    }
    async fn panics(&self) -> Result<(), Refusal> {
        panic!("a secret of the servant")
    }
    async fn takes_poison(&self, _: Poisonous) -> farcall::Result<()> {
        Ok(())
    }
    async fn takes_unwritable(&self, _: Unwritable) -> farcall::Result<()> {
        Ok(())
    }
    async fn gives_unwritable(&self) -> farcall::Result<Unwritable> {
        Ok(Unwritable)
    }
}

pub(crate) async fn with_errors_of_ones_own(place: Place) {
    let (answers, _host) = place.host(Remote::<dyn Answers>::new(Servant)).await;
    assert_eq!(answers.own("there").await, Ok(7));
    let missing = Refusal::NotFound { path: "gone".to_owned() };
    assert_eq!(answers.own("gone").await, Err(missing));
    assert_eq!(answers.own_unit(u64::MAX).await, Err(Refusal::Full(u64::MAX)));
    assert_eq!(answers.plain("no paper").await, Err(Error::new("no paper")));
    let error = answers.plain("no ink").await.expect_err("it always fails");
    assert_eq!(outline(&error), (ErrorKind::Failed, Executed::Yes));
}

pub(crate) async fn of_servants_that_panic(place: Place) {
    let (answers, _host) = place.host(Remote::<dyn Answers>::new(Servant)).await;
    let Err(Refusal::Remote(error)) = answers.panics().await else { panic!("it panics") };
    assert_eq!(outline(&error), (ErrorKind::Panicked, Executed::Yes));
    let want = "the servant panicked in `Answers::panics`: its process's standard error says why";
    assert_eq!(error.text(), want);
    let error = answers.takes_poison(Poisonous).await.expect_err("it panics");
    assert_eq!(outline(&error), (ErrorKind::Panicked, Executed::Yes));
    assert!(!error.text().contains("secret"), "{error}");
    assert_eq!(answers.own("there").await, Ok(7));
}

pub(crate) async fn of_panics_beside_other_calls(place: Place) {
    let (work, mut watch) = worker();
    let (work, _host) = place.host(work).await;
    let (before, panics, after) = (work.pass(1), work.panic_later(), work.pass(2));
    let at_once = work.panic_at_once().await.expect_err("it panics");
    assert_eq!(outline(&at_once), (ErrorKind::Panicked, Executed::Yes));
    watch.open(3);
    assert_eq!(before.await, Ok(1));
    let later = panics.await.expect_err("it panics");
    assert_eq!(outline(&later), (ErrorKind::Panicked, Executed::Yes));
    assert!(!later.text().contains("secret"), "{later}");
    assert_eq!(after.await, Ok(2));
    assert_eq!(work.quick(3).await, Ok(3));
    let began: Vec<_> = watch.so_far();
    assert_eq!(began.iter().filter(|seen| matches!(seen, Seen::Began(_))).count(), 4);
}

pub(crate) async fn that_cannot_be_encoded(place: Place) {
    let (answers, _host) = place.host(Remote::<dyn Answers>::new(Servant)).await;
    let error = answers.takes_unwritable(Unwritable).await.expect_err("it has no words");
    assert_eq!(outline(&error), (ErrorKind::Encode, Executed::No));
    let error = answers.gives_unwritable().await.expect_err("it has no words");
    assert_eq!(outline(&error), (ErrorKind::Encode, Executed::Yes));
    assert_eq!(answers.own("there").await, Ok(7));
}

pub(crate) async fn too_large_for_a_frame(place: Place) {
    let (work, _watch) = worker();
    let (work, _host) = place.host(work).await;
    let error = work.echo(&vec![0; 17 << 20]).await.expect_err("it is too large");
    assert_eq!(outline(&error), (ErrorKind::TooLarge, Executed::No));
    let error = work.fill(17 << 20).await.expect_err("it is too large");
    assert_eq!(outline(&error), (ErrorKind::TooLarge, Executed::Yes));
    assert_eq!(work.quick(1).await, Ok(1));
}
