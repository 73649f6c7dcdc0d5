//! A method without `async`.

#[farcall::remote]
pub trait Archive {
    fn read(&self) -> farcall::Result<u8>;
}

fn main() {}
