//! Letters that travel together, one after the other in one piece of memory.

use crate::{
    Result,
    engine::Letter,
    pooled,
    writing::{LONG, Writing, bytes_of, enclosed, is_within},
};
use bytes::Bytes;
use farcall_core::{codec::Encoder, copy, payload::Payload, stub::Enclosures};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::vec;

/// Letters that are sent together, at most.
pub const PARCEL_LETTERS: usize = 128;
/// Bytes of letters from which they are sent without waiting for more.
pub const PARCEL_BYTES: usize = 32 << 10;

/// Letters that travel together.
#[derive(Clone, Default, Debug, Serialize, Deserialize)]
pub struct Parcel {
    /// How long each letter is.
    lengths: Vec<u32>,
    /// All of them.
    bytes: Piece,
    /// Which ones enclose something, and what.
    enclosed: Vec<(u32, Enclosures)>,
}

impl Parcel {
    /// One letter.
    #[must_use]
    pub fn one(writing: Writing) -> Self {
        let Writing { bytes, enclosed } = writing;
        let lengths = vec![length(bytes.len())];
        let enclosed = (!enclosed.is_empty()).then_some((0, enclosed)).into_iter().collect();
        Self { lengths, bytes: Piece(bytes), enclosed }
    }

    /// Letters, which are copied into one piece if they are several.
    pub(crate) fn of(mut writings: Vec<Writing>) -> Self {
        if writings.len() == 1 {
            return writings.pop().map(Self::one).unwrap_or_default();
        }
        let all = writings.iter().map(|writing| writing.bytes.len()).sum();
        let (mut bytes, mut lengths) =
            (Vec::with_capacity(all), Vec::with_capacity(writings.len()));
        let mut enclosed = Vec::new();
        for (number, writing) in (0..).zip(writings) {
            copy::append(&mut bytes, &writing.bytes);
            lengths.push(length(writing.bytes.len()));
            if !writing.enclosed.is_empty() {
                enclosed.push((number, writing.enclosed));
            }
        }
        Self { lengths, bytes: Piece(bytes.into()), enclosed }
    }

    /// Takes what the letters enclose out of memory of their sender: it is soon wanted for others, and they may wait for long.
    pub(crate) fn copy_out(&mut self) {
        self.enclosed.iter_mut().for_each(|(_, enclosed)| enclosed.copy_out());
    }

    /// How many letters there are.
    pub(crate) fn count(&self) -> u64 {
        self.lengths.len() as u64
    }

    /// Its letters. None, if the lengths are not those of the bytes, if one encloses what it may not, or if there are none or too many.
    pub(crate) fn open(self) -> Option<Unpacked> {
        let Self { lengths, bytes: Piece(bytes), enclosed } = self;
        let all: u64 = lengths.iter().map(|length| u64::from(*length)).sum();
        let beside = enclosed.iter().map(|(_, enclosed)| enclosed.size() as u64).sum();
        let in_order = enclosed.iter().map(|(number, _)| number).is_sorted_by(|a, b| a < b);
        let are_there = enclosed.last().is_none_or(|(last, _)| (*last as usize) < lengths.len());
        let fit = enclosed.iter().all(|(_, enclosed)| is_within(enclosed));
        let fits = all == bytes.len() as u64 && (1..=PARCEL_LETTERS).contains(&lengths.len());
        (fits && in_order && are_there && fit).then(|| Unpacked {
            number: 0,
            bytes,
            beside,
            lengths: lengths.into_iter(),
            enclosed: enclosed.into_iter(),
        })
    }
}

/// The letters of a parcel that were not taken out of it yet.
#[derive(Clone, Debug)]
pub(crate) struct Unpacked {
    /// The number of the next one.
    number: u32,
    bytes: Bytes,
    /// Bytes of their payloads.
    beside: u64,
    lengths: vec::IntoIter<u32>,
    enclosed: vec::IntoIter<(u32, Enclosures)>,
}

impl Unpacked {
    pub(crate) fn one(writing: Writing) -> Self {
        let Writing { bytes, enclosed } = writing;
        let beside = enclosed.size() as u64;
        let lengths = vec![length(bytes.len())].into_iter();
        let enclosed: Vec<_> =
            (!enclosed.is_empty()).then_some((0, enclosed)).into_iter().collect();
        Self { number: 0, bytes, beside, lengths, enclosed: enclosed.into_iter() }
    }

    /// Bytes of the letters, and of their payloads.
    pub(crate) fn size(&self) -> u64 {
        self.bytes.len() as u64 + self.beside
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.lengths.as_slice().is_empty()
    }

    /// What the letters enclose that enclose something.
    pub(crate) fn enclosed(&self) -> impl Iterator<Item = &Enclosures> {
        self.enclosed.as_slice().iter().map(|(_, enclosed)| enclosed)
    }
}

impl Iterator for Unpacked {
    type Item = Writing;

    fn next(&mut self) -> Option<Writing> {
        let length = self.lengths.next()? as usize;
        let bytes = self.bytes.split_to(length.min(self.bytes.len()));
        let enclosed = match self.enclosed.as_slice() {
            [(of, _), ..] if *of == self.number => self.enclosed.next(),
            _ => None,
        };
        let enclosed = enclosed.map(|(_, enclosed)| enclosed).unwrap_or_default();
        self.beside -= enclosed.size() as u64;
        self.number += 1;
        Some(Writing { bytes, enclosed })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.lengths.size_hint()
    }
}

/// What letters say that are acked as they are taken.
pub(crate) enum Writings {
    /// Of a mailbox of this process.
    Near(vec::IntoIter<Letter>),
    /// Of another process's.
    Far(Unpacked),
}

impl Iterator for Writings {
    type Item = Writing;

    fn next(&mut self) -> Option<Writing> {
        match self {
            Self::Near(letters) => letters.next().map(|letter| letter.writing),
            Self::Far(unpacked) => unpacked.next(),
        }
    }
}

/// A parcel while letters are put into it.
#[derive(Default, Debug)]
pub(crate) struct Packing {
    letters: Encoder,
    lengths: Vec<u32>,
    bytes: usize,
    enclosed: Vec<(u32, Enclosures)>,
}

impl Packing {
    /// Adds a letter.
    pub(crate) fn push<T: Serialize + 'static>(&mut self, value: &T) -> Result<()> {
        let enclosed = enclosed(&mut self.letters, value)?;
        if !enclosed.is_empty() {
            self.enclosed.push((length(self.lengths.len()), enclosed));
        }
        let bytes = self.letters.written();
        self.lengths.push(length(bytes - self.bytes));
        self.bytes = bytes;
        Ok(())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.lengths.is_empty()
    }

    /// A letter that encloses something travels with none after it.
    pub(crate) fn is_full(&self) -> bool {
        self.lengths.len() >= PARCEL_LETTERS
            || self.bytes >= PARCEL_BYTES
            || !self.enclosed.is_empty()
    }

    pub(crate) fn finish(self) -> Parcel {
        let bytes = Piece(bytes_of(self.letters));
        Parcel { lengths: self.lengths, bytes, enclosed: self.enclosed }
    }
}

/// A frame is shorter by far, and refused where it is too long.
fn length(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

/// Bytes that travel in the call that carries them, or, if they are many, beside it.
#[derive(Clone, Default, Debug)]
struct Piece(Bytes);

#[derive(Serialize, Deserialize)]
enum Travelling {
    Short(Bytes),
    Long(Payload),
}

impl Serialize for Piece {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let bytes = self.0.clone();
        match bytes.len() < LONG {
            true => Travelling::Short(bytes).serialize(serializer),
            false => Travelling::Long(bytes.into()).serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Piece {
    /// What is in memory of the peer is copied out of it: a mailbox keeps letters of processes that are gone.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(match Travelling::deserialize(deserializer)? {
            Travelling::Short(bytes) => bytes,
            Travelling::Long(payload) => pooled::of_payload(payload),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ENCLOSED;

    fn parcel(bytes: &'static [u8], lengths: &[u32], enclosed: Vec<(u32, Enclosures)>) -> Parcel {
        Parcel { lengths: lengths.to_vec(), bytes: Piece(Bytes::from_static(bytes)), enclosed }
    }

    #[test]
    fn lengths_are_those_of_the_bytes() {
        let opens = |bytes, lengths: &[u32]| parcel(bytes, lengths, Vec::new()).open().is_some();
        assert!(opens(b"abc", &[1, 0, 2]));
        assert!(opens(b"", &[0]));
        assert!(!opens(b"abc", &[1, 1]));
        assert!(!opens(b"abc", &[1, 3]));
        assert!(!opens(b"abc", &[u32::MAX, u32::MAX, 5]));
        assert!(!opens(b"", &[]));
        assert!(opens(b"", &[0; PARCEL_LETTERS]));
        assert!(!opens(b"", &[0; PARCEL_LETTERS + 1]));
    }

    #[test]
    fn enclosures_are_those_of_letters_that_are_there() {
        let enclosed =
            |payloads| Enclosures::of_payloads(vec![Payload::from(&b"xy"[..]); payloads]);
        let opens = |enclosed| parcel(b"abc", &[1, 2], enclosed).open().is_some();
        assert!(opens(vec![(0, enclosed(1)), (1, enclosed(ENCLOSED))]));
        assert!(!opens(vec![(2, enclosed(1))]));
        assert!(!opens(vec![(1, enclosed(1)), (0, enclosed(1))]));
        assert!(!opens(vec![(1, enclosed(1)), (1, enclosed(1))]));
        assert!(!opens(vec![(1, enclosed(ENCLOSED + 1))]));
    }

    #[test]
    fn what_is_taken_out_is_what_was_put_in() {
        let second = Enclosures::of_payloads(vec![Payload::from(&b"xy"[..])]);
        let mut unpacked = parcel(b"abc", &[1, 2], vec![(1, second.clone())]).open().unwrap();
        assert_eq!(unpacked.size(), 5);
        assert_eq!(unpacked.next(), Some(Writing::from(Bytes::from_static(b"a"))));
        assert_eq!(unpacked.size(), 4);
        let bytes = Bytes::from_static(b"bc");
        assert_eq!(unpacked.next(), Some(Writing { bytes, enclosed: second }));
        assert_eq!((unpacked.size(), unpacked.next()), (0, None));
    }

    #[test]
    fn a_value_that_encloses_too_much_leaves_nothing_behind() {
        let value = |payloads| vec![Payload::from(&b"x"[..]); payloads];
        let mut packing = Packing::default();
        packing.push(&value(0)).unwrap();
        assert!(packing.push(&value(ENCLOSED + 1)).is_err());
        packing.push(&value(ENCLOSED)).unwrap();
        let letters: Vec<_> = packing.finish().open().unwrap().collect();
        let lengths = letters.into_iter().map(|of| of.read::<Vec<Payload>>().unwrap().len());
        assert_eq!(lengths.collect::<Vec<_>>(), [0, ENCLOSED]);
    }
}
