//! One slip is one error: the trait, its servants and its handles are there all the same.

use farcall::{Call, Remote};

#[farcall::remote]
pub trait Archive: std::fmt::Debug {
    async fn read(&self, path: &str) -> farcall::Result<u8>;
    fn list(&self) -> farcall::Result<u8>;
    async fn pair(&self, (x, y): (u8, u8)) -> farcall::Result<u8>;
}

#[derive(Debug)]
struct Shelf;

impl Archive for Shelf {
    async fn read(&self, path: &str) -> farcall::Result<u8> {
        Ok(path.len() as u8)
    }
    fn list(&self) -> farcall::Result<u8> {
        Ok(1)
    }
    async fn pair(&self, (x, y): (u8, u8)) -> farcall::Result<u8> {
        Ok(x + y)
    }
}

fn main() {
    let _ = || {
        let remote = Remote::<dyn Archive>::new(Shelf);
        let _: Call<u8> = remote.read("");
    };
}
