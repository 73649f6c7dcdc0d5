//! Calls that nobody waits for: they would be given up at once.
#![deny(unused_must_use)]

#[farcall::remote]
trait Archive {
    async fn size(&self) -> farcall::Result<u64>;
}

async fn forget(archive: farcall::Remote<dyn Archive>) {
    archive.size();
    archive.timeout(std::time::Duration::from_secs(1));
    archive.size().detach();
}

fn main() {}
