//! A record: sixteen bytes of header, descriptors of the blocks that travel beside a frame, then bytes of the frame. It begins on a granule and is in one piece.
//!
//! ```text
//! +0  commit  0: not there yet. Otherwise the position with the highest bit set; written last
//! +4  length  bytes that follow
//! +8  place   1, and 256 for each descriptor: they follow here. 2: the rest of the ring is skipped
//! +12 rest    bytes of the same frame in the records after this one
//! +16 of each descriptor: block, length
//! ```

use super::GRANULE;

/// Bytes of a header.
pub(crate) const HEADER: usize = 16;
/// Where a header's words are.
pub(super) const LENGTH: usize = 4;
pub(super) const PLACE: usize = 8;
pub(super) const REST: usize = 12;

/// The bytes follow the header.
pub(super) const INLINE: u32 = 1;
/// The next record is at the ring's beginning.
pub(super) const WRAP: u32 = 2;

/// What the first word of the record at `position` says once the record is whole.
pub(super) fn committed(position: u32) -> u32 {
    0x8000_0000 | position
}

/// Bytes of a descriptor: the number of a block, and how long it is.
pub(crate) const DESCRIPTOR: usize = 8;
/// Descriptors in a record at most.
pub(crate) const MOST_BESIDE: usize = 64;
/// What each descriptor adds to the place.
pub(super) const BESIDE: u32 = 256;

/// Granules that a record with `length` bytes takes, descriptors included.
pub(super) fn granules(length: usize) -> u32 {
    u32::try_from((HEADER + length).div_ceil(GRANULE)).unwrap_or(u32::MAX)
}
