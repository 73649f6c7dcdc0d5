//! Options of methods that do not exist, or have no such value.

#[farcall::remote]
pub trait Archive {
    #[remote(idempotnet)]
    async fn unknown(&self) -> farcall::Result<()>;
    #[remote(idempotent = true)]
    async fn value(&self) -> farcall::Result<()>;
    #[remote(timeout)]
    async fn without(&self) -> farcall::Result<()>;
    #[remote(timeout = 60)]
    async fn number(&self) -> farcall::Result<()>;
    #[remote(timeout = "60")]
    async fn unit(&self) -> farcall::Result<()>;
    #[remote(timeout = "0s")]
    async fn zero(&self) -> farcall::Result<()>;
    #[remote(timeout = never)]
    async fn never(&self) -> farcall::Result<()>;
    #[remote(name = "")]
    async fn empty(&self) -> farcall::Result<()>;
    #[remote(name = "two words")]
    async fn spaced(&self) -> farcall::Result<()>;
    #[remote(idempotent, idempotent)]
    async fn twice(&self) -> farcall::Result<()>;
    #[remote]
    async fn bare(&self) -> farcall::Result<()>;
}

fn main() {}
