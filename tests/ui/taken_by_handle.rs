//! Names of the handle's own methods.

#[farcall::remote]
pub trait Archive {
    async fn timeout(&self) -> farcall::Result<u8>;
    async fn wait(&self) -> farcall::Result<u8>;
    #[remote(name = "detach")]
    async fn detach(&self) -> farcall::Result<u8>;
}

fn main() {}
