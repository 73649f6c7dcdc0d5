//! Frames on their way out: small bytes in one vector, large tails between them, uncopied.

use super::frames::HEADER;
use farcall_core::{copy::append, tail::Tail};
use std::io::{self, IoSlice};

/// Bytes from which a tail is kept and not copied.
const KEEP_TAIL: usize = 16 << 10;
/// Bytes of capacity that an empty batch may keep for the next frames.
const KEEP_BYTES: usize = 64 << 10;
/// Slices given to one write.
pub(crate) const SLICES: usize = 16;

/// A sequence of bytes to write, and how far that has got.
#[derive(Default)]
pub(crate) struct Batch {
    bytes: Vec<u8>,
    /// Tails, each with the position in `bytes` before which it goes.
    tails: Vec<(usize, Tail)>,
    length: usize,
    written: usize,
}

impl Batch {
    /// Appends a frame and returns the tail, if its memory is no longer needed, and the bytes it takes on the wire.
    pub(crate) fn append(
        &mut self,
        head: &[&[u8]],
        tail: Option<Tail>,
    ) -> io::Result<(Option<Tail>, usize)> {
        let tail_length = tail.as_ref().map_or(0, |tail| tail.len());
        let length = head.iter().map(|part| part.len()).sum::<usize>() + tail_length;
        let Ok(header) = u32::try_from(length) else {
            let text = format!("a frame of {length} bytes exceeds what a length header can say");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        };
        self.bytes.extend_from_slice(&header.to_le_bytes());
        head.iter().for_each(|part| append(&mut self.bytes, part));
        self.length += HEADER + length;
        match tail {
            Some(tail) if tail.len() >= KEEP_TAIL => {
                self.tails.push((self.bytes.len(), tail));
                Ok((None, HEADER + length))
            }
            Some(tail) => {
                append(&mut self.bytes, &tail);
                Ok((Some(tail), HEADER + length))
            }
            None => Ok((None, HEADER + length)),
        }
    }

    /// Takes note of bytes that were written.
    pub(crate) fn advance(&mut self, written: usize) {
        self.written += written;
    }

    /// Forgets everything, and keeps a little memory.
    pub(crate) fn clear(&mut self) {
        self.tails.clear();
        self.length = 0;
        self.written = 0;
        if self.bytes.capacity() > KEEP_BYTES {
            self.bytes = Vec::new();
        } else {
            self.bytes.clear();
        }
    }

    /// Gives back the memory of an empty batch.
    pub(crate) fn relax(&mut self) {
        if self.length == 0 {
            *self = Self::default();
        }
    }

    /// Bytes not yet written.
    pub(crate) fn left(&self) -> usize {
        self.length - self.written
    }

    /// The next bytes to write, as many slices as there is room for; returns how many, and how many bytes they have.
    pub(crate) fn gather<'a>(&'a self, slices: &mut [IoSlice<'a>; SLICES]) -> (usize, usize) {
        let (mut skip, mut count, mut total) = (self.written, 0, 0);
        for piece in self.pieces() {
            let Some(rest) = piece.get(skip..).filter(|rest| !rest.is_empty()) else {
                skip -= piece.len();
                continue;
            };
            let Some(slice) = slices.get_mut(count) else { break };
            *slice = IoSlice::new(rest);
            (skip, count, total) = (0, count + 1, total + rest.len());
        }
        (count, total)
    }

    /// All bytes in order: those before the first tail, the first tail, and so on.
    fn pieces(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.tails.iter().map(|(at, _)| *at));
        let between = starts
            .zip(self.tails.iter())
            .flat_map(|(start, (end, tail))| [&self.bytes[start..*end], &**tail]);
        let last = self.tails.last().map_or(0, |(at, _)| *at);
        between.chain(std::iter::once(&self.bytes[last..]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use farcall_core::buffer::Buffer;

    #[test]
    fn frames_and_large_tails_leave_in_order_however_they_are_written() {
        let tail = |byte: u8, length: usize| Some(Buffer::from(vec![byte; length]).into());
        let mut batch = Batch::default();
        let mut want = Vec::new();
        let mut add = |batch: &mut Batch, head: &[&[u8]], tail: Option<Tail>| {
            let frame = [head.concat(), tail.as_deref().unwrap_or_default().to_vec()].concat();
            want.extend_from_slice(&(frame.len() as u32).to_le_bytes());
            want.extend_from_slice(&frame);
            batch.append(head, tail).expect("fits");
        };
        add(&mut batch, &[], tail(1, KEEP_TAIL));
        add(&mut batch, &[b"head", b""], tail(2, KEEP_TAIL - 1));
        for byte in 0..20 {
            add(&mut batch, &[b"many"], tail(byte, KEEP_TAIL + usize::from(byte)));
        }
        add(&mut batch, &[b"last"], None);
        for step in [251, 4097, 100_000] {
            let mut found = Vec::new();
            while batch.left() > 0 {
                let mut slices = [IoSlice::new(&[]); SLICES];
                let (count, total) = batch.gather(&mut slices);
                assert_eq!(slices[..count].iter().map(|slice| slice.len()).sum::<usize>(), total);
                let before = found.len();
                for slice in &slices[..count] {
                    let room = before + step - found.len();
                    found.extend_from_slice(&slice[..slice.len().min(room)]);
                }
                batch.advance(found.len() - before);
            }
            assert!(found == want, "in steps of {step}");
            batch.written = 0;
        }
    }
}
