//! A method without an object.

#[farcall::remote]
pub trait Archive {
    async fn read(path: &str) -> farcall::Result<u8>;
}

fn main() {}
