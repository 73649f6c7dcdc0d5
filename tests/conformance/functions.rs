//! Functions as servants: `Remote::from_fn`, as a service and as a callback.

use crate::place::Place;
use farcall::Remote;
use serde::{Deserialize, Serialize};
use std::{
    borrow::Cow,
    sync::{Arc, Mutex},
};

#[farcall::remote]
pub(crate) trait Watcher {
    async fn changed(&self, path: String) -> farcall::Result<()>;
}

#[farcall::remote]
pub(crate) trait Watched {
    async fn watch(&self, watcher: Remote<dyn Watcher>) -> farcall::Result<()>;
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Point(u32, u32);

/// An argument of each shape that a function can take.
#[farcall::remote]
pub(crate) trait Summary {
    #[allow(clippy::too_many_arguments, reason = "one of each shape")]
    async fn of(
        &self,
        text: &str,
        bytes: &[u8],
        cow_text: Cow<'_, str>,
        cow_bytes: Cow<'_, [u8]>,
        point: &Point,
        points: &[Point],
        owned: Option<u32>,
    ) -> Result<String, Refusal>;
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
pub(crate) enum Refusal {
    Empty,
    Failed(farcall::Error),
}

impl From<farcall::Error> for Refusal {
    fn from(error: farcall::Error) -> Self {
        Self::Failed(error)
    }
}

/// `&mut self`, and generic.
#[farcall::remote]
pub(crate) trait Accumulator<T> {
    async fn add(&mut self, value: T) -> farcall::Result<Vec<T>>;
}

/// Tells each watcher of two changes.
struct Tells;

impl Watched for Tells {
    async fn watch(&self, watcher: Remote<dyn Watcher>) -> farcall::Result<()> {
        watcher.changed("a".to_owned()).await?;
        watcher.changed("b".to_owned()).await
    }
}

pub(crate) async fn serve_interfaces_of_one_method(place: Place) {
    let (watched, _host) = place.host(Remote::<dyn Watched>::new(Tells)).await;
    let seen = Arc::new(Mutex::new(Vec::new()));
    let sees = Arc::clone(&seen);
    let watcher = Remote::<dyn Watcher>::from_fn(move |path| {
        sees.lock().expect("no panics").push(path);
        async move { Ok(()) }
    });
    watched.watch(watcher.clone()).await.expect("it is called back");
    watcher.changed("c".to_owned()).await.expect("it is called here");
    assert_eq!(*seen.lock().expect("no panics"), ["a", "b", "c"]);

    let refuses = Remote::<dyn Watcher>::from_fn(|path: String| async move {
        let text = format!("{path} is none of mine");
        Err(farcall::Error::new(&text))?;
        Ok(())
    });
    let error = watched.watch(refuses).await.expect_err("it fails");
    assert_eq!(error.text(), "a is none of mine");
}

pub(crate) async fn take_what_they_can_keep(place: Place) {
    let summary = Remote::<dyn Summary>::from_fn(
        |text: String, bytes: Vec<u8>, cow_text, cow_bytes, point: Point, points, owned| async move {
            if text.is_empty() {
                return Err(Refusal::Empty);
            }
            // It holds them across an await.
            tokio::task::yield_now().await;
            let sum: u32 = points.iter().map(|Point(x, y)| x * y).sum();
            let Point(x, y) = point;
            Ok(format!("{text} {bytes:?} {cow_text} {cow_bytes:?} {x} {y} {sum} {owned:?}"))
        },
    );
    let (summary, _host) = place.host(summary).await;
    let of = |text| {
        let points = [Point(1, 2), Point(3, 4)];
        let (words, bytes) = (Cow::Borrowed("cow"), Cow::Owned(vec![3]));
        summary.of(text, &[1, 2], words, bytes, &Point(5, 6), &points, Some(7))
    };
    assert_eq!(of("text").await, Ok("text [1, 2] cow [3] 5 6 14 Some(7)".to_owned()));
    assert_eq!(of("").await, Err(Refusal::Empty));
}

pub(crate) async fn may_change_what_they_own(place: Place) {
    let mut all = Vec::new();
    let sums = Remote::<dyn Accumulator<u32>>::from_fn(move |value| {
        all.push(value);
        let so_far = all.clone();
        async move { Ok(so_far) }
    });
    let (mut sums, _host) = place.host(sums).await;
    assert_eq!(sums.add(1).await, Ok(vec![1]));
    let (two, three) = (sums.add(2), sums.add(3));
    assert_eq!(two.await, Ok(vec![1, 2]));
    assert_eq!(three.await, Ok(vec![1, 2, 3]));
}
