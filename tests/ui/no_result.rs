//! Methods that cannot fail.

#[farcall::remote]
pub trait Archive {
    async fn nothing(&self);
    async fn number(&self) -> u64;
    async fn pair(&self) -> (u8, String);
    async fn array(&self) -> [u8; 4];
}

fn main() {}
