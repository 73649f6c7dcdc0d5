//! An interface that borrows.

#[farcall::remote]
pub trait Archive<'a, T> {
    async fn read(&self, path: &'a str) -> farcall::Result<T>;
}

#[farcall::remote]
pub trait Flag<const ON: bool> {
    async fn read(&self) -> farcall::Result<u8>;
}

fn main() {}
