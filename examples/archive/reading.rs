//! A whole archive read through calls: what it comes to, and how long the calls took.

use crate::{
    archive::{Archive, ArchiveError, Document, Kind},
    audience::Audience,
    total::Total,
};
use farcall::{Call, Remote};
use std::{
    collections::VecDeque,
    process,
    time::{Duration, Instant},
};

/// Bytes asked for by a call.
pub const PIECE: u32 = 64 << 10;
/// Calls in flight at a time, in the second round.
const FLIGHT: usize = 64;
/// Pieces that the second round reads, again and again. Each holds a document open.
const PIECES: usize = 1024;
/// How long the second round goes on.
const ROUND: Duration = Duration::from_millis(200);

/// A whole archive, read through calls.
pub struct Reading {
    pub total: Total,
    /// How long each call of the first round took, shortest first.
    pub calls: Vec<Duration>,
    /// Calls per second in the second round.
    pub rate: f64,
    /// Every file arrived as the server's own digest of it says, every text by its lines too, and the archive told of each that it opened.
    pub equal: bool,
}

impl Reading {
    /// Reads every file, one call after the other, and then pieces of them again with many calls in flight.
    pub async fn new(archive: &Remote<dyn Archive>) -> Result<Self, ArchiveError> {
        let (watcher, audience) = Audience::new();
        archive.watch(watcher).await?;
        let mut walk = Walk {
            archive,
            salt: process::id().to_le_bytes(),
            audience,
            total: Total::default(),
            calls: Vec::new(),
            equal: true,
        };
        let pieces = walk.read_all().await?;
        let Walk { audience, total, mut calls, equal, .. } = walk;
        calls.sort_unstable();
        let equal = equal & audience.heard_all().await;
        Ok(Self { total, calls, equal, rate: rate(&pieces).await? })
    }

    /// What so many percent of the calls stay below.
    pub fn percentile(&self, percent: usize) -> Duration {
        self.calls.get(self.calls.len() * percent / 100).copied().unwrap_or_default()
    }
}

/// The first round.
struct Walk<'a> {
    archive: &'a Remote<dyn Archive>,
    /// What no digest of before was made with.
    salt: [u8; 4],
    audience: Audience,
    total: Total,
    calls: Vec<Duration>,
    equal: bool,
}

/// A document, and an offset in it.
type Piece = (Remote<dyn Document>, u64);

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
        self.audience.expect(&path);
        let document = self.timed(self.archive.open(&path)).await?;
        let mut file = Vec::new();
        loop {
            let offset = file.len() as u64;
            let bytes = self.timed(document.read(offset, PIECE)).await?;
            file.extend_from_slice(&bytes);
            if pieces.len() < PIECES {
                pieces.push((document.clone(), offset));
            }
            if bytes.len() < PIECE as usize {
                break;
            }
        }
        let salted = *blake3::Hasher::new().update(&self.salt).update(&file).finalize().as_bytes();
        self.equal &= self.timed(document.digest(&self.salt)).await? == salted;
        if let Ok(text) = str::from_utf8(&file) {
            self.read_lines(&path, text).await?;
        }
        self.total.add(&path, file.len() as u64, blake3::hash(&file));
        Ok(())
    }

    /// Asks a document for its lines, without waiting until it is open: each is one round trip.
    async fn read_lines(&mut self, path: &str, text: &str) -> Result<(), ArchiveError> {
        let mut want = text.split('\n');
        let first = self.timed(self.archive.open(path).line(1)).await?;
        self.equal &= Some(&*first) == want.next();
        let mut lines = self.timed(self.archive.open(path).lines(2, u32::MAX)).await?;
        while let Some(line) = lines.recv().await {
            self.equal &= Some(&*line?) == want.next();
        }
        self.equal &= want.next().is_none();
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
async fn rate(pieces: &[Piece]) -> Result<f64, ArchiveError> {
    let begun = Instant::now();
    let (mut flight, mut done) = (VecDeque::with_capacity(FLIGHT), 0_u32);
    for (document, offset) in pieces.iter().cycle().take_while(|_| begun.elapsed() < ROUND) {
        if flight.len() == FLIGHT {
            done += next(&mut flight).await?;
        }
        flight.push_back(document.read(*offset, PIECE));
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
