//! Where things are in a segment.
//!
//! ```text
//! 0x0000  nothing yet
//! 0x0400  park     two words: odd while a task (a thread) of the segment's owner sleeps until something arrives
//! 0x0480  head     granules that the owner has consumed of the other ring
//! 0x0500  space    two words: odd while a task (a thread) of the owner sleeps until the other has consumed
//! 0x0580  returned: blocks of the other segment that the owner has given back
//! 0x1000  the numbers of the blocks that were given back, 1024 of four bytes each
//! 0x2000  the ring: 2^n granules of 64 bytes
//!         the arena: pages of 4 KiB, of which blocks are made
//! ```
//!
//! What is written together is alone on two cache lines; all of it is written by the segment's owner only.

/// Bytes of a granule: records begin on one, and a cache line is one.
pub(crate) const GRANULE: usize = 64;

/// The offsets and sizes of a segment. Held privately by each side; never read from the segment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Geometry {
    pub(super) park: usize,
    pub(super) head: usize,
    pub(super) space: usize,
    pub(super) returned: usize,
    pub(super) returns: usize,
    /// Blocks that can be on their way back, a power of two.
    pub(super) lends: u32,
    pub(super) ring: usize,
    /// Granules of the ring, a power of two.
    pub(super) granules: u32,
    /// Granules that have memory from the beginning.
    pub(super) first: u32,
    /// Where a ring of which everything is consumed begins anew: what is little used stays small, and in the cache.
    pub(super) soft: u32,
    /// Bytes that follow one header at most.
    pub(super) record: usize,
    /// Bytes of the arena, which follows the ring.
    pub(super) arena: usize,
}

impl Geometry {
    /// Bytes at the beginning of a segment that have memory from the first moment.
    pub(crate) const FIRST: usize = 64 << 10;
    /// Bytes of the rings that are accepted.
    const RINGS: std::ops::RangeInclusive<usize> = (256 << 10)..=(1 << 20);
    /// The largest arena that is accepted.
    pub(crate) const LARGEST_ARENA: usize = 1 << 30;
    /// What the size of an arena is a multiple of.
    const STEP: usize = 1 << 20;
    const RETURNS: usize = 0x1000;
    const RING: usize = 0x2000;

    /// A segment whose ring has `bytes`, and with an arena of `arena`, if those are sizes that they have.
    pub(crate) fn new(bytes: usize, arena: usize) -> Option<Self> {
        let may_be = arena.is_multiple_of(Self::STEP) && arena <= Self::LARGEST_ARENA;
        if !bytes.is_power_of_two() || !Self::RINGS.contains(&bytes) || !may_be {
            return None;
        }
        Some(Self {
            park: 0x400,
            head: 0x480,
            space: 0x500,
            returned: 0x580,
            returns: Self::RETURNS,
            lends: 1024,
            ring: Self::RING,
            granules: u32::try_from(bytes / GRANULE).ok()?,
            first: u32::try_from((Self::FIRST - Self::RING) / GRANULE).ok()?,
            soft: 256,
            record: (32 << 10) - super::HEADER,
            arena,
        })
    }

    /// A small one, for tests and models.
    #[cfg(any(test, loom, feature = "fuzzing"))]
    pub(crate) fn small(granules: u32, soft: u32) -> Self {
        let record = (granules as usize / 2) * GRANULE - super::HEADER;
        Self {
            park: 0,
            head: 8,
            space: 16,
            returned: 24,
            returns: 32,
            lends: 4,
            ring: 64,
            granules,
            first: granules,
            soft,
            record,
            arena: 0,
        }
    }

    /// Bytes of the whole segment.
    pub(crate) fn length(&self) -> usize {
        self.arena_start() + self.arena
    }

    /// Where the arena begins.
    pub(crate) fn arena_start(&self) -> usize {
        self.end_of(self.granules)
    }

    /// Bytes of the arena.
    pub(crate) fn arena_bytes(&self) -> usize {
        self.arena
    }

    /// Blocks of the other segment that the owner can have borrowed at a time.
    pub(crate) fn lends(&self) -> usize {
        self.lends as usize
    }

    /// Where the number of a block is that was given back, by how many were before it, which counts on for ever.
    pub(super) fn return_place(&self, number: u32) -> usize {
        self.returns + (number & (self.lends - 1)) as usize * 4
    }

    /// Where the first word of the first record will be.
    pub(crate) fn start(&self) -> usize {
        self.ring
    }

    /// Bytes of the ring.
    pub(crate) fn ring_bytes(&self) -> usize {
        self.granules as usize * GRANULE
    }

    /// Bytes that follow one header at most.
    pub(crate) fn record(&self) -> usize {
        self.record
    }

    /// Bytes from the segment's beginning to the end of the first `granules`.
    pub(super) fn end_of(&self, granules: u32) -> usize {
        self.ring + granules as usize * GRANULE
    }

    /// The granule of a position, which counts on for ever.
    pub(super) fn index(&self, position: u32) -> u32 {
        position & (self.granules - 1)
    }

    /// Where the granule of a position begins.
    pub(super) fn offset(&self, position: u32) -> usize {
        self.end_of(self.index(position))
    }

    /// Granules that a consumer may keep to itself before it says that they are free.
    pub(super) fn credit(&self) -> u32 {
        self.granules / 8
    }
}
