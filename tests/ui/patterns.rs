//! Arguments with patterns.

#[farcall::remote]
pub trait Archive {
    async fn pair(&self, (x, y): (u8, u8)) -> farcall::Result<u8>;
    async fn unnamed(&self, _: u8) -> farcall::Result<u8>;
    async fn changed(&self, mut x: u8) -> farcall::Result<u8>;
}

fn main() {}
