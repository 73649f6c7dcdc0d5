//! Methods with parameters of their own.

#[farcall::remote]
pub trait Archive {
    async fn typed<T: serde::Serialize>(&self, value: T) -> farcall::Result<()>;
    async fn sized<const N: usize>(&self, value: [u8; N]) -> farcall::Result<()>;
    async fn bounded(&self) -> farcall::Result<()>
    where
        u8: Copy;
}

fn main() {}
