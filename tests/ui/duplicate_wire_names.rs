//! Two methods with one name on the wire.

#[farcall::remote]
pub trait Archive {
    async fn read(&self) -> farcall::Result<u8>;
    #[remote(name = "read")]
    async fn read_again(&self) -> farcall::Result<u8>;
}

fn main() {}
