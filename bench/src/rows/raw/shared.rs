//! Memory that two processes share, as cache lines of words. The one file of this workspace that may
//! be `unsafe`; whoever uses it reads and writes whole words, atomically.
#![expect(unsafe_code, reason = "what is mapped has no owner that Rust knows")]

use std::fs::File;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::path::{Path, PathBuf};
use std::ptr::{self, NonNull};
use std::sync::atomic::AtomicU64;

use anyhow::{Context, Result, ensure};
use rustix::fs::{MemfdFlags, fstat, ftruncate, memfd_create};
use rustix::mm::{MapFlags, ProtFlags, mmap};

/// A cache line: eight words.
#[repr(C, align(64))]
pub struct Line(pub [AtomicU64; 8]);

/// Makes `count` lines of zeros, for as long as this process lives, and says where another process
/// finds them. Nothing is left of them when both have ended.
pub fn create(count: usize) -> Result<(&'static [Line], PathBuf)> {
    let memory = memfd_create("farcall-bench", MemfdFlags::CLOEXEC)?;
    ftruncate(&memory, (count * size_of::<Line>()) as u64)?;
    let lines = map(memory.as_fd(), count)?;
    let place = format!("/proc/{}/fd/{}", std::process::id(), memory.as_raw_fd());
    // The place is good as long as the descriptor is open.
    std::mem::forget(memory);
    Ok((lines, PathBuf::from(place)))
}

/// The `count` lines that another process has made.
pub fn open(place: &Path, count: usize) -> Result<&'static [Line]> {
    let memory = File::options().read(true).write(true).open(place)?;
    map(memory.as_fd(), count)
}

fn map(memory: BorrowedFd<'_>, count: usize) -> Result<&'static [Line]> {
    let length = count * size_of::<Line>();
    ensure!(fstat(memory)?.st_size.unsigned_abs() >= length as u64, "the memory is too short");
    let protection = ProtFlags::READ | ProtFlags::WRITE;
    // SAFETY: a fresh mapping at an address of the kernel's choice touches nothing that exists.
    let start = unsafe { mmap(ptr::null_mut(), length, protection, MapFlags::SHARED, memory, 0) }?;
    let start = NonNull::new(start.cast::<Line>()).context("mapped at nothing")?;
    // SAFETY: the mapping has this length, begins on a page, is never unmapped, and the file is never
    // cut; any bytes are a line; both processes access it by nothing but atomics.
    Ok(unsafe { NonNull::slice_from_raw_parts(start, count).as_ref() })
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering::Relaxed;

    use super::*;

    #[test]
    fn two_mappings_are_the_same_memory() {
        let (near, place) = create(3).expect("memory");
        let far = open(&place, 3).expect("the same memory");
        near[2].0[7].store(5, Relaxed);
        assert_eq!(far[2].0[7].load(Relaxed), 5);
        assert!(open(&place, 4).is_err(), "more than there is");
    }
}
