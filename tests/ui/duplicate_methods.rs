//! A method twice.

#[farcall::remote]
pub trait Archive {
    async fn read(&self) -> farcall::Result<u8>;
    async fn read(&self, path: &str) -> farcall::Result<u8>;
}

fn main() {}
