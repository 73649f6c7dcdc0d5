//! Objects that are lent in a scope: whole as long as it is, broken all at once when it ends.

use crate::place::Place;
use farcall::{Error, ErrorKind, Executed, Remote, Scope};
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};
use tokio::sync::Semaphore;

#[farcall::remote]
pub(crate) trait Note {
    async fn text(&self) -> farcall::Result<String>;
    async fn slow(&self) -> farcall::Result<String>;
}

#[farcall::remote]
pub(crate) trait Desk {
    async fn note(&self) -> farcall::Result<Remote<dyn Note>>;
    async fn lasting(&self) -> farcall::Result<Remote<dyn Note>>;
    async fn read(&self, note: Remote<dyn Note>) -> farcall::Result<String>;
    /// Waits until the note is of no more use, and says why.
    async fn end_of(&self, note: Remote<dyn Note>) -> farcall::Result<Error>;
    async fn leave(&self, why: Option<&str>) -> farcall::Result<()>;
}

struct Paper {
    /// How often `slow` was begun, and may end.
    slow: (Semaphore, Semaphore),
    alive: Arc<AtomicUsize>,
}

impl Paper {
    fn new(alive: &Arc<AtomicUsize>) -> Arc<Self> {
        alive.fetch_add(1, Ordering::Relaxed);
        Arc::new(Self { slow: (Semaphore::new(0), Semaphore::new(0)), alive: Arc::clone(alive) })
    }
}

impl Drop for Paper {
    fn drop(&mut self) {
        self.alive.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Note for Paper {
    async fn text(&self) -> farcall::Result<String> {
        Ok("written".to_owned())
    }

    async fn slow(&self) -> farcall::Result<String> {
        self.slow.0.add_permits(1);
        self.slow.1.acquire().await.map_err(|_| Error::new("closed"))?.forget();
        self.text().await
    }
}

/// Lends notes for as long as it is open.
struct Room {
    scope: Mutex<Option<Scope>>,
    lasting: Remote<dyn Note>,
    alive: Arc<AtomicUsize>,
}

impl Desk for Room {
    async fn note(&self) -> farcall::Result<Remote<dyn Note>> {
        let scope = self.scope.lock().expect("no panics");
        let scope = scope.as_ref().ok_or(Error::new("the desk is closed"))?;
        Ok(scope.lend(&Remote::<dyn Note>::from_arc(Paper::new(&self.alive))))
    }

    async fn lasting(&self) -> farcall::Result<Remote<dyn Note>> {
        Ok(self.lasting.clone())
    }

    async fn read(&self, note: Remote<dyn Note>) -> farcall::Result<String> {
        note.text().await
    }

    async fn end_of(&self, note: Remote<dyn Note>) -> farcall::Result<Error> {
        note.text().await?;
        Ok(Remote::closed(&note).await)
    }

    async fn leave(&self, why: Option<&str>) -> farcall::Result<()> {
        let scope = self.scope.lock().expect("no panics").take();
        if let (Some(scope), Some(why)) = (&scope, why) {
            scope.revoke(why);
        }
        Ok(())
    }
}

async fn desk(place: Place) -> (Remote<dyn Desk>, Arc<AtomicUsize>, crate::place::Host) {
    let alive = Arc::new(AtomicUsize::new(0));
    let room = Room {
        scope: Mutex::new(Some(Scope::new())),
        lasting: Remote::from_arc(Paper::new(&alive)),
        alive: Arc::clone(&alive),
    };
    let (desk, host) = place.host(Remote::<dyn Desk>::new(room)).await;
    (desk, alive, host)
}

fn revoked(why: &str) -> Error {
    let text = format!("the object was taken away by its owner: {why}");
    Error::of(ErrorKind::Broken, text).executed_as(Executed::No)
}

pub(crate) async fn break_all_that_was_lent_in_them(place: Place) {
    let (desk, alive, _host) = desk(place).await;
    let (one, two) = (desk.note().await.expect("open"), desk.note().await.expect("open"));
    let lasting = desk.lasting().await.expect("it is there");
    assert_eq!(one.text().await, Ok("written".to_owned()));
    assert_eq!(desk.read(two.clone()).await, Ok("written".to_owned()));
    assert!(Remote::why_closed(&one).is_none() && !one.same_object(&two));
    desk.leave(Some("the room is needed")).await.expect("it closes");
    let want = revoked("the room is needed");
    for note in [&one, &two] {
        assert_eq!(Remote::closed(note).await, want);
        assert_eq!(Remote::why_closed(note), Some(want.clone()));
        assert_eq!(note.text().await, Err(want.clone()));
    }
    // The same where it comes home.
    let error = desk.read(one.clone()).await.expect_err("it is broken");
    assert_eq!((error.kind(), error.text()), (want.kind(), want.text()));
    assert_eq!(lasting.text().await, Ok("written".to_owned()));
    drop((one, two));
    while alive.load(Ordering::Relaxed) > 1 {
        tokio::task::yield_now().await;
    }
}

pub(crate) async fn end_when_they_are_dropped(place: Place) {
    let (desk, _, _host) = desk(place).await;
    let note = desk.note().await.expect("open");
    desk.leave(None).await.expect("it closes");
    assert_eq!(Remote::closed(&note).await, revoked("the scope that it was lent in has ended"));
}

pub(crate) async fn let_calls_end_that_have_begun(place: Place) {
    let scope = Scope::new();
    let paper = Paper::new(&Arc::default());
    let (note, _host) =
        place.host(scope.lend(&Remote::<dyn Note>::from_arc(Arc::clone(&paper)))).await;
    let slow = note.slow();
    paper.slow.0.acquire().await.expect("it is open").forget();
    scope.revoke("enough");
    let refused = note.text().await;
    assert_eq!(refused, Err(revoked("enough")), "a service in a scope too");
    paper.slow.1.add_permits(1);
    assert_eq!(slow.await, Ok("written".to_owned()));
}

/// One that is passed on when it is too late leads nowhere.
pub(crate) async fn refuse_whom_they_are_shown_late(place: Place) {
    let (desk, _, _host) = desk(place).await;
    let scope = Scope::new();
    let note = scope.lend(&Remote::<dyn Note>::from_arc(Paper::new(&Arc::default())));
    assert!(note.local::<Paper>().is_some());
    assert_eq!(desk.read(note.clone()).await, Ok("written".to_owned()));
    scope.revoke("too late");
    scope.revoke("later still");
    assert!(note.local::<Paper>().is_none());
    for _ in 0..2 {
        let error = desk.read(note.clone()).await.expect_err("it is broken");
        assert_eq!((error.kind(), error.text()), (ErrorKind::Broken, revoked("too late").text()));
    }
    // And in third processes, through another room.
    let (third, _, _other) = self::desk(place).await;
    let note = desk.note().await.expect("open");
    assert_eq!(third.read(note.clone()).await, Ok("written".to_owned()));
    desk.leave(Some("closing")).await.expect("it closes");
    let error = third.read(note).await.expect_err("it is broken");
    assert_eq!((error.kind(), error.text()), (ErrorKind::Broken, revoked("closing").text()));
}

/// Whoever has got an object through a third process, or in a scope of that one, is told as well.
pub(crate) async fn tell_third_processes(place: Place) {
    let (first, _, _host) = desk(place).await;
    let (third, _, _other) = desk(place).await;
    let note = first.note().await.expect("open");
    let scope = Scope::new();
    let scoped = scope.lend(&note);
    let ends = [third.end_of(note.clone()), third.end_of(note), third.end_of(scoped.clone())];
    assert_eq!(third.read(scoped.clone()).await, Ok("written".to_owned()));
    assert!(Remote::why_closed(&scoped).is_none());
    first.leave(Some("closing")).await.expect("it closes");
    let want = revoked("closing");
    for end in ends {
        assert_eq!(end.await, Ok(want.clone()));
    }
    assert_eq!(Remote::closed(&scoped).await, want);
    assert_eq!(Remote::why_closed(&scoped), Some(want));
}
