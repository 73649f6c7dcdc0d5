//! Types that only this process knows.

pub trait Watcher {}

#[farcall::remote]
pub trait Archive {
    async fn any(&self, value: impl Into<String>) -> farcall::Result<u8>;
    async fn lent(&self, watcher: &dyn Watcher) -> farcall::Result<u8>;
    async fn boxed(&self, watcher: Box<dyn Watcher + Send>) -> farcall::Result<u8>;
    async fn made(&self) -> farcall::Result<Box<dyn Watcher>>;
    async fn function(&self, callback: fn(u8) -> u8) -> farcall::Result<u8>;
    async fn pointer(&self, address: *const u8) -> farcall::Result<u8>;
    async fn same(&self, other: &Self) -> farcall::Result<u8>;
}

fn main() {}
