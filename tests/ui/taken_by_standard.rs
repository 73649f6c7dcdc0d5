//! Names of methods that the standard library gives a handle.

#[farcall::remote]
pub trait Archive {
    async fn clone(&self) -> farcall::Result<u8>;
    async fn into(&self) -> farcall::Result<u8>;
    async fn poll(&self) -> farcall::Result<u8>;
}

fn main() {}
