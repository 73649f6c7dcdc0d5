//! A segment on the heap, of atomic words only: for tests, for Miri and for loom.

use super::{Geometry, Ordering, Readable, Writable, sync::AtomicU32};
use std::sync::Arc;

/// Both sides hold the same one.
#[derive(Clone, Debug)]
pub(crate) struct Heap(Arc<Vec<AtomicU32>>);

impl Heap {
    pub(crate) fn new(geometry: &Geometry) -> Self {
        Self(Arc::new((0..geometry.length() / 4).map(|_| AtomicU32::new(0)).collect()))
    }

    fn word(&self, offset: usize) -> &AtomicU32 {
        assert_eq!(offset % 4, 0, "words are aligned");
        &self.0[offset / 4]
    }
}

impl Readable for Heap {
    fn load(&self, offset: usize) -> u32 {
        self.word(offset).load(Ordering::Relaxed)
    }

    fn read(&self, offset: usize, length: usize, bytes: &mut Vec<u8>) {
        let mut word = (usize::MAX, [0; 4]);
        for at in offset..offset + length {
            if word.0 != at / 4 {
                word = (at / 4, self.load(at / 4 * 4).to_le_bytes());
            }
            bytes.push(word.1[at % 4]);
        }
    }
}

impl Writable for Heap {
    fn store(&self, offset: usize, value: u32) {
        self.word(offset).store(value, Ordering::Relaxed);
    }

    fn publish(&self, offset: usize, value: u32) {
        self.word(offset).store(value, Ordering::Release);
    }

    fn write(&self, offset: usize, bytes: &[u8]) {
        let end = offset + bytes.len();
        for word in offset / 4..end.div_ceil(4) {
            let (from, to) = (offset.max(word * 4), end.min(word * 4 + 4));
            let mut value = [0; 4];
            if to - from < 4 {
                value = self.load(word * 4).to_le_bytes();
            }
            value[from - word * 4..to - word * 4]
                .copy_from_slice(&bytes[from - offset..to - offset]);
            self.store(word * 4, u32::from_le_bytes(value));
        }
    }

    fn commit(&self, length: usize) -> bool {
        length <= self.0.len() * 4
    }
}
