//! Segments: memory without a name that its owner writes and its peer can only read, and that cannot change its size.

use super::{
    forked::Origin,
    mapping::{Ours, Theirs},
    ring::{Geometry, Writable},
};
use rustix::{
    fs::{
        FsWord, MemfdFlags, SealFlags, fcntl_add_seals, fcntl_get_seals, fstat, fstatfs, ftruncate,
        memfd_create,
    },
    io::Errno,
    process::{Resource, getrlimit},
};
use std::{io, os::fd::OwnedFd};

/// Bytes of a ring.
const RING: usize = 512 << 10;
/// Bytes of an arena where nobody says how many. It has memory only where it is used.
pub(super) const ARENA: usize = 64 << 20;
/// What a segment is sealed against: other sizes, other writers, other seals.
const SEALS: SealFlags =
    SealFlags::SHRINK.union(SealFlags::GROW).union(SealFlags::FUTURE_WRITE).union(SealFlags::SEAL);
/// The file system that anonymous memory is of.
const TMPFS: FsWord = 0x0102_1994;

/// The geometry of a segment that this side makes, with an arena of so many bytes, if an arena can have them.
pub(super) fn geometry(arena: usize) -> Option<Geometry> {
    Geometry::new(RING, arena)
}

/// Makes a segment.
///
/// # Errors
/// Where there is no such memory, or not enough.
pub(super) fn create(geometry: &Geometry, origin: Origin) -> io::Result<Ours> {
    // A file beyond the limit on files costs the process its life, and such memory is one.
    let limit = getrlimit(Resource::Fsize).current;
    if limit.is_some_and(|limit| limit < geometry.length() as u64) {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    let memory = anonymous()?;
    ftruncate(&memory, geometry.length() as u64)?;
    let ours = Ours::map(memory, geometry.length(), origin)?;
    if !ours.commit(Geometry::FIRST) {
        return Err(io::ErrorKind::OutOfMemory.into());
    }
    if let Some(memory) = ours.memory() {
        fcntl_add_seals(memory, SEALS)?;
    }
    Ok(ours)
}

/// Maps the peer's segment, if it is what it should be.
///
/// # Errors
/// `InvalidData` if it is not.
pub(super) fn open(memory: OwnedFd, geometry: &Geometry, origin: Origin) -> io::Result<Theirs> {
    let seals = fcntl_get_seals(&memory).map_err(|_| wrong("is no sealed memory"))?;
    // Where programs in such memory are forbidden, the kernel adds a seal of its own.
    if seals.difference(SealFlags::EXEC) != SEALS {
        return Err(wrong("is not sealed as it must be"));
    }
    if fstatfs(&memory)?.f_type != TMPFS {
        return Err(wrong("is not anonymous memory"));
    }
    if u64::try_from(fstat(&memory)?.st_size) != Ok(geometry.length() as u64) {
        return Err(wrong("is not of the size that it is said to be"));
    }
    Theirs::map(memory, geometry.length(), origin)
}

fn anonymous() -> io::Result<OwnedFd> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    match memfd_create("farcall", flags | MemfdFlags::NOEXEC_SEAL) {
        // Before Linux 6.3.
        Err(Errno::INVAL) => Ok(memfd_create("farcall", flags)?),
        other => Ok(other?),
    }
}

fn wrong(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("the peer's segment {what}"))
}
