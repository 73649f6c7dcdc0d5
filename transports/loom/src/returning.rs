//! Giving blocks back against using them again: what is read by its borrower is not written over, and no number is lost.

use crate::{
    ring::{Geometry, GivenBack, Readable, TakenBack, Writable, heap::Heap},
    wire::explore,
};
use loom::{cell::UnsafeCell, thread};
use std::sync::Arc;

/// A segment in which what should be published is only stored.
struct Unpublished(Heap);

impl Readable for Unpublished {
    fn load(&self, offset: usize) -> u32 {
        self.0.load(offset)
    }

    fn read(&self, offset: usize, length: usize, bytes: &mut Vec<u8>) {
        self.0.read(offset, length, bytes);
    }
}

impl Writable for Unpublished {
    fn store(&self, offset: usize, value: u32) {
        self.0.store(offset, value);
    }

    fn publish(&self, offset: usize, value: u32) {
        self.0.store(offset, value);
    }

    fn write(&self, offset: usize, bytes: &[u8]) {
        self.0.write(offset, bytes);
    }

    fn commit(&self, length: usize) -> bool {
        self.0.commit(length)
    }
}

/// Two blocks that are lent. Their borrower reads each and gives it back; their lender writes what has come back.
fn a_return<W: Writable + Send + 'static>(of: fn(Heap) -> W) {
    explore(move || {
        let geometry = Geometry::small(2, 2);
        let borrower = Heap::new(&geometry);
        let blocks = Arc::new([UnsafeCell::new(0), UnsafeCell::new(0)]);
        let reader = thread::spawn({
            let (segment, blocks) = (of(borrower.clone()), Arc::clone(&blocks));
            move || {
                let mut given = GivenBack::new(geometry);
                for number in [1, 0] {
                    blocks[number].with(|_| ());
                    given.push(&segment, number as u32);
                }
            }
        });
        let mut taken = TakenBack::new(geometry);
        let mut lent = vec![1, 0];
        let mut look = || {
            while let Some(number) = taken.next(&borrower, lent.len()).unwrap() {
                assert_eq!(number, lent.remove(0), "another block");
                blocks[number as usize].with_mut(|_| ());
            }
        };
        look();
        reader.join().unwrap();
        look();
        assert!(lent.is_empty(), "lost");
    });
}

#[test]
fn a_block_that_came_back_is_not_read_any_more() {
    a_return(|segment| segment);
}

#[test]
#[should_panic(expected = "another block")]
fn a_return_that_is_not_published() {
    a_return(Unpublished);
}
