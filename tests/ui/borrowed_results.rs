//! Results that borrow.

#[farcall::remote]
pub trait Archive {
    async fn text(&self) -> farcall::Result<&str>;
    async fn lifetime(&self) -> farcall::Result<std::borrow::Cow<'_, str>>;
    async fn forever(&self) -> farcall::Result<&'static str>;
    async fn error(&self, key: &str) -> Result<u8, &str>;
}

fn main() {}
