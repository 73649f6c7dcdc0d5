//! Traits that a handle cannot have.

#[farcall::remote]
pub trait Archive: Send + std::fmt::Debug + Clone {
    async fn read(&self) -> farcall::Result<u8>;
}

fn main() {}
