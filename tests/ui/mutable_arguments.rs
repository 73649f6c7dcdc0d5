//! Arguments that would change at the caller's.

#[farcall::remote]
pub trait Archive {
    async fn fill(&self, buffer: &mut [u8]) -> farcall::Result<u64>;
    async fn within(&self, maybe: Option<&mut u8>) -> farcall::Result<u64>;
}

fn main() {}
