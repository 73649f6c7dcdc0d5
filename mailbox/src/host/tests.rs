//! A mailbox whose letters are stored, on a store in memory that can be full, broken or slow.

use super::*;
use crate::{Access, Capacity, OnCrash, engine::Change};
use futures_core::Stream;
use std::{
    future::poll_fn,
    pin::{Pin, pin},
    sync::Condvar,
    task::Poll,
    time::Duration,
};

/// A store that outlives its hosts, as a disk does.
#[derive(Clone, Default)]
struct Disk(Arc<(Mutex<Inner>, Condvar)>);

#[derive(Default)]
struct Inner {
    contents: Contents,
    health: Health,
    commits: usize,
    /// Commits that were begun.
    begun: usize,
}

#[derive(Clone, Copy, PartialEq, Eq, Default)]
enum Health {
    #[default]
    Well,
    /// It has no room for new letters.
    Full,
    /// It stores one thing more, and then nothing.
    Breaks,
    /// It stores nothing.
    Broken,
    /// It panics.
    Mad,
    /// It takes its time.
    Slow,
}

impl Disk {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn be(&self, health: Health) {
        self.lock().health = health;
        self.0.1.notify_all();
    }

    /// A host of what is there.
    async fn host(&self, terms: Terms) -> (Host, Access<u32>) {
        let contents = self.lock().contents.clone();
        let host = Host::kept(terms, contents, Box::new(self.clone())).await.expect("it is well");
        let access = Access::new(Remote::<dyn Post>::new(host.clone()), None);
        (host, access)
    }

    /// What is there now, as the next host finds it if this one dies now.
    fn copy(&self) -> Self {
        let copy = Self::default();
        copy.lock().contents = self.lock().contents.clone();
        copy
    }

    fn commits(&self) -> usize {
        self.lock().commits
    }
}

impl Store for Disk {
    fn commit(&mut self, changes: &[(Which, Change)], kind: Option<&Kind>) -> Result<(), String> {
        self.lock().begun += 1;
        let is_slow = |inner: &mut Inner| inner.health == Health::Slow;
        let inner = self.0.1.wait_while(self.lock(), is_slow);
        let mut inner = inner.unwrap_or_else(PoisonError::into_inner);
        let is_new = |(_, change): &(Which, Change)| matches!(change, Change::Accepted(_));
        match inner.health {
            Health::Full if changes.iter().any(is_new) => return Err("full".to_owned()),
            Health::Broken => return Err("broken".to_owned()),
            Health::Breaks => inner.health = Health::Broken,
            Health::Mad => panic!("a store with a bug"),
            _ => {}
        }
        inner.commits += 1;
        let Contents { kind: known, letters, dead } = &mut inner.contents;
        *known = kind.cloned().or(known.take());
        for (which, change) in changes {
            let kept = if *which == Which::Letters { &mut *letters } else { &mut *dead };
            kept.apply(change);
        }
        Ok(())
    }
}

fn terms() -> Terms {
    Terms::of(Capacity::Bounded(64))
}

fn run(test: impl Future<Output = ()>) {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    runtime.worker_threads(1).enable_all().build().expect("a runtime").block_on(test);
}

fn not_stored<T>(why: &str) -> Result<T, Error> {
    Err(Error::NotStored { why: why.to_owned() })
}

#[test]
fn letters_outlive_their_host() {
    run(async {
        let disk = Disk::default();
        let (host, access) = disk.host(terms()).await;
        for letter in 0..4 {
            access.send(&letter).await.expect("room");
        }
        assert_eq!(access.recv_now().await, Ok(0));
        let taken = access.recv().await.expect("there");
        assert_eq!((*taken, taken.delivery_count()), (1, 1));
        let disk = disk.copy();
        drop((taken, access, host));
        let (_host, access) = disk.host(terms()).await;
        let again = access.recv().await.expect("there");
        assert_eq!((*again, again.delivery_count()), (1, 2));
        for letter in [2, 3] {
            let letter_there = access.recv().await.expect("there");
            assert_eq!((*letter_there, letter_there.delivery_count()), (letter, 1));
            letter_there.acked().await.expect("it is stored");
        }
        assert_eq!(access.try_recv().await.err(), Some(Error::Empty));
        // Ids go on.
        access.send(&9).await.expect("room");
        let kept = disk.lock().contents.letters.clone();
        let ids: Vec<_> = kept.letters.iter().map(|(letter, _)| letter.id.0).collect();
        assert_eq!((ids, kept.next), (vec![1, 4], 5));
    });
}

#[test]
fn nobody_is_told_of_what_is_not_stored_and_many_share_a_commit() {
    run(async {
        let disk = Disk::default();
        let (host, access) = disk.host(Terms::of(Capacity::Unbounded)).await;
        access.send(&0).await.expect("room");
        let before = disk.commits();
        disk.be(Health::Slow);
        let sends: Vec<_> = (1..=100).map(|letter| access.send(&letter)).collect();
        let short = access.send_timeout(&101, Duration::from_millis(1));
        // All of them are with the host.
        while host.counts().bytes < 102 {
            tokio::task::yield_now().await;
        }
        assert_eq!((host.counts().accepted, host.counts().ready), (1, 1));
        disk.be(Health::Well);
        for send in sends {
            send.await.expect("it is stored");
        }
        // Its time had passed, but it was too late to withdraw it.
        short.await.expect("it is stored");
        assert_eq!(host.counts().accepted, 102);
        assert!(disk.commits() - before <= 3, "{} commits", disk.commits() - before);
    });
}

#[test]
fn a_full_store_takes_no_letters_and_gives_those_it_has() {
    run(async {
        let disk = Disk::default();
        let (_host, access) = disk.host(terms()).await;
        for letter in [1, 2] {
            access.send(&letter).await.expect("room");
        }
        disk.be(Health::Full);
        assert_eq!(access.send(&3).await.map(drop), not_stored("full"));
        assert_eq!(access.try_send(&4).await.map(drop), not_stored("full"));
        assert_eq!(access.recv_now().await, Ok(1));
        disk.be(Health::Well);
        access.send(&5).await.expect("room");
        assert_eq!(access.recv_now().await, Ok(2));
        assert_eq!(access.recv_now().await, Ok(5));
        let counts = access.counts().await.expect("it is there");
        assert_eq!((counts.bytes, counts.accepted, counts.acked), (0, 3, 3));
    });
}

#[test]
fn a_broken_store_gives_no_letters_and_remembers_what_was_acked() {
    run(async {
        let disk = Disk::default();
        let (host, access) = disk.host(terms()).await;
        for letter in [1, 2] {
            access.send(&letter).await.expect("room");
        }
        let taken = access.recv().await.expect("there");
        for (health, why) in [
            (Health::Broken, "broken"),
            (Health::Mad, "the store has a bug: standard error says where"),
        ] {
            disk.be(health);
            assert_eq!(access.send(&3).await.map(drop), not_stored(why));
            assert_eq!(access.recv().await.map(drop), not_stored(why));
        }
        taken.ack();
        while host.counts().acked == 0 {
            tokio::task::yield_now().await;
        }
        disk.be(Health::Well);
        // The ack is stored as soon as that is possible, and the letter that could not be taken was not.
        while disk.lock().contents.letters.letters.len() > 1 {
            tokio::task::yield_now().await;
        }
        access.send(&4).await.expect("room");
        drop((access, host));
        let (_host, access) = disk.host(terms()).await;
        for value in [2, 4] {
            let letter = access.recv().await.expect("there");
            assert_eq!((*letter, letter.delivery_count()), (value, 1));
            letter.acked().await.expect("it is stored");
        }
        assert_eq!(access.try_recv().await.err(), Some(Error::Empty));
    });
}

/// Begins something, and lets the store try that when it has become like this.
async fn begun_and_then<T, F: Future<Output = T>>(
    disk: &Disk,
    begin: impl FnOnce() -> F,
    health: Health,
) -> T {
    let before = disk.lock().begun;
    disk.be(Health::Slow);
    let mut begun = pin!(begin());
    while disk.lock().begun == before {
        let polled = poll_fn(|cx| Poll::Ready(begun.as_mut().poll(cx))).await;
        assert!(polled.is_pending(), "it is told before it is stored");
        tokio::task::yield_now().await;
    }
    disk.be(health);
    begun.await
}

/// A letter in the hands of a receiver that acks it while the disk breaks, near and far: what it takes at once could not be told.
#[test]
fn an_ack_that_cannot_be_stored_is_none_and_the_letter_comes_back() {
    run(async {
        for is_near in [true, false] {
            let disk = Disk::default();
            let (host, far) = disk.host(terms()).await;
            let access = if is_near { Access::near(host.clone()) } else { far };
            access.send(&1).await.expect("room");
            let receipt = access.send(&2).await.expect("room");
            let letter = access.recv().await.expect("there");
            let acked = begun_and_then(&disk, || letter.acked(), Health::Broken).await;
            assert_eq!(acked, not_stored("broken"));
            disk.be(Health::Well);
            assert_eq!((access.recv_now().await, access.recv_now().await), (Ok(1), Ok(2)));
            assert_eq!(receipt.acked_by().await, Ok(ProcessId::own()));
            let counts = host.counts();
            assert_eq!((counts.bytes, counts.accepted, counts.acked), (0, 2, 2));
            assert_eq!(disk.lock().contents.letters.letters, []);
        }
    });
}

/// It is stored that they are taken, and not that they are acked.
#[test]
fn values_that_cannot_be_acked_come_back() {
    run(async {
        for is_near in [true, false] {
            let disk = Disk::default();
            let (host, far) = disk.host(terms()).await;
            let access = if is_near { Access::near(host.clone()) } else { far };
            access.attach().await.expect("it is open");
            for letter in [1, 2] {
                access.send(&letter).await.expect("room");
            }
            let now = begun_and_then(&disk, || access.recv_now(), Health::Breaks).await;
            assert_eq!(now, not_stored("broken"));
            disk.be(Health::Well);
            let mut values = access.values();
            let first = poll_fn(|cx| Pin::new(&mut values).poll_next(cx));
            let first = begun_and_then(&disk, || first, Health::Breaks).await;
            assert_eq!(first, Some(not_stored("broken")));
            disk.be(Health::Well);
            drop(values);
            assert_eq!((access.recv_now().await, access.recv_now().await), (Ok(1), Ok(2)));
            assert_eq!(host.counts().acked, 2);
        }
    });
}

#[test]
fn an_ack_that_is_stored_is_one_whatever_is_not_stored_after_it() {
    run(async {
        let disk = Disk::default();
        let (host, _) = disk.host(terms()).await;
        let access = Access::<u32>::near(host.clone());
        access.send(&1).await.expect("room");
        let letter = access.recv().await.expect("there");
        let before = disk.lock().begun;
        disk.be(Health::Slow);
        let mut acked = pin!(letter.acked());
        assert!(poll_fn(|cx| Poll::Ready(acked.as_mut().poll(cx))).await.is_pending());
        while disk.lock().begun == before {
            tokio::task::yield_now().await;
        }
        disk.be(Health::Breaks);
        while disk.lock().health == Health::Breaks {
            tokio::task::yield_now().await;
        }
        assert_eq!(access.send(&2).await.map(drop), not_stored("broken"));
        assert_eq!(acked.await, Ok(1));
        assert_eq!(host.counts().acked, 1);
    });
}

/// It is of no use to it any more, and must not come to another one.
#[test]
fn a_letter_that_is_being_acked_stays_so_when_its_receiver_is_gone() {
    run(async {
        let disk = Disk::default();
        let (host, access) = disk.host(terms()).await;
        let other = Access::<u32>::near(host.clone());
        let receipt = other.send(&1).await.expect("room");
        let letter = access.recv().await.expect("there");
        let before = disk.lock().begun;
        disk.be(Health::Slow);
        let mut acked = Box::pin(letter.acked());
        while disk.lock().begun == before {
            let polled = poll_fn(|cx| Poll::Ready(acked.as_mut().poll(cx))).await;
            assert!(polled.is_pending(), "it is told before it is stored");
            tokio::task::yield_now().await;
        }
        drop((acked, access));
        assert_eq!(other.try_recv().await.map(drop), Err(Error::Empty));
        disk.be(Health::Well);
        assert_eq!(receipt.acked_by().await, Ok(ProcessId::own()));
        assert_eq!((host.counts().held, host.counts().acked), (0, 1));
    });
}

#[test]
fn what_a_host_s_end_does_to_letters_that_are_taken_is_a_parameter() {
    run(async {
        let check = async |on_crash, left: usize, dead: usize| {
            let disk = Disk::default();
            let terms = Terms { on_crash, ..terms() };
            let (host, access) = disk.host(terms).await;
            access.send(&1).await.expect("room");
            let taken = access.recv().await.expect("there");
            let disk = disk.copy();
            drop((taken, access, host));
            let (_host, access) = disk.host(terms).await;
            let kept = disk.lock().contents.clone();
            assert_eq!(kept.letters.letters.len(), left, "{on_crash:?}");
            assert_eq!(kept.dead.letters.len(), dead, "{on_crash:?}");
            access.send(&2).await.expect("it is open");
        };
        check(OnCrash::Redeliver { max: 2 }, 1, 0).await;
        check(OnCrash::Redeliver { max: 1 }, 0, 1).await;
        check(OnCrash::Drop, 0, 0).await;
        check(OnCrash::Return, 0, 0).await;
        // It is not closed for what its host has done.
        check(OnCrash::Close, 1, 0).await;
    });
}

#[test]
fn dead_letters_are_stored_with_the_end_of_the_letter() {
    run(async {
        let disk = Disk::default();
        let terms = Terms { on_crash: OnCrash::Redeliver { max: 1 }, ..terms() };
        let (host, access) = disk.host(terms).await;
        access.send(&7).await.expect("room");
        drop(access.recv().await.expect("there"));
        while disk.lock().contents.dead.letters.is_empty() {
            tokio::task::yield_now().await;
        }
        assert_eq!(disk.lock().contents.letters.letters, []);
        drop((access, host));
        let (host, _) = disk.host(terms).await;
        let dead =
            Access::<u32>::new(Remote::<dyn Post>::new(host.dead().expect("it has one")), None);
        assert_eq!(dead.recv_now().await, Ok(7));
        assert_eq!(disk.lock().contents.dead.letters, []);
    });
}

#[test]
fn the_type_of_the_letters_is_stored() {
    run(async {
        let disk = Disk::default();
        let (host, access) = disk.host(terms()).await;
        access.send(&7).await.expect("room");
        drop((access, host));
        let (host, _) = disk.host(terms()).await;
        let other = Access::<String>::new(Remote::<dyn Post>::new(host), None);
        let (found, wanted) = (Kind::of::<u32>(), Kind::of::<String>());
        assert_eq!(other.attach().await, Err(Error::OtherLetters { found, wanted }));
    });
}

#[test]
fn a_mailbox_that_is_finished_has_stored_everything() {
    run(async {
        let disk = Disk::default();
        let (host, access) = disk.host(terms()).await;
        access.send(&7).await.expect("room");
        let letter = access.recv().await.expect("there");
        letter.ack();
        while host.counts().acked == 0 {
            tokio::task::yield_now().await;
        }
        host.finish().await;
        assert_eq!(disk.lock().contents.letters.letters, []);
        // Nobody else has the store any more: its thread has ended.
        assert_eq!(Arc::strong_count(&disk.0), 1);
        assert!(matches!(access.send(&8).await, Err(Error::MailboxGone(_))));
    });
}
