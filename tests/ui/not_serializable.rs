//! Types that serde does not know.

pub struct Page;

#[farcall::remote]
pub trait Archive {
    async fn argument(&self, page: Page) -> farcall::Result<u8>;
    async fn lent(&self, pages: &[Page]) -> farcall::Result<u8>;
    async fn result(&self) -> farcall::Result<Option<Page>>;
}

fn main() {}
