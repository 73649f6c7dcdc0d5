//! Mapped segments: the memory of a ring, shared with another process. One of the files that may be `unsafe`.
//!
//! No reference is ever made to bytes that the peer can write, but where the program vouches for it. Words are loaded and stored by atomic accesses; bytes are copied through raw
//! pointers between the mapping and private memory, so that whatever the other process does meanwhile, the copy is some
//! bytes, which are checked afterwards.
#![expect(unsafe_code, reason = "what is mapped has no owner that Rust knows")]

use super::{
    forked::Origin,
    ring::{Readable, Writable},
};
use rustix::{
    fs::{FallocateFlags, fallocate},
    mm::{Advice, MapFlags, ProtFlags, madvise, mmap, mmap_anonymous, munmap},
};
use std::{
    fmt, io,
    os::fd::OwnedFd,
    ptr::{self, NonNull},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering, compiler_fence},
    },
};

/// Bytes before and after a mapping that nobody can touch, so that what goes beyond it is a fault: of any page that there is.
const GUARD: usize = 64 << 10;

/// A mapping between two guards, until its last user is gone.
struct Region {
    start: NonNull<u8>,
    length: usize,
    origin: Origin,
    /// The memory itself, where this process owns it: for giving more of it to the segment.
    memory: Option<OwnedFd>,
}

// SAFETY: the mapping belongs to the process and not to a thread, and is accessed as `Region` says.
unsafe impl Send for Region {}
// SAFETY: as above; the accesses are atomic, or copies that may race with the other process anyway.
unsafe impl Sync for Region {}

impl Region {
    fn map(
        memory: OwnedFd,
        length: usize,
        protection: ProtFlags,
        origin: Origin,
    ) -> io::Result<Self> {
        let (nothing, flags) = (ProtFlags::empty(), MapFlags::PRIVATE | MapFlags::NORESERVE);
        // SAFETY: a fresh mapping at an address of the kernel's choice touches nothing that exists.
        let guards = unsafe { mmap_anonymous(ptr::null_mut(), guarded(length), nothing, flags) }?;
        let start = NonNull::new(guards.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        // SAFETY: the first guard is that long.
        let start = unsafe { start.add(GUARD) };
        let mut region = Self { start, length, origin, memory: None };
        let flags = MapFlags::SHARED | MapFlags::FIXED;
        // SAFETY: the range is between the guards of what was just mapped, where nothing else is.
        unsafe { mmap(start.as_ptr().cast(), length, protection, flags, &memory, 0) }?;
        region.memory = Some(memory);
        // SAFETY: the range is what was just mapped; that it is not inherited changes nothing in this process.
        unsafe { madvise(guards, guarded(length), Advice::LinuxDontFork) }?;
        Ok(region)
    }

    /// Where `length` bytes from `offset` on are.
    fn at(&self, offset: usize, length: usize) -> *mut u8 {
        assert!(
            offset <= self.length && length <= self.length - offset,
            "offsets were checked against the geometry"
        );
        // SAFETY: the offset is within the mapping, as was just checked.
        unsafe { self.start.as_ptr().add(offset) }
    }

    fn word(&self, offset: usize) -> &AtomicU32 {
        assert!(offset.is_multiple_of(4), "words are aligned");
        let word = self.at(offset, 4).cast::<AtomicU32>();
        // SAFETY: four aligned bytes of a mapping that lives as long as `self`. On a read-only one only relaxed loads are
        // made, which are allowed there.
        unsafe { &*word }
    }

    fn copy_to(&self, offset: usize, bytes: &mut [u8]) {
        let from = self.at(offset, bytes.len());
        // SAFETY: both ranges have that length, one in the mapping and one in private memory: they do not overlap.
        unsafe { copy(from, bytes.as_mut_ptr(), bytes.len()) };
    }

    fn read(&self, offset: usize, length: usize, bytes: &mut Vec<u8>) {
        let from = self.at(offset, length);
        bytes.reserve(length);
        let to = bytes.spare_capacity_mut().as_mut_ptr().cast::<u8>();
        // SAFETY: both ranges have `length` bytes, one in the mapping and one in private memory: they do not overlap.
        unsafe { copy(from, to, length) };
        // SAFETY: so many bytes were reserved and have just been written.
        unsafe { bytes.set_len(bytes.len() + length) };
    }
}

impl Drop for Region {
    fn drop(&mut self) {
        // A forked child does not have the mapping, and may have something else there.
        if self.origin.is_here() {
            let guards = self.start.as_ptr().wrapping_sub(GUARD);
            // SAFETY: the range is this region's own mapping, and nobody has a pointer into it any more.
            let unmapped = unsafe { munmap(guards.cast(), guarded(self.length)) };
            debug_assert!(unmapped.is_ok(), "{unmapped:?}");
        }
    }
}

impl fmt::Debug for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Region").field("length", &self.length).finish_non_exhaustive()
    }
}

/// Bytes of a mapping with its guards.
fn guarded(length: usize) -> usize {
    length.next_multiple_of(GUARD) + 2 * GUARD
}

/// Copies between a mapping and private memory, line by line.
///
/// The C library copies what is larger than a line or two by `rep movs`, which on some processors takes three times as
/// long for lines that are in another core's cache. The fence keeps the compiler from calling it after all.
///
/// # Safety
/// Both ranges have `length` bytes, and do not overlap.
#[inline]
unsafe fn copy(from: *const u8, to: *mut u8, length: usize) {
    type Line = [u64; 8];
    let lines = length / size_of::<Line>();
    for line in 0..lines {
        let (from, to) = (from.cast::<Line>(), to.cast::<Line>());
        // SAFETY: so many lines have room in both ranges, as in what follows.
        let from = unsafe { from.add(line) };
        // SAFETY: as above.
        let to = unsafe { to.add(line) };
        // SAFETY: as above. Whatever the other process writes meanwhile, these are some bytes.
        let bytes = unsafe { from.read_unaligned() };
        // SAFETY: as above.
        unsafe { to.write_unaligned(bytes) };
        compiler_fence(Ordering::SeqCst);
    }
    let done = lines * size_of::<Line>();
    // SAFETY: `done` is not beyond `length`.
    let from = unsafe { from.add(done) };
    // SAFETY: as above.
    let to = unsafe { to.add(done) };
    // SAFETY: what is left of both ranges.
    unsafe { ptr::copy_nonoverlapping(from, to, length - done) };
}

/// The segment that this process writes.
#[derive(Clone, Debug)]
pub(super) struct Ours(Arc<Region>);

impl Ours {
    /// Maps memory that was just made and not sealed yet.
    pub(super) fn map(memory: OwnedFd, length: usize, origin: Origin) -> io::Result<Self> {
        let protection = ProtFlags::READ | ProtFlags::WRITE;
        Region::map(memory, length, protection, origin).map(|region| Self(Arc::new(region)))
    }

    /// Sees to it that these bytes have memory behind them, by a system call. False if there is none.
    pub(super) fn commit_part(&self, offset: usize, length: usize) -> bool {
        let Some(memory) = &self.0.memory else { return false };
        fallocate(memory, FallocateFlags::empty(), offset as u64, length as u64).is_ok()
    }

    /// The memory, to be handed to the peer.
    pub(super) fn memory(&self) -> Option<&OwnedFd> {
        self.0.memory.as_ref()
    }
}

impl Readable for Ours {
    fn load(&self, offset: usize) -> u32 {
        self.0.word(offset).load(Ordering::Relaxed)
    }

    fn read(&self, offset: usize, length: usize, bytes: &mut Vec<u8>) {
        self.0.read(offset, length, bytes);
    }
}

impl Writable for Ours {
    fn store(&self, offset: usize, value: u32) {
        self.0.word(offset).store(value, Ordering::Relaxed);
    }

    fn publish(&self, offset: usize, value: u32) {
        self.0.word(offset).store(value, Ordering::Release);
    }

    fn write(&self, offset: usize, bytes: &[u8]) {
        let to = self.0.at(offset, bytes.len());
        // SAFETY: both ranges have that length, one in the mapping and one in private memory: they do not overlap.
        unsafe { copy(bytes.as_ptr(), to, bytes.len()) };
    }

    fn commit(&self, length: usize) -> bool {
        let Some(memory) = &self.0.memory else { return false };
        fallocate(memory, FallocateFlags::empty(), 0, length as u64).is_ok()
    }
}

/// The segment that the peer writes, mapped read-only.
#[derive(Clone, Debug)]
pub(super) struct Theirs(Arc<Region>);

impl Theirs {
    /// Maps memory whose seals and size were verified.
    pub(super) fn map(memory: OwnedFd, length: usize, origin: Origin) -> io::Result<Self> {
        let mut region = Region::map(memory, length, ProtFlags::READ, origin)?;
        region.memory = None;
        Ok(Self(Arc::new(region)))
    }
}

impl Readable for Theirs {
    fn load(&self, offset: usize) -> u32 {
        self.0.word(offset).load(Ordering::Relaxed)
    }

    fn read(&self, offset: usize, length: usize, bytes: &mut Vec<u8>) {
        self.0.read(offset, length, bytes);
    }
}

impl Theirs {
    /// Copies bytes out, whatever the peer writes meanwhile.
    pub(super) fn copy_to(&self, offset: usize, bytes: &mut [u8]) {
        self.0.copy_to(offset, bytes);
    }

    /// The bytes themselves.
    ///
    /// # Safety
    /// The peer does not write them while the slice is there.
    pub(super) unsafe fn slice(&self, offset: usize, length: usize) -> &[u8] {
        let start = self.0.at(offset, length);
        // SAFETY: the range is in the mapping, which lives as long as `self`; nobody writes it, as the caller promises.
        unsafe { std::slice::from_raw_parts(start, length) }
    }

    /// Whether the mapping is there: it is not in a fork.
    pub(super) fn is_here(&self) -> bool {
        self.0.origin.is_here()
    }
}

/// Bytes of this process's own segment that one owner has to itself: the peer can only read them.
#[derive(Debug)]
pub(super) struct Part {
    segment: Ours,
    offset: usize,
    length: usize,
}

impl Part {
    /// # Safety
    /// While it is there, nobody makes another one of the same bytes, or writes them otherwise.
    pub(super) unsafe fn new(segment: &Ours, offset: usize, length: usize) -> Self {
        let _ = segment.0.at(offset, length);
        Self { segment: segment.clone(), offset, length }
    }

    pub(super) fn length(&self) -> usize {
        self.length
    }

    /// Keeps the first `length` bytes.
    pub(super) fn truncate(&mut self, length: usize) {
        self.length = self.length.min(length);
    }

    /// Whether the mapping is there: it is not in a fork.
    pub(super) fn is_here(&self) -> bool {
        self.segment.0.origin.is_here()
    }

    /// The bytes. `None` in a fork, which does not have the mapping.
    pub(super) fn bytes(&self) -> Option<&[u8]> {
        let region = &self.segment.0;
        let start = region.origin.is_here().then(|| region.at(self.offset, self.length))?;
        // SAFETY: the range is in the mapping, which lives as long as `self`; only through a unique `self` is it written.
        Some(unsafe { std::slice::from_raw_parts(start, self.length) })
    }

    /// The bytes, to be written. `None` in a fork.
    pub(super) fn bytes_mut(&mut self) -> Option<&mut [u8]> {
        let region = &self.segment.0;
        let start = region.origin.is_here().then(|| region.at(self.offset, self.length))?;
        // SAFETY: the range is in the mapping, which lives as long as `self`, and nobody else has it; the peer can only read.
        Some(unsafe { std::slice::from_raw_parts_mut(start, self.length) })
    }
}
