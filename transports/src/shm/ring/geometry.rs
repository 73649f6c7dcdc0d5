//! Where things are in a segment.
//!
//! ```text
//! 0x0000  nothing yet
//! 0x0400  park     two words: odd while a task (a thread) of the segment's owner sleeps until something arrives
//! 0x0480  head     granules that the owner has consumed of the other ring
//! 0x0500  space    two words: odd while a task (a thread) of the owner sleeps until the other has consumed
//! 0x0580  returned blocks, once there are any
//! 0x1000  the ring: 2^n granules of 64 bytes
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
    pub(super) ring: usize,
    /// Granules of the ring, a power of two.
    pub(super) granules: u32,
    /// Granules that have memory from the beginning.
    pub(super) first: u32,
    /// Where a ring of which everything is consumed begins anew: what is little used stays small, and in the cache.
    pub(super) soft: u32,
    /// Bytes that follow one header at most.
    pub(super) record: usize,
}

impl Geometry {
    /// Bytes at the beginning of a segment that have memory from the first moment.
    pub(crate) const FIRST: usize = 64 << 10;
    /// Bytes of the rings that are accepted.
    const RINGS: std::ops::RangeInclusive<usize> = (256 << 10)..=(1 << 20);
    const RING: usize = 0x1000;

    /// A segment whose ring has `bytes`, if that is a size that rings have.
    pub(crate) fn of_ring(bytes: usize) -> Option<Self> {
        if !bytes.is_power_of_two() || !Self::RINGS.contains(&bytes) {
            return None;
        }
        Some(Self {
            park: 0x400,
            head: 0x480,
            space: 0x500,
            ring: Self::RING,
            granules: u32::try_from(bytes / GRANULE).ok()?,
            first: u32::try_from((Self::FIRST - Self::RING) / GRANULE).ok()?,
            soft: 256,
            record: (32 << 10) - super::HEADER,
        })
    }

    /// A small one, for tests and models.
    #[cfg(any(test, loom))]
    pub(crate) fn small(granules: u32, soft: u32) -> Self {
        let record = (granules as usize / 2) * GRANULE - super::HEADER;
        Self { park: 0, head: 8, space: 16, ring: 64, granules, first: granules, soft, record }
    }

    /// Bytes of the whole segment.
    pub(crate) fn length(&self) -> usize {
        self.end_of(self.granules)
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
