//! A function where an interface has more methods than one, or an argument that a function cannot own; and one of another type.

use farcall::Remote;

#[farcall::remote]
pub trait Archive {
    async fn read(&self) -> farcall::Result<u8>;
    async fn write(&self, byte: u8) -> farcall::Result<()>;
}

#[farcall::remote]
pub trait Borrowing {
    async fn read(&self, path: Option<&str>) -> farcall::Result<u8>;
}

#[farcall::remote]
pub trait Watcher {
    async fn changed(&self, path: &str) -> farcall::Result<()>;
}

fn main() {
    let _ = Remote::<dyn Archive>::from_fn(|| async { Ok(1) });
    let _ = Remote::<dyn Borrowing>::from_fn(|_: Option<&str>| async { Ok(1) });
    let _ = Remote::<dyn Watcher>::from_fn(|_: u32| async { Ok(()) });
}
