//! A cursor over the bytes of values: numbers, slices, texts. Every length is checked against the bytes that are there.

use super::{fault::Fault, varint};

/// The bytes not yet read.
#[derive(Clone, Debug)]
pub(super) struct Input<'de> {
    bytes: &'de [u8],
}

/// Reads a varint. A number has one encoding: the last byte is not 0, and no bit is lost.
macro_rules! varint {
    ($name:ident, $number:ty) => {
        #[inline]
        pub(super) fn $name(&mut self) -> Result<$number, Fault> {
            let mut rest = self.bytes;
            let mut value: $number = 0;
            for shift in (0..<$number>::BITS).step_by(7) {
                let (byte, after) = rest.split_first().ok_or(Fault::Cut)?;
                rest = after;
                let bits = <$number>::from(byte & 0x7f);
                value |= bits << shift;
                if *byte < 0x80 {
                    if (*byte == 0 && shift > 0) || bits << shift >> shift != bits {
                        return Err(Fault::Varint);
                    }
                    self.bytes = rest;
                    return Ok(value);
                }
            }
            Err(Fault::Varint)
        }
    };
}

impl<'de> Input<'de> {
    #[inline]
    pub(super) fn new(bytes: &'de [u8]) -> Self {
        Self { bytes }
    }

    /// How many bytes are left.
    #[inline]
    pub(super) fn left(&self) -> usize {
        self.bytes.len()
    }

    #[inline]
    pub(super) fn byte(&mut self) -> Result<u8, Fault> {
        let (first, rest) = self.bytes.split_first().ok_or(Fault::Cut)?;
        self.bytes = rest;
        Ok(*first)
    }

    #[inline]
    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        let (taken, rest) = self.bytes.split_first_chunk::<N>().ok_or(Fault::Cut)?;
        self.bytes = rest;
        Ok(*taken)
    }

    varint!(u16, u16);
    varint!(u32, u32);
    varint!(u128, u128);

    /// As the others are read, but so that it is returned in registers.
    #[inline]
    pub(super) fn u64(&mut self) -> Result<u64, Fault> {
        match *self.bytes {
            [first @ ..0x80, ref rest @ ..] => {
                self.bytes = rest;
                Ok(first.into())
            }
            _ => self.long().ok_or_else(|| self.malformed()),
        }
    }

    fn long(&mut self) -> Option<u64> {
        if let Some((word, _)) = self.bytes.split_first_chunk()
            && let Some((value, length)) = varint::gather(u64::from_le_bytes(*word))
        {
            self.bytes = self.bytes.get(length..)?;
            return Some(value);
        }
        self.bytewise()
    }

    /// A number of more than 56 bits, or near the end of the bytes.
    fn bytewise(&mut self) -> Option<u64> {
        let mut rest = self.bytes;
        let mut value = 0;
        for shift in (0..u64::BITS).step_by(7) {
            let (byte, after) = rest.split_first()?;
            rest = after;
            let bits = u64::from(byte & 0x7f);
            value |= bits.wrapping_shl(shift);
            if *byte < 0x80 {
                let lost = bits.wrapping_shl(shift).wrapping_shr(shift) != bits;
                if (*byte == 0 && shift > 0) || lost {
                    return None;
                }
                self.bytes = rest;
                return Some(value);
            }
        }
        None
    }

    /// Why there is no number of 64 bits.
    #[cold]
    fn malformed(&self) -> Fault {
        let most = u64::BITS.div_ceil(7) as usize;
        let is_whole = self.bytes.len() >= most || self.bytes.iter().any(|byte| *byte < 0x80);
        if is_whole { Fault::Varint } else { Fault::Cut }
    }

    #[inline]
    pub(super) fn length(&mut self) -> Result<usize, Fault> {
        usize::try_from(self.u64()?).map_err(|_| Fault::Length)
    }

    /// Bytes with their length before them.
    #[inline]
    pub(super) fn slice(&mut self) -> Result<&'de [u8], Fault> {
        let length = self.length()?;
        let (taken, rest) = self.bytes.split_at_checked(length).ok_or(Fault::Length)?;
        self.bytes = rest;
        Ok(taken)
    }

    /// A text with its length before it.
    #[inline]
    pub(super) fn text(&mut self) -> Result<&'de str, Fault> {
        std::str::from_utf8(self.slice()?).map_err(|_| Fault::Text)
    }

    /// A text of one character.
    #[inline]
    pub(super) fn char(&mut self) -> Result<char, Fault> {
        let text = std::str::from_utf8(self.slice()?).map_err(|_| Fault::Char)?;
        let mut chars = text.chars();
        match (chars.next(), chars.next()) {
            (Some(char), None) => Ok(char),
            _ => Err(Fault::Char),
        }
    }
}
