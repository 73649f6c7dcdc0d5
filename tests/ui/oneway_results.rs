//! Calls without a return that return something.

#[allow(non_snake_case)]
mod Alias {
    pub type Result = farcall::Result<()>;
}

#[farcall::remote]
pub trait Archive {
    #[remote(oneway)]
    async fn number(&self) -> farcall::Result<u64>;
    #[remote(oneway)]
    async fn hidden(&self) -> Alias::Result;
}

fn main() {}
