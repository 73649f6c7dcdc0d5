//! What a call or an answer brought: its values, still encoded, and the payloads that came with them.

use crate::{
    buffer::Buffer,
    conn::Values,
    error::{Error, ErrorKind},
    frame::{Entry, Place, Table},
    payload::Payload,
};
use std::{
    ops::{Deref, Range},
    sync::Arc,
};

/// Bytes from which a payload keeps the frame that it came in; a smaller one is copied, so that it does not keep a large frame.
const KEEPS_FRAME: usize = 4 << 10;

/// A frame, where its values are, and what came beside it.
#[derive(Default, Debug)]
pub(crate) struct Body {
    frame: Buffer,
    values: Values,
    beside: Vec<Payload>,
}

/// A body, taken apart.
#[derive(Debug)]
pub(crate) struct Opened {
    /// The values, from this offset on.
    pub(crate) values: Held,
    pub(crate) start: usize,
    /// The payloads, in the order of their indices.
    pub(crate) payloads: Vec<Option<Payload>>,
}

/// Encoded values, where they are.
#[derive(Debug)]
pub(crate) enum Held {
    Frame(Buffer),
    /// In memory that may be had as a slice.
    Block(Payload),
}

impl Held {
    /// What nobody else can write is read where it is; the rest is copied, once.
    fn of(payload: Payload) -> Self {
        match payload.try_as_slice() {
            Some(_) => Self::Block(payload),
            None => Self::Frame(payload.to_buffer()),
        }
    }
}

impl Deref for Held {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Frame(buffer) => buffer,
            Self::Block(payload) => payload.try_as_slice().unwrap_or_default(),
        }
    }
}

impl Body {
    /// # Errors
    /// `Protocol` if the table of the frame and what came beside it do not fit together.
    pub(super) fn new(frame: Buffer, values: Values, beside: Vec<Payload>) -> Result<Self, Error> {
        let body = Self { frame, values, beside };
        if values.table == values.start && body.beside.is_empty() {
            return Ok(body);
        }
        let said = body.table().entries().filter(|entry| entry.place == Place::Beside);
        let said = said.map(|entry| entry.length);
        if said.eq(body.beside.iter().map(Payload::len)) {
            return Ok(body);
        }
        let text = "the payloads that came beside the peer's frame are not those that it names";
        Err(Error::of(ErrorKind::Protocol, text))
    }

    /// Bytes of the values, if they are beside the frame.
    pub(super) fn bulk(&self) -> usize {
        self.beside.last().filter(|_| self.values.beside).map_or(0, Payload::len)
    }

    /// Bytes of the whole frame.
    pub(super) fn len(&self) -> usize {
        self.frame.len()
    }

    /// The whole frame.
    pub(super) fn frame(&self) -> &Buffer {
        &self.frame
    }

    /// Separates the values from the payloads: whichever is shorter is copied, the other stays where it is.
    pub(crate) fn open(mut self) -> Opened {
        let Values { table, start, beside } = self.values;
        if table == start {
            return Opened { values: Held::Frame(self.frame), start, payloads: Vec::new() };
        }
        let bulk = if beside { self.beside.pop() } else { None };
        let mut opened = self.sort();
        if let Some(bulk) = bulk {
            opened.payloads.pop();
            (opened.values, opened.start) = (Held::of(bulk), 0);
        }
        opened
    }

    /// Separates what is in the frame.
    fn sort(mut self) -> Opened {
        let start = self.values.start;
        let entries: Vec<_> = self.table().entries().collect();
        let inline = self.table().inline();
        let end = self.frame.len().saturating_sub(inline).max(start);
        let beside = std::mem::take(&mut self.beside).into_iter();
        let mut sorter = Sorter { beside, at: end };
        let keeps = |entry: &Entry| entry.place == Place::Inline && entry.length >= KEEPS_FRAME;
        if inline > end - start && entries.iter().any(keeps) {
            let mut values = Buffer::with_capacity(end - start);
            values.extend_from_slice(self.frame.get(start..end).unwrap_or_default());
            let frame = Arc::new(self.frame);
            let part = |range: Range<usize>| match range.len() >= KEEPS_FRAME {
                true => Payload::part(&frame, range),
                false => copy(&frame, range),
            };
            let payloads = entries.into_iter().map(|entry| sorter.next(entry, part)).collect();
            return Opened { values: Held::Frame(values), start: 0, payloads };
        }
        let frame = &self.frame;
        let payloads = entries.into_iter();
        let payloads = payloads.map(|e| sorter.next(e, |range| copy(frame, range))).collect();
        self.frame.truncate(end);
        Opened { values: Held::Frame(self.frame), start, payloads }
    }

    fn table(&self) -> Table<'_> {
        Table::of(self.frame.get(self.values.table..self.values.start).unwrap_or_default())
    }
}

/// Finds the payloads of a table one after the other.
struct Sorter {
    beside: std::vec::IntoIter<Payload>,
    /// Where the next one that is inline begins.
    at: usize,
}

impl Sorter {
    fn next(&mut self, entry: Entry, inline: impl Fn(Range<usize>) -> Payload) -> Option<Payload> {
        match entry.place {
            Place::Beside => self.beside.next(),
            Place::Inline => {
                let begin = self.at;
                self.at = begin.saturating_add(entry.length);
                Some(inline(begin..self.at))
            }
        }
    }
}

fn copy(frame: &Buffer, range: Range<usize>) -> Payload {
    Payload::from(frame.get(range).unwrap_or_default())
}

#[cfg(test)]
#[path = "tests/body.rs"]
mod tests;
