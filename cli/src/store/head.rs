//! The head of a file, which redb protects less than the rest: its geometry, and which of the two commits it knows is the newest one.
//!
//! redb writes a commit beside the one before, and then turns a bit. Where the other commit is the newer one and whole, either the host
//! was killed before it turned the bit, and nobody has been told of that commit; or the bit has been turned since, and somebody has. Both
//! times the newer one is right. Where it is not whole, it was never finished.

use redb::{Builder, Database, StorageBackend, backends::FileBackend};
use std::{
    fs::{File, OpenOptions},
    io::{self, Read},
    ops::Range,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
};
use twox_hash::XxHash3_128;

/// Where the geometry is, but for what grows with the file.
const FIXED: Range<usize> = 10..24;
/// The most that it says: bytes of a page, pages of a region's head, and of a region. More would be taken up in memory.
const MOST: [u32; 3] = [4096, 1 << 12, 1 << 21];
/// Bytes of a file's head: what it is, and both commits.
const HEAD: usize = 320;
/// The byte with the bit, which is its lowest.
const WHICH: usize = 9;
/// Where the commits are, in the order of the bit: each with its number, and at its end a checksum of what is before.
const COMMITS: [Range<usize>; 2] = [64..192, 192..320];
/// Where the number is in a commit.
const NUMBER: Range<usize> = 104..112;
/// Where the checksum is.
const CHECKSUM: Range<usize> = 112..128;

/// Opens a file that is there, with its newest commit that is whole.
pub(super) fn open(builder: &Builder, path: &Path) -> Result<Database, redb::Error> {
    let backend = locked(path)?;
    if !is_other_newer(&backend)? {
        return Ok(builder.create_with_backend(backend)?);
    }
    turn(&backend)?;
    let whole = catch_unwind(AssertUnwindSafe(|| {
        let mut database = builder.create_with_backend(backend)?;
        database.check_integrity()?;
        Ok::<_, redb::Error>(database)
    }));
    match whole {
        Ok(Ok(database)) => Ok(database),
        Ok(Err(redb::Error::Io(error))) => Err(error.into()),
        _ => {
            let backend = locked(path)?;
            turn(&backend)?;
            Ok(builder.create_with_backend(backend)?)
        }
    }
}

/// What the head of a file says, and always says.
pub(super) fn fixed(path: &Path) -> io::Result<[u8; FIXED.end - FIXED.start]> {
    let mut head = [0; FIXED.end];
    File::open(path)?.read_exact(&mut head)?;
    let mut fixed = [0; FIXED.end - FIXED.start];
    fixed.copy_from_slice(&head[FIXED]);
    Ok(fixed)
}

/// A file that no other process has.
fn locked(path: &Path) -> Result<FileBackend, redb::Error> {
    let file: File = OpenOptions::new().read(true).write(true).open(path)?;
    let backend = FileBackend::new(file)?;
    // It would be taken for a new one.
    if backend.len()? < HEAD as u64 {
        return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
    }
    let geometry = backend.read(12, 12)?;
    let numbers = geometry.chunks_exact(4).map(|of| of.try_into().map_or(0, u32::from_le_bytes));
    if numbers.zip(MOST).any(|(number, most)| number > most) {
        return Err(redb::Error::Corrupted("its head says impossible sizes".to_owned()));
    }
    Ok(backend)
}

/// Whether the other commit is the newer one. If one of them is damaged, that is for redb to say.
fn is_other_newer(backend: &FileBackend) -> io::Result<bool> {
    let head = backend.read(0, HEAD)?;
    let numbers = COMMITS.map(|at| number(&head[at]));
    let which = usize::from(head[WHICH] & 1);
    Ok(match (numbers[which], numbers[which ^ 1]) {
        (Some(number), Some(other)) => other > number,
        _ => false,
    })
}

/// The number of a commit that is whole.
fn number(commit: &[u8]) -> Option<u64> {
    let checksum = commit[CHECKSUM].try_into().map(u128::from_le_bytes).ok()?;
    let is_whole = XxHash3_128::oneshot(&commit[..CHECKSUM.start]) == checksum;
    is_whole.then(|| commit[NUMBER].try_into().map(u64::from_le_bytes).ok())?
}

fn turn(backend: &FileBackend) -> io::Result<()> {
    let byte = backend.read(WHICH as u64, 1)?;
    backend.write(WHICH as u64, &[byte[0] ^ 1])?;
    backend.sync_data(false)
}
