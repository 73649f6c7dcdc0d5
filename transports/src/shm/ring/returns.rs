//! Blocks on their way back: their borrower writes their numbers into a ring of its own segment, their lender reads them there.
//!
//! Nobody says how far the lender has read: it never lends more blocks than the ring has places, and a block comes back once
//! for each time that it was lent, so that nothing is written over before it was read.

use super::{Geometry, Ordering, Readable, Writable, broken, fence};
use std::io;

/// The borrower's end.
#[derive(Debug)]
pub(crate) struct GivenBack {
    geometry: Geometry,
    tail: u32,
}

impl GivenBack {
    /// With the borrower's own geometry.
    pub(crate) fn new(geometry: Geometry) -> Self {
        Self { geometry, tail: 0 }
    }

    /// Gives a block back, which nobody reads any more. Whoever calls this holds the lock that the end is kept under.
    pub(crate) fn push(&mut self, ours: &impl Writable, block: u32) {
        ours.store(self.geometry.return_place(self.tail), block);
        self.tail = self.tail.wrapping_add(1);
        ours.publish(self.geometry.returned, self.tail); // SYNC(return)
    }
}

/// The lender's end.
#[derive(Debug)]
pub(crate) struct TakenBack {
    geometry: Geometry,
    seen: u32,
}

impl TakenBack {
    /// With the borrower's geometry.
    pub(crate) fn new(geometry: Geometry) -> Self {
        Self { geometry, seen: 0 }
    }

    /// The next block that came back, of `lent`. What was written by its borrower is some number, to be looked up.
    ///
    /// # Errors
    /// `InvalidData` if more came back than are lent.
    pub(crate) fn next(&mut self, theirs: &impl Readable, lent: usize) -> io::Result<Option<u32>> {
        let tail = theirs.load(self.geometry.returned);
        if tail == self.seen {
            return Ok(None);
        }
        fence(Ordering::Acquire); // SYNC(return)
        if tail.wrapping_sub(self.seen) as usize > lent {
            return Err(broken("it gives back more blocks than it was lent"));
        }
        let block = theirs.load(self.geometry.return_place(self.seen));
        self.seen = self.seen.wrapping_add(1);
        Ok(Some(block))
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::shm::ring::heap::Heap;

    #[test]
    fn what_is_given_back_is_taken_back_once_and_in_order() {
        let geometry = Geometry::small(2, 2);
        let borrower = Heap::new(&geometry);
        let (mut given, mut taken) = (GivenBack::new(geometry), TakenBack::new(geometry));
        for number in (0..100_u32).step_by(3) {
            (number..number + 3).for_each(|block| given.push(&borrower, block));
            for block in number..number + 3 {
                assert_eq!(taken.next(&borrower, 3).expect("honest"), Some(block));
            }
            assert_eq!(taken.next(&borrower, 0).expect("honest"), None);
        }
    }

    #[test]
    fn more_than_was_lent_is_refused() {
        let geometry = Geometry::small(2, 2);
        let borrower = Heap::new(&geometry);
        for (tail, lent, refused) in
            [(1, 0, true), (3, 2, true), (2, 2, false), (u32::MAX, 4, true)]
        {
            borrower.store(geometry.returned, tail);
            let next = TakenBack::new(geometry).next(&borrower, lent);
            assert_eq!(next.is_err(), refused, "{tail} of {lent}");
        }
    }
}
