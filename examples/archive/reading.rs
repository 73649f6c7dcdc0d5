//! A whole archive read through calls: what it comes to, and how long the calls took.

use crate::{
    archive::{Archive, ArchiveError, Kind},
    total::Total,
};
use farcall::{Call, Remote};
use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// Bytes asked for by a call.
pub const PIECE: u32 = 64 << 10;
/// Calls in flight at a time, in the second round.
const FLIGHT: usize = 64;
/// How long the second round goes on.
const ROUND: Duration = Duration::from_millis(200);

/// A whole archive, read through calls.
pub struct Reading {
    pub total: Total,
    /// How long each call of the first round took, shortest first.
    pub calls: Vec<Duration>,
    /// Calls per second in the second round.
    pub rate: f64,
    /// Every file arrived as the server's own digest of it says.
    pub equal: bool,
}

impl Reading {
    /// Reads every file, one call after the other, and then pieces of them again with many calls in flight.
    pub async fn new(archive: &Remote<dyn Archive>) -> Result<Self, ArchiveError> {
        let mut walk = Walk { archive, total: Total::default(), calls: Vec::new(), equal: true };
        let pieces = walk.read_all().await?;
        let Walk { total, mut calls, equal, .. } = walk;
        calls.sort_unstable();
        Ok(Self { total, calls, equal, rate: rate(archive, &pieces).await? })
    }

    /// What so many percent of the calls stay below.
    pub fn percentile(&self, percent: usize) -> Duration {
        self.calls.get(self.calls.len() * percent / 100).copied().unwrap_or_default()
    }
}

/// The first round.
struct Walk<'a> {
    archive: &'a Remote<dyn Archive>,
    total: Total,
    calls: Vec<Duration>,
    equal: bool,
}

/// A file's path, and an offset in it.
type Piece = (String, u64);

impl Walk<'_> {
    async fn read_all(&mut self) -> Result<Vec<Piece>, ArchiveError> {
        let mut directories = vec![String::new()];
        let mut pieces = Vec::new();
        while let Some(directory) = directories.pop() {
            for entry in self.timed(self.archive.list(&directory)).await? {
                match entry.kind {
                    Kind::Directory => directories.push(entry.path),
                    Kind::File => self.read_file(entry.path, &mut pieces).await?,
                }
            }
        }
        Ok(pieces)
    }

    async fn read_file(
        &mut self,
        path: String,
        pieces: &mut Vec<Piece>,
    ) -> Result<(), ArchiveError> {
        let mut file = blake3::Hasher::new();
        loop {
            let offset = file.count();
            let bytes = self.timed(self.archive.read(&path, offset, PIECE)).await?;
            file.update(&bytes);
            pieces.push((path.clone(), offset));
            if bytes.len() < PIECE as usize {
                break;
            }
        }
        let digest = file.finalize();
        self.equal &= self.timed(self.archive.digest(&path)).await? == *digest.as_bytes();
        self.total.add(&path, file.count(), digest);
        Ok(())
    }

    async fn timed<T>(&mut self, call: Call<T, ArchiveError>) -> Result<T, ArchiveError>
    where
        Call<T, ArchiveError>: Future<Output = Result<T, ArchiveError>>,
    {
        let begun = Instant::now();
        let result = call.await;
        self.calls.push(begun.elapsed());
        result
    }
}

/// The second round: a call is on its way when it is made, so a queue of calls keeps as many in flight.
async fn rate(archive: &Remote<dyn Archive>, pieces: &[Piece]) -> Result<f64, ArchiveError> {
    let begun = Instant::now();
    let (mut flight, mut done) = (VecDeque::with_capacity(FLIGHT), 0_u32);
    for (path, offset) in pieces.iter().cycle().take_while(|_| begun.elapsed() < ROUND) {
        if flight.len() == FLIGHT {
            done += next(&mut flight).await?;
        }
        flight.push_back(archive.read(path, *offset, PIECE));
    }
    while !flight.is_empty() {
        done += next(&mut flight).await?;
    }
    Ok(f64::from(done) / begun.elapsed().as_secs_f64())
}

async fn next(flight: &mut VecDeque<Call<Vec<u8>, ArchiveError>>) -> Result<u32, ArchiveError> {
    match flight.pop_front() {
        Some(call) => call.await.map(|_| 1),
        None => Ok(0),
    }
}
