//! Two names with one hash.

#[farcall::remote]
pub trait Archive {
    async fn liquid(&self) -> farcall::Result<u8>;
    async fn costarring(&self) -> farcall::Result<u8>;
}

fn main() {}
