//! An object that would have to move.

#[farcall::remote]
pub trait Archive {
    async fn read(self) -> farcall::Result<u8>;
    async fn boxed(self: Box<Self>) -> farcall::Result<u8>;
}

fn main() {}
