//! The table of the payloads that travel with a frame: how long each is, and where its bytes are.

use super::{FrameError, Reader, put_varint};

/// Payloads that travel with one frame at most.
pub const MOST_PAYLOADS: usize = 64;

/// The payloads of a frame, in the order of their indices. Empty: there are none.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Table<'a> {
    bytes: &'a [u8],
    holds_values: bool,
}

/// One payload.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Entry {
    /// Its bytes.
    pub length: usize,
    /// Where they are.
    pub place: Place,
}

/// Where the bytes of a payload are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// At the end of the frame, behind those of the payloads before it.
    Inline,
    /// Where the transport has brought them, beside the frame.
    Beside,
}

impl<'a> Table<'a> {
    /// The table that a decoded frame has in this part of its bytes. What is malformed ends it.
    #[must_use]
    pub fn of(bytes: &'a [u8]) -> Self {
        Self { bytes, holds_values: false }
    }

    /// The same; the last payload, which is beside the frame, is no payload of the program's, but the values.
    #[must_use]
    pub fn with_values(self) -> Self {
        Self { holds_values: true, ..self }
    }

    /// Whether the last payload is the values.
    #[must_use]
    pub fn holds_values(&self) -> bool {
        self.holds_values
    }

    /// The table as it travels; nothing if it is empty.
    #[must_use]
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Whether there are no payloads.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The payloads.
    pub fn entries(&self) -> impl Iterator<Item = Entry> + 'a {
        let mut reader = Reader::new(self.bytes);
        let count = reader.u64().unwrap_or(0);
        (0..count).map_while(move |_| entry(&mut reader).ok())
    }

    /// Bytes of the payloads that are in the frame.
    #[must_use]
    pub fn inline(&self) -> usize {
        let inline = |entry: Entry| if entry.place == Place::Inline { entry.length } else { 0 };
        self.entries().map(inline).fold(0, usize::saturating_add)
    }

    /// Appends the bytes of a table. Nothing if there are no `entries`.
    pub fn encode(entries: impl ExactSizeIterator<Item = Entry>, out: &mut Vec<u8>) {
        if entries.len() == 0 {
            return;
        }
        put_varint(out, entries.len() as u64);
        for entry in entries {
            let beside = u64::from(entry.place == Place::Beside);
            put_varint(out, (entry.length as u64) << 1 | beside);
        }
    }

    /// Reads a table that has at least one entry, and sees to it that what is inline can be in the rest of the frame.
    pub(super) fn decode(reader: &mut Reader<'a>) -> Result<Self, FrameError> {
        let whole = reader.clone().rest();
        let count = reader.u64()?;
        if count == 0 || count > MOST_PAYLOADS as u64 {
            return Err(FrameError::Value);
        }
        for _ in 0..count {
            entry(reader)?;
        }
        let rest = reader.clone().rest().len();
        let bytes = whole.get(..whole.len().saturating_sub(rest)).unwrap_or_default();
        let table = Self::of(bytes);
        if table.inline() > rest { Err(FrameError::Cut) } else { Ok(table) }
    }

    /// Reads a table whose last payload is the values: it is beside the frame, in which there are none then.
    pub(super) fn decode_with_values(reader: &mut Reader<'a>) -> Result<Self, FrameError> {
        let table = Self::decode(reader)?;
        let last = table.entries().last().map(|entry| entry.place);
        if last == Some(Place::Beside) && table.inline() == reader.clone().rest().len() {
            return Ok(table.with_values());
        }
        Err(FrameError::Value)
    }
}

/// Nothing travels beside the frame without bytes.
fn entry(reader: &mut Reader<'_>) -> Result<Entry, FrameError> {
    let number = reader.u64()?;
    let length = usize::try_from(number >> 1).map_err(|_| FrameError::Value)?;
    match (number & 1, length) {
        (0, _) => Ok(Entry { length, place: Place::Inline }),
        (_, 0) => Err(FrameError::Value),
        _ => Ok(Entry { length, place: Place::Beside }),
    }
}
