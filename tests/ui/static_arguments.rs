//! Arguments that would have to live forever.

#[farcall::remote]
pub trait Archive {
    async fn read(&self, path: &'static str) -> farcall::Result<u8>;
}

fn main() {}
