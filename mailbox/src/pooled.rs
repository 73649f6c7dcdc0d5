//! Bytes of large letters, in memory that is used again when nobody has them any more: the first touch of a fresh page takes longer than a
//! copy.

use bytes::Bytes;
use farcall_core::{buffer::Buffer, payload::Payload};

/// What a payload has. Out of memory of a transport it is copied: that is soon wanted for others, and somebody may write it.
pub(crate) fn of_payload(payload: Payload) -> Bytes {
    let Some(block) = payload.block() else { return Bytes::from_owner(Heap(payload)) };
    let mut buffer = Buffer::with_capacity(block.length());
    block.append_to(buffer.writer());
    Bytes::from_owner(buffer)
}

/// A payload on the heap.
struct Heap(Payload);

impl AsRef<[u8]> for Heap {
    fn as_ref(&self) -> &[u8] {
        self.0.try_as_slice().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_of_letters_is_used_again() {
        // No other test has one of that size.
        const SIZE: usize = 7 << 20;
        let mut buffer = Buffer::with_capacity(SIZE);
        buffer.resize(SIZE);
        let bytes = Bytes::from_owner(buffer);
        let part = bytes.slice(3..7);
        drop(bytes);
        assert_eq!(&*part, [0; 4]);
        assert!(Buffer::pooled(SIZE).is_none());
        drop(part);
        assert!(Buffer::pooled(SIZE).is_some());
    }
}
