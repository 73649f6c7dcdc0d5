//! One file at one worker: streamed to it, received packed, and verified here.

use crate::{
    bar::Bar,
    build::{Digest, Progress, Worker},
    files::Part,
    packer::{Unpacked, unpack},
};
use bytes::Bytes;
use farcall::{ErrorKind, Remote, Sender};
use std::{
    fs::File,
    io::{self, Read},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::sync::{mpsc, oneshot};

/// Bytes of a piece.
const PIECE: usize = 64 << 10;
/// Pieces on their way.
const AHEAD: usize = 8;

/// Why a file is not packed.
pub enum Failure {
    /// Another worker may do it.
    Call(farcall::Error),
    /// Nobody can.
    Unreadable(io::Error),
    /// What came back is not what was sent.
    Wrong,
}

/// Who does the file, who checks it, and who hears how far it is.
pub struct Job {
    pub part: Part,
    /// The worker's number.
    pub number: usize,
    pub worker: Remote<dyn Worker>,
    pub checker: Remote<dyn Worker>,
    pub bar: Bar,
    /// Where each report of progress goes, if somebody wants them.
    pub reports: Option<Reports>,
}

pub type Reports = mpsc::Sender<Report>;

/// A worker has reported, and waits until this is dropped.
pub struct Report {
    pub worker: usize,
    _waits: oneshot::Sender<()>,
}

impl Job {
    /// Bytes that the packed file has.
    pub async fn run(&self) -> Result<u64, Failure> {
        let done = Arc::new(AtomicU64::new(0));
        let result = self.pack(self.progress(Arc::clone(&done))).await;
        if result.is_err() {
            self.bar.retreat(done.load(Ordering::Relaxed));
        }
        result
    }

    async fn pack(&self, progress: Remote<dyn Progress>) -> Result<u64, Failure> {
        let file = File::open(&self.part.path).map_err(Failure::Unreadable)?;
        let (pieces, received) = farcall::channel(AHEAD);
        let (sender, packed) = farcall::channel(AHEAD);
        let call = self.worker.pack(received, sender, self.checker.clone(), progress);
        let (sent, unpacked, digests) = tokio::join!(send(file, pieces), unpack(packed), call);
        let original = match sent {
            Ok(original) => original,
            Err(Failure::Unreadable(why)) => return Err(Failure::Unreadable(why)),
            Err(sent) => return Err(digests.map_or_else(Failure::Call, |_| sent)),
        };
        let digests = digests.map_err(Failure::Call)?;
        let Unpacked { digest, packed } = unpacked.map_err(|why| match why.kind() {
            ErrorKind::Failed => Failure::Wrong,
            _ => Failure::Call(why),
        })?;
        let same = [digests.original, digests.unpacked, digest] == [original; 3];
        if same { Ok(packed) } else { Err(Failure::Wrong) }
    }

    /// A callback that moves the bar, and counts what this job has moved it.
    fn progress(&self, done: Arc<AtomicU64>) -> Remote<dyn Progress> {
        let (bar, reports, worker) = (self.bar.clone(), self.reports.clone(), self.number);
        Remote::<dyn Progress>::from_fn(move |bytes| {
            bar.advance(bytes);
            done.fetch_add(bytes, Ordering::Relaxed);
            let reports = reports.clone();
            async move {
                if let Some(reports) = reports {
                    let (waits, answered) = oneshot::channel();
                    if reports.send(Report { worker, _waits: waits }).await.is_ok() {
                        let _ = answered.await;
                    }
                }
                Ok(())
            }
        })
    }
}

/// Sends a file to its end, and says what its digest is.
async fn send(mut file: File, pieces: Sender<Bytes>) -> Result<Digest, Failure> {
    let mut hasher = blake3::Hasher::new();
    loop {
        let mut piece = Vec::with_capacity(PIECE);
        file.by_ref().take(PIECE as u64).read_to_end(&mut piece).map_err(Failure::Unreadable)?;
        if piece.is_empty() {
            pieces.finish();
            return Ok(hasher.finalize().into());
        }
        hasher.update(&piece);
        pieces.send(piece.into()).await.map_err(Failure::Call)?;
    }
}
