//! The sending end of a ring: copies frames into records and publishes them.

use super::{
    GRANULE, Geometry, Ordering, Readable, Writable, broken, fence,
    record::{BESIDE, DESCRIPTOR, HEADER, INLINE, LENGTH, PLACE, REST, WRAP, committed, granules},
};
use std::io;

/// Bytes of a record's first line that the reader does not poll.
const STAGED: usize = GRANULE - LENGTH;
/// Bytes of a frame that fit into the first line of a record.
pub(crate) const SHORT: usize = GRANULE - HEADER;

/// Writes the ring of its own segment and reads the consumer's head from the other one.
///
/// A record is published in this order: the first word of the record after it becomes zero, so that no old byte there
/// looks like a commitment; the bytes beyond the first line are written; the first line, put together privately
/// because the reader polls it; and its first word, which makes it visible.
#[derive(Debug)]
pub(crate) struct Producer<W, R> {
    ours: W,
    theirs: R,
    geometry: Geometry,
    /// Where the next record begins.
    tail: u32,
    /// How far the consumer was when it was last looked.
    head: u32,
    /// Granules that have memory behind them.
    end: u32,
    /// The position from which on it is worth while to look whether the ring can begin anew.
    look: u32,
    /// There was no memory for more granules.
    exhausted: bool,
}

/// Whether a record went in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Room {
    /// It did.
    Yes,
    /// Not before the consumer has consumed more.
    Full,
    /// Not before [`Producer::grow`].
    Short,
}

impl<W: Writable, R: Readable> Producer<W, R> {
    pub(crate) fn new(ours: W, theirs: R, geometry: Geometry) -> Self {
        let (end, look) = (geometry.first, geometry.soft);
        Self { ours, theirs, geometry, tail: 0, head: 0, end, look, exhausted: false }
    }

    /// As if so many granules had gone through already.
    #[cfg(any(test, loom, feature = "fuzzing"))]
    pub(crate) fn at(self, position: u32) -> Self {
        let look = position.wrapping_add(self.look);
        Self { tail: position, head: position, look, ..self }
    }

    /// Publishes a record without descriptors.
    ///
    /// # Errors
    /// Those of [`push_with`](Self::push_with).
    #[cfg(any(test, loom))]
    pub(crate) fn push<'a>(
        &mut self,
        parts: impl Iterator<Item = &'a [u8]> + Clone,
        rest: u32,
    ) -> io::Result<Room> {
        self.push_with(0, parts, rest)
    }

    /// Publishes one record with all bytes of `parts`, of which the first are so many descriptors, at least one of the frame and at most
    /// [`Geometry::record`]. `rest` bytes of the same frame will follow in further records.
    ///
    /// # Errors
    /// `InvalidData` if the consumer lies about how far it is.
    pub(crate) fn push_with<'a>(
        &mut self,
        beside: usize,
        parts: impl Iterator<Item = &'a [u8]> + Clone,
        rest: u32,
    ) -> io::Result<Room> {
        let length = parts.clone().map(<[u8]>::len).sum::<usize>();
        debug_assert!((1..=self.geometry.record).contains(&length), "{length} bytes");
        let granules = granules(length);
        match self.reserve(granules)? {
            Room::Yes => {}
            room => return Ok(room),
        }
        let mut line = [0; STAGED];
        let of_frame = length - beside * DESCRIPTOR;
        fill(&mut line, of_frame as u32, INLINE + beside as u32 * BESIDE, rest);
        let mut filled = HEADER - LENGTH;
        let mut beyond = self.geometry.offset(self.tail) + GRANULE;
        for part in parts {
            let (near, far) = part.split_at(part.len().min(STAGED - filled));
            line[filled..filled + near.len()].copy_from_slice(near);
            filled += near.len();
            if !far.is_empty() {
                self.ours.write(beyond, far);
                beyond += far.len();
            }
        }
        self.publish(&line, granules);
        Ok(Room::Yes)
    }

    /// Publishes a frame of at most [`SHORT`] bytes, as most calls and answers are: it fits into the record's first line.
    ///
    /// # Errors
    /// Those of [`push_with`](Self::push_with).
    pub(crate) fn push_short(&mut self, parts: &[&[u8]], length: usize) -> io::Result<Room> {
        debug_assert!((1..=SHORT).contains(&length), "{length} bytes");
        match self.reserve(1)? {
            Room::Yes => {}
            room => return Ok(room),
        }
        let mut line = [0; STAGED];
        fill(&mut line, length as u32, INLINE, 0);
        let mut filled = HEADER - LENGTH;
        for part in parts {
            let end = filled + part.len();
            line[filled..end].copy_from_slice(part);
            filled = end;
        }
        self.publish(&line, 1);
        Ok(Room::Yes)
    }

    /// How many bytes a record may have that fits before the ring's end, if that is worth while.
    pub(crate) fn piece(&self) -> usize {
        let left = self.end - self.geometry.index(self.tail).min(self.end);
        let before_end = (left as usize * GRANULE).saturating_sub(GRANULE + HEADER);
        match before_end {
            _ if self.may_grow() => self.geometry.record,
            few if few < 4096 => self.geometry.record,
            some => some.min(self.geometry.record),
        }
    }

    /// Gives memory to more of the ring, after [`Room::Short`]. May make a system call.
    pub(crate) fn grow(&mut self) {
        let more = (2 * self.end.next_power_of_two()).min(self.geometry.granules);
        match self.ours.commit(self.geometry.end_of(more)) {
            true => self.end = more,
            false => self.exhausted = true,
        }
    }

    /// Whether the consumer has consumed everything that was published.
    ///
    /// # Errors
    /// Those of [`push_with`](Self::push_with).
    pub(crate) fn is_drained(&mut self) -> io::Result<bool> {
        self.look()?;
        Ok(self.head == self.tail)
    }

    /// Whether a record of `length` bytes would go in, or might after [`grow`](Self::grow).
    ///
    /// # Errors
    /// Those of [`push_with`](Self::push_with).
    pub(crate) fn has_room(&mut self, length: usize) -> io::Result<bool> {
        Ok(self.reserve(granules(length))? != Room::Full)
    }

    /// Makes room for a record at `tail` and for the first word of the one after it.
    #[inline]
    fn reserve(&mut self, granules: u32) -> io::Result<Room> {
        let index = self.geometry.index(self.tail);
        let free = self.geometry.granules - self.tail.wrapping_sub(self.head);
        if !self.wants_look(index) && index + granules < self.end && granules < free {
            return Ok(Room::Yes);
        }
        self.reserve_anew(granules)
    }

    /// It is worth while to look whether the ring can begin anew.
    fn wants_look(&self, index: u32) -> bool {
        index >= self.geometry.soft && self.tail.wrapping_sub(self.look) < u32::MAX / 2
    }

    /// The same where the ring may begin anew, end, grow or be full.
    #[cold]
    fn reserve_anew(&mut self, granules: u32) -> io::Result<Room> {
        if self.wants_look(self.geometry.index(self.tail)) {
            self.begin_anew()?;
        }
        if !self.fits(granules) {
            if self.may_grow() {
                return Ok(Room::Short);
            }
            let skipped = self.geometry.granules - self.geometry.index(self.tail);
            if !self.is_free(skipped + 1)? {
                return Ok(Room::Full);
            }
            self.wrap(skipped);
        }
        Ok(if self.is_free(granules + 1)? { Room::Yes } else { Room::Full })
    }

    /// Goes back to the ring's beginning, where the memory is warm, if everything is consumed. Otherwise looks again
    /// only after as much again was written.
    fn begin_anew(&mut self) -> io::Result<()> {
        if self.is_drained()? {
            self.wrap(self.geometry.granules - self.geometry.index(self.tail));
        }
        self.look = self.tail.wrapping_add(self.geometry.soft);
        Ok(())
    }

    /// A record of so many granules can begin here: it and the next header have memory, in one piece.
    fn fits(&self, granules: u32) -> bool {
        let end = self.geometry.index(self.tail) + granules;
        end < self.end || (end == self.end && end == self.geometry.granules)
    }

    fn may_grow(&self) -> bool {
        self.end < self.geometry.granules && !self.exhausted
    }

    fn is_free(&mut self, granules: u32) -> io::Result<bool> {
        let free = |this: &Self| this.geometry.granules - this.tail.wrapping_sub(this.head);
        if granules <= free(self) {
            return Ok(true);
        }
        self.look()?;
        Ok(granules <= free(self))
    }

    /// Looks how far the consumer is.
    fn look(&mut self) -> io::Result<()> {
        let head = self.theirs.load(self.geometry.head);
        fence(Ordering::Acquire); // SYNC(head)
        if head.wrapping_sub(self.head) > self.tail.wrapping_sub(self.head) {
            return Err(broken("it says that it has read what was not written"));
        }
        self.head = head;
        Ok(())
    }

    fn wrap(&mut self, skipped: u32) {
        let mut line = [0; STAGED];
        fill(&mut line, 0, WRAP, 0);
        self.publish(&line, skipped);
    }

    #[inline]
    fn publish(&mut self, line: &[u8; STAGED], granules: u32) {
        let next = self.tail.wrapping_add(granules);
        self.ours.store(self.geometry.offset(next), 0);
        let offset = self.geometry.offset(self.tail);
        self.ours.write(offset + LENGTH, line);
        self.ours.publish(offset, committed(self.tail)); // SYNC(commit)
        self.tail = next;
    }
}

fn fill(line: &mut [u8; STAGED], length: u32, place: u32, rest: u32) {
    for (offset, word) in [(LENGTH, length), (PLACE, place), (REST, rest)] {
        line[offset - LENGTH..offset].copy_from_slice(&word.to_le_bytes());
    }
}
