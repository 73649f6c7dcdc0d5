//! A servant that does not implement the trait.

#[farcall::remote]
pub trait Archive {
    async fn read(&self) -> farcall::Result<u8>;
}

#[farcall::remote]
pub trait Counter {
    async fn add(&mut self) -> farcall::Result<u8>;
}

struct Shelf;

impl Counter for Shelf {
    async fn add(&mut self) -> farcall::Result<u8> {
        Ok(1)
    }
}

fn main() {
    let _ = farcall::Remote::<dyn Archive>::new(Shelf);
    let _ = farcall::Remote::<dyn Counter>::from_arc(std::sync::Arc::new(Shelf));
}
