//! A cursor over the bytes of values: numbers, slices, texts. Every length is checked against the bytes that are there.

use super::fault::Fault;

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
    varint!(u64, u64);
    varint!(u128, u128);

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
