//! The receiving end of a ring: finds records, checks them, and says how far it is.

use super::{
    Geometry, Ordering, Readable, Writable, broken, fence,
    record::{
        BESIDE, DESCRIPTOR, HEADER, INLINE, LENGTH, MOST_BESIDE, PLACE, REST, WRAP, committed,
        granules,
    },
};
use std::io;

/// Reads the ring of the other segment and writes its head into its own.
///
/// The other side may write anything at any time. Each word of a header is read once; the copy is held against what is
/// known privately, and only the copy is used.
#[derive(Debug)]
pub(crate) struct Consumer<W, R> {
    ours: W,
    theirs: R,
    geometry: Geometry,
    head: u32,
    /// What the producer was last told.
    told: u32,
}

/// A record that is there and keeps the rules.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Found {
    /// Bytes of the record.
    pub(crate) length: usize,
    /// Bytes of the same frame in later records.
    pub(crate) rest: usize,
    /// Descriptors.
    pub(crate) beside: usize,
}

impl Found {
    /// Bytes behind the header.
    fn bytes(self) -> usize {
        self.beside * DESCRIPTOR + self.length
    }
}

impl<W: Writable, R: Readable> Consumer<W, R> {
    pub(crate) fn new(ours: W, theirs: R, geometry: Geometry) -> Self {
        Self { ours, theirs, geometry, head: 0, told: 0 }
    }

    /// As if so many granules had gone through already.
    #[cfg(any(test, loom, feature = "fuzzing"))]
    pub(crate) fn at(self, position: u32) -> Self {
        Self { head: position, told: position, ..self }
    }

    /// The next record, if there is one.
    ///
    /// # Errors
    /// `InvalidData` if it breaks the rules.
    pub(crate) fn find(&mut self) -> io::Result<Option<Found>> {
        if self.theirs.load(self.geometry.offset(self.head)) == 0 {
            return Ok(None);
        }
        self.find_committed()
    }

    /// Where the first word of the next record will be.
    pub(crate) fn next(&self) -> usize {
        self.geometry.offset(self.head)
    }

    /// Appends the bytes of the record that was found to `bytes`, and goes on to the next one. True if the producer was
    /// told that there is room.
    pub(crate) fn take(&mut self, found: Found, bytes: &mut Vec<u8>) -> bool {
        let offset = self.geometry.offset(self.head) + HEADER + found.beside * DESCRIPTOR;
        self.theirs.read(offset, found.length, bytes);
        self.head = self.head.wrapping_add(granules(found.bytes()));
        self.head.wrapping_sub(self.told) >= self.geometry.credit() && self.tell()
    }

    /// A descriptor of the record that was found: which block, and how long it is. Each is to be read once.
    pub(crate) fn descriptor(&self, number: usize) -> (u32, u32) {
        let offset = self.geometry.offset(self.head) + HEADER + number * DESCRIPTOR;
        (self.theirs.load(offset), self.theirs.load(offset + 4))
    }

    /// Lets a producer that looks see how far this end is. One that sleeps is [told](Self::tell) later.
    pub(crate) fn show(&self) {
        self.ours.publish(self.geometry.head, self.head); // SYNC(head)
    }

    /// Tells the producer how far this end is. False if it knows.
    pub(crate) fn tell(&mut self) -> bool {
        if self.told == self.head {
            return false;
        }
        self.told = self.head;
        self.ours.publish(self.geometry.head, self.head); // SYNC(head)
        true
    }

    fn find_committed(&mut self) -> io::Result<Option<Found>> {
        // A wrap leads to the first granule, where there can be no other.
        for _ in 0..2 {
            let offset = self.geometry.offset(self.head);
            let commit = self.theirs.load(offset);
            if commit == 0 {
                return Ok(None);
            }
            fence(Ordering::Acquire); // SYNC(commit)
            if commit != committed(self.head) {
                return Err(broken("a record is not where it says"));
            }
            let length = self.theirs.load(offset + LENGTH) as usize;
            let place = self.theirs.load(offset + PLACE);
            let rest = self.theirs.load(offset + REST) as usize;
            let index = self.geometry.index(self.head);
            let beside = (place / BESIDE) as usize;
            match place % BESIDE {
                INLINE => return self.check(index, Found { length, rest, beside }).map(Some),
                WRAP if index > 0 && length == 0 && rest == 0 && beside == 0 => {
                    self.head = self.head.wrapping_add(self.geometry.granules - index);
                }
                WRAP => return Err(broken("it skips a ring that it has not used")),
                _ => return Err(broken("a record is of an unknown kind")),
            }
        }
        Ok(None)
    }

    fn check(&self, index: u32, found: Found) -> io::Result<Found> {
        if found.beside > MOST_BESIDE {
            return Err(broken("a record has too many descriptors"));
        }
        let most = self.geometry.record;
        if found.length == 0 || found.length > most || found.bytes() > most {
            return Err(broken("a record has an impossible length"));
        }
        if index + granules(found.bytes()) > self.geometry.granules {
            return Err(broken("a record goes beyond the ring"));
        }
        Ok(found)
    }
}
