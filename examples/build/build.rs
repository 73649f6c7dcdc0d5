//! The contract between the coordinator and its workers.

use bytes::Bytes;
use farcall::{Receiver, Remote, Sender};
use serde::{Deserialize, Serialize};

/// A BLAKE3 digest.
pub type Digest = [u8; 32];

/// Where workers come to.
#[farcall::remote]
pub trait Site {
    /// Has a worker work until the build is over. `process` is its process.
    #[remote(timeout = none)]
    async fn join(&self, worker: Remote<dyn Worker>, process: u32) -> farcall::Result<()>;
}

/// Who packs files, and checks what others have packed.
#[farcall::remote]
pub trait Worker {
    /// Compresses a file with gzip, piece by piece, and has `checker` unpack it meanwhile.
    #[remote(timeout = none)]
    async fn pack(
        &self,
        file: Receiver<Bytes>,
        packed: Sender<Bytes>,
        checker: Remote<dyn Worker>,
        progress: Remote<dyn Progress>,
    ) -> farcall::Result<Digests>;
    /// The digest of what was packed.
    #[remote(timeout = none)]
    async fn check(&self, packed: Receiver<Bytes>) -> farcall::Result<Digest>;
}

/// Who is told how far a file is.
#[farcall::remote]
pub trait Progress {
    /// So many bytes more are packed.
    #[remote(timeout = none)]
    async fn advance(&self, bytes: u64) -> farcall::Result<()>;
}

/// What two workers say of a file.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Digests {
    /// Of what was packed.
    pub original: Digest,
    /// Of what the checker has unpacked.
    pub unpacked: Digest,
}
