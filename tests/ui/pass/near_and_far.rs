//! One function for the servant and for the handle, and futures that may be spawned.
#![deny(warnings)]

use farcall::{Call, Remote};
use std::{borrow::Cow, sync::Arc};

#[farcall::remote]
pub trait Archive {
    async fn read(&self, path: &str, offset: u64) -> farcall::Result<Vec<u8>>;
    async fn borrow_all(
        &self,
        maybe: Option<&str>,
        cow: Cow<'_, str>,
        bytes: Cow<'_, [u8]>,
        pair: (u8, &str),
        list: &[&str],
        lent: &Option<&str>,
    ) -> farcall::Result<()>;
}

#[farcall::remote]
pub trait Counter: Send {
    async fn add(&mut self, number: u64) -> farcall::Result<u64>;
}

#[farcall::remote]
pub trait Forever: 'static + Send + std::marker::Sync {
    async fn run(&self) -> farcall::Result<()>;
}

struct Shelf;

impl Archive for Shelf {
    async fn read(&self, path: &str, _offset: u64) -> farcall::Result<Vec<u8>> {
        Ok(path.as_bytes().to_vec())
    }
    async fn borrow_all(
        &self,
        _maybe: Option<&str>,
        _cow: Cow<'_, str>,
        _bytes: Cow<'_, [u8]>,
        _pair: (u8, &str),
        _list: &[&str],
        _lent: &Option<&str>,
    ) -> farcall::Result<()> {
        Ok(())
    }
}

/// `Send` is enough: nobody shares it.
struct Cell(std::cell::Cell<u64>);

impl Counter for Cell {
    async fn add(&mut self, number: u64) -> farcall::Result<u64> {
        self.0.set(self.0.get() + number);
        Ok(self.0.get())
    }
}

async fn report(archive: &impl Archive) -> farcall::Result<usize> {
    let first = archive.read("a", 0).await?;
    let second = archive.read(&String::from_utf8_lossy(&first), 1).await?;
    Ok(first.len() + second.len())
}

async fn count<C: Counter>(counter: &mut C) -> farcall::Result<u64> {
    counter.add(1).await?;
    counter.add(2).await
}

async fn both() -> farcall::Result<()> {
    let far = Remote::<dyn Archive>::new(Shelf);
    let shared = Remote::<dyn Archive>::from_arc(Arc::new(Shelf));
    report(&far).await?;
    report(&shared).await?;
    report(&Shelf).await?;
    let mut counter = Remote::<dyn Counter>::new(Cell(0.into()));
    count(&mut counter).await?;
    let (a, b) = (far.read("a", 0), far.read("b", 0));
    let _named: Call<Vec<u8>> = far.read("c", 0);
    a.await?;
    b.await?;
    Ok(())
}

fn spawn(_: impl Future<Output = farcall::Result<()>> + Send + 'static) {}

fn main() {
    if false {
        spawn(both());
    }
}
