//! More arguments under conditions than there can be cases of a method.

#[farcall::remote]
pub trait Archive {
    async fn open(
        &self,
        #[cfg(unix)] a: u8,
        #[cfg(unix)] b: u8,
        #[cfg(unix)] c: u8,
        #[cfg(unix)] d: u8,
        #[cfg(unix)] e: u8,
        #[cfg(unix)] f: u8,
        #[cfg(unix)] g: u8,
    ) -> farcall::Result<u64>;
}

fn main() {}
