//! A varint of up to eight bytes, taken apart in a register: seven bits to a byte, the lowest first, and a mark on all bytes but the last.

/// The marks of eight bytes.
const MARKS: u64 = 0x8080_8080_8080_8080;

/// The number that eight bytes begin with, and how many of them it takes. None if it does not end among them, or has a shorter encoding.
#[inline]
pub(super) fn gather(word: u64) -> Option<(u64, usize)> {
    let ends = !word & MARKS;
    // The last byte that counts, and all below it: nothing if no byte ends the number.
    let counted = word & (ends ^ ends.wrapping_sub(1));
    let last_at = ends.trailing_zeros() & 0x38;
    let length = (last_at / 8).wrapping_add(1) as usize;
    let last = counted.wrapping_shr(last_at);
    if ends == 0 || last == 0 {
        return None;
    }
    let bytes = counted & !MARKS;
    let pairs = (bytes & 0x007f_007f_007f_007f) | (bytes & 0x7f00_7f00_7f00_7f00) >> 1;
    let quarters = (pairs & 0x0000_3fff_0000_3fff) | (pairs & 0x3fff_0000_3fff_0000) >> 2;
    let value = (quarters & 0x0fff_ffff) | (quarters >> 32) << 28;
    Some((value, length))
}
