//! Generated code names everything by its whole path.
#![no_implicit_prelude]
#![deny(warnings)]

#[::farcall::remote]
pub trait Bare {
    async fn read(&self, path: &str, list: &[u32]) -> ::farcall::Result<u64>;
    async fn cow(&self, text: ::std::borrow::Cow<'_, str>) -> ::farcall::Result<()>;
    async fn alias(&self) -> ::std::result::Result<u64, ::farcall::Error>;
}

#[::farcall::remote]
pub trait Exclusive<K> {
    async fn write(&mut self, key: K) -> ::farcall::Result<()>;
}

fn main() {}
