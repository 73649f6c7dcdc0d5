//! `unsafe`, `const` and `extern`.

#[farcall::remote]
pub unsafe trait Archive {
    async unsafe fn read(&self) -> farcall::Result<u8>;
    async extern "C" fn write(&self) -> farcall::Result<u8>;
}

fn main() {}
