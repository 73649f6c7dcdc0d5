//! What is not a method.

#[farcall::remote]
pub trait Archive {
    type Item;
    const LIMIT: u64 = 10;
    async fn read(&self) -> farcall::Result<Self::Item>;
}

fn main() {}
