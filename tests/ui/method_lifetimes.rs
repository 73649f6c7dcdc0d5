//! Methods with lifetimes.

#[farcall::remote]
pub trait Archive {
    async fn read<'a>(&self, path: &'a str) -> farcall::Result<u8>;
    async fn whole(&'static self) -> farcall::Result<u8>;
}

fn main() {}
