//! A worker: packs, checks what others pack, and ends with its coordinator.

use crate::build::{Digest, Digests, Progress, Site, Worker};
use bytes::Bytes;
use farcall::{Receiver, Remote, Sender};
use flate2::{
    Compression,
    write::{GzDecoder, GzEncoder},
};
use std::{io::Write, mem, process};

/// Pieces on their way to a checker.
const AHEAD: usize = 8;

/// Works for the coordinator at the configured address, until it says that the build is over or is lost.
pub async fn work() -> farcall::Result<()> {
    let site = farcall::connect::<dyn Site>("build").await?;
    site.join(Remote::new(Packer), process::id()).await
}

struct Packer;

impl Worker for Packer {
    async fn pack(
        &self,
        mut file: Receiver<Bytes>,
        packed: Sender<Bytes>,
        checker: Remote<dyn Worker>,
        progress: Remote<dyn Progress>,
    ) -> farcall::Result<Digests> {
        let (copy, received) = farcall::channel(AHEAD);
        let check = checker.check(received);
        let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
        let mut hasher = blake3::Hasher::new();
        while let Some(piece) = file.recv().await {
            let piece = piece?;
            hasher.update(&piece);
            gzip.write_all(&piece).map_err(failed)?;
            send(mem::take(gzip.get_mut()), [&packed, &copy]).await?;
            progress.advance(piece.len() as u64).await?;
        }
        send(gzip.finish().map_err(failed)?, [&packed, &copy]).await?;
        packed.finish();
        copy.finish();
        Ok(Digests { original: hasher.finalize().into(), unpacked: check.await? })
    }

    async fn check(&self, packed: Receiver<Bytes>) -> farcall::Result<Digest> {
        unpack(packed).await.map(|unpacked| unpacked.digest)
    }
}

async fn send(bytes: Vec<u8>, to: [&Sender<Bytes>; 2]) -> farcall::Result<()> {
    let bytes = Bytes::from(bytes);
    if !bytes.is_empty() {
        for sender in to {
            sender.send(bytes.clone()).await?;
        }
    }
    Ok(())
}

/// What came out of a packed stream.
pub struct Unpacked {
    pub digest: Digest,
    /// Bytes that the stream had.
    pub packed: u64,
}

/// Decompresses a stream to its end, and keeps nothing of it.
pub async fn unpack(mut packed: Receiver<Bytes>) -> farcall::Result<Unpacked> {
    let mut gzip = GzDecoder::new(blake3::Hasher::new());
    let mut bytes = 0;
    while let Some(piece) = packed.recv().await {
        let piece = piece?;
        bytes += piece.len() as u64;
        gzip.write_all(&piece).map_err(failed)?;
    }
    let digest = gzip.finish().map_err(failed)?.finalize().into();
    Ok(Unpacked { digest, packed: bytes })
}

fn failed(error: std::io::Error) -> farcall::Error {
    farcall::Error::new(error.to_string())
}
