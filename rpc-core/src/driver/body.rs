//! What a call or an answer brought: its values, still encoded, and the payloads that came with them.

use crate::{
    buffer::Buffer,
    conn::Values,
    error::{Error, ErrorKind},
    frame::{Entry, Place, Table},
    payload::Payload,
    stub::{Brought, Handle},
};
use bytes::Bytes;
use std::{
    ops::{Deref, Range},
    sync::Arc,
};

/// Bytes from which a payload keeps the frame that it came in; a smaller one is copied, so that it does not keep a large frame.
const KEEPS_FRAME: usize = 4 << 10;

/// Bytes of a frame from which values that are a large part of it keep it, and are not copied.
const WORTH_SHARING: usize = 32 << 10;

/// A frame, where its values are, and what came beside it.
#[derive(Default, Debug)]
pub(crate) struct Body {
    frame: Buffer,
    values: Values,
    beside: Option<Box<Beside>>,
}

/// What came beside a frame.
#[derive(Default, Debug)]
struct Beside {
    payloads: Vec<Payload>,
    references: Vec<Arc<Handle>>,
}

/// A body, taken apart.
#[derive(Debug)]
pub(crate) struct Opened {
    /// The values, from this offset on.
    pub(crate) values: Held,
    pub(crate) start: usize,
    /// The payloads and references, in the order of their indices.
    pub(crate) brought: Brought,
}

/// Encoded values, where they are.
#[derive(Debug)]
pub(crate) enum Held {
    Frame(Buffer),
    /// A frame, or a part of one, that values may keep.
    Shared(Bytes),
    /// In memory that may be had as a slice.
    Block(Payload),
}

impl Held {
    /// Lets values be parts of a large frame: they need not be copied then.
    #[inline]
    pub(crate) fn share(self) -> Self {
        match self {
            Self::Frame(buffer) if buffer.len() >= WORTH_SHARING => {
                Self::Shared(Bytes::from_owner(buffer))
            }
            held => held,
        }
    }

    /// The frame that values may keep.
    #[inline]
    pub(crate) fn shared(&self) -> Option<&Bytes> {
        match self {
            Self::Shared(bytes) => Some(bytes),
            _ => None,
        }
    }

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
            Self::Shared(bytes) => bytes,
            Self::Block(payload) => payload.try_as_slice().unwrap_or_default(),
        }
    }
}

impl Body {
    /// A frame that nothing came beside.
    #[inline]
    pub(super) fn plain(frame: Buffer, values: Values) -> Self {
        Self { frame, values, beside: None }
    }

    /// # Errors
    /// `Protocol` if the table of the frame and what came beside it do not fit together.
    pub(super) fn new(frame: Buffer, values: Values, beside: Vec<Payload>) -> Result<Self, Error> {
        let beside = (!beside.is_empty())
            .then(|| Box::new(Beside { payloads: beside, references: Vec::new() }));
        let body = Self { frame, values, beside };
        if values.table == values.start {
            return Ok(body);
        }
        let said = body.table().entries().filter(|entry| entry.place == Place::Beside);
        let said = said.map(|entry| entry.length);
        if said.eq(body.payloads().iter().map(Payload::len)) {
            return Ok(body);
        }
        let text = "the payloads that came beside the peer's frame are not those that it names";
        Err(Error::of(ErrorKind::Protocol, text))
    }

    /// Adds the references that came with the frame.
    pub(super) fn refer(&mut self, references: Vec<Arc<Handle>>) {
        self.beside.get_or_insert_default().references = references;
    }

    /// The references that came with the frame.
    pub(super) fn references(&self) -> &[Arc<Handle>] {
        self.beside.as_deref().map_or(&[], |beside| &beside.references)
    }

    fn payloads(&self) -> &[Payload] {
        self.beside.as_deref().map_or(&[], |beside| &beside.payloads)
    }

    /// Bytes of the values, if they are beside the frame.
    pub(super) fn bulk(&self) -> usize {
        self.payloads().last().filter(|_| self.values.beside).map_or(0, Payload::len)
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
    #[inline]
    pub(crate) fn open(self) -> Opened {
        let Values { table, start, .. } = self.values;
        if self.beside.is_none() && table == start {
            let values = Held::Frame(self.frame);
            return Opened { values, start, brought: Brought::default() };
        }
        self.sort_out()
    }

    fn sort_out(mut self) -> Opened {
        let Values { table, start, beside } = self.values;
        let Beside { mut payloads, references } =
            self.beside.take().map(|beside| *beside).unwrap_or_default();
        let references = references.into_iter().map(Some).collect();
        if table == start {
            let brought = Brought::new(Vec::new(), references);
            return Opened { values: Held::Frame(self.frame), start, brought };
        }
        let bulk = if beside { payloads.pop() } else { None };
        let (mut values, mut start, mut payloads) = self.sort(payloads);
        if let Some(bulk) = bulk {
            payloads.pop();
            (values, start) = (Held::of(bulk), 0);
        }
        Opened { values, start, brought: Brought::new(payloads, references) }
    }

    /// Separates what is in the frame: the values, from which offset on, and the payloads.
    fn sort(mut self, beside: Vec<Payload>) -> (Held, usize, Vec<Option<Payload>>) {
        let start = self.values.start;
        let entries: Vec<_> = self.table().entries().collect();
        let inline = self.table().inline();
        let end = self.frame.len().saturating_sub(inline).max(start);
        let mut sorter = Sorter { beside: beside.into_iter(), at: end };
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
            return (Held::Frame(values), 0, payloads);
        }
        let frame = &self.frame;
        let payloads = entries.into_iter();
        let payloads = payloads.map(|e| sorter.next(e, |range| copy(frame, range))).collect();
        self.frame.truncate(end);
        (Held::Frame(self.frame), start, payloads)
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
