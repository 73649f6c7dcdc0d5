//! The header of a call. What is absent in the common case is a flag's bit and not a byte.

use super::{FrameError, Reader, References, Table, kind, put_call_id, put_object_id, put_varint};
use crate::id::{CallId, MethodId, ObjectId};

const ONEWAY: u8 = 1;
const REMAINING: u8 = 2;
const CHAIN: u8 = 4;
const TRACE: u8 = 8;
const METADATA: u8 = 16;
const REFERENCES: u8 = 32;
const VALUES: u8 = 64;
const PAYLOADS: u8 = 128;

/// A W3C trace context: 16 bytes of trace id, 8 of span id, 1 of flags.
pub type Trace = [u8; 25];

/// The bits of a chain that say how deep a call is in it: 0, if it was not made while serving another.
pub const DEPTH: u64 = 0xff;

/// What a call is made on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Target {
    /// An object that the receiver has lent.
    Export(ObjectId),
    /// The object that this call of the sender's returns.
    Answer(CallId),
}

/// Everything of a call but its arguments.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CallHeader<'a> {
    /// The call's number; none for a one-way call.
    pub call: Option<CallId>,
    /// What it is made on.
    pub target: Target,
    /// The method.
    pub method: MethodId,
    /// Milliseconds left until its deadline, rounded up.
    pub remaining: Option<u64>,
    /// The chain of calls that it belongs to.
    pub chain: Option<u64>,
    /// The trace that it belongs to.
    pub trace: Option<&'a Trace>,
    /// Encoded metadata: (key, value) pairs of texts. Empty: none.
    pub metadata: &'a [u8],
    /// The references that travel with it.
    pub references: References<'a>,
    /// The payloads that travel with it.
    pub payloads: Table<'a>,
}

impl<'a> CallHeader<'a> {
    /// It was made while serving another one.
    #[must_use]
    pub fn is_nested(&self) -> bool {
        self.chain.is_some_and(|chain| chain & DEPTH > 0)
    }

    /// Decodes a frame that is a call; its arguments, and the payloads that are inline, are the rest of it.
    ///
    /// # Errors
    /// If the bytes are not a call.
    // Returned through memory, to be taken apart at once, a header costs half as much again to read.
    #[inline(always)]
    pub fn decode(bytes: &'a [u8]) -> Result<(Self, &'a [u8]), FrameError> {
        let mut reader = Reader::new(bytes);
        let kind = reader.u8()?;
        if kind != kind::CALL && kind != kind::PIPELINED {
            return Err(FrameError::Value);
        }
        let header = Self::read(kind, &mut reader)?;
        Ok((header, reader.rest()))
    }

    #[inline(always)]
    fn read(kind: u8, reader: &mut Reader<'a>) -> Result<Self, FrameError> {
        let flags = reader.u8()?;
        let has = |flag| flags & flag != 0;
        Ok(Self {
            call: if has(ONEWAY) { None } else { Some(reader.call_id()?) },
            target: match kind {
                kind::PIPELINED => Target::Answer(reader.call_id()?),
                _ => Target::Export(reader.object_id()?),
            },
            method: MethodId(u32::from_le_bytes(reader.array()?)),
            remaining: if has(REMAINING) { Some(reader.u64()?) } else { None },
            chain: if has(CHAIN) { Some(u64::from_le_bytes(reader.array()?)) } else { None },
            trace: match has(TRACE) {
                true => Some(reader.take(25)?.first_chunk().ok_or(FrameError::Cut)?),
                false => None,
            },
            metadata: if has(METADATA) { reader.bytes()? } else { &[] },
            references: match has(REFERENCES) {
                true => References::decode(reader)?,
                false => References::default(),
            },
            payloads: match (has(PAYLOADS), has(VALUES)) {
                (false, false) => Table::default(),
                (true, false) => Table::decode(reader)?,
                (true, true) => Table::decode_with_values(reader)?,
                (false, true) => return Err(FrameError::Value),
            },
        })
    }

    /// Appends the header's bytes; the arguments follow.
    #[inline]
    pub fn encode(&self, out: &mut Vec<u8>) {
        let flag = |present: bool, flag: u8| if present { flag } else { 0 };
        let flags = flag(self.call.is_none(), ONEWAY)
            | flag(self.remaining.is_some(), REMAINING)
            | flag(self.chain.is_some(), CHAIN)
            | flag(self.trace.is_some(), TRACE)
            | flag(!self.metadata.is_empty(), METADATA)
            | flag(!self.references.is_empty(), REFERENCES)
            | flag(self.payloads.holds_values(), VALUES)
            | flag(!self.payloads.is_empty(), PAYLOADS);
        let kind = match self.target {
            Target::Export(_) => kind::CALL,
            Target::Answer(_) => kind::PIPELINED,
        };
        out.extend_from_slice(&[kind, flags]);
        if let Some(call) = self.call {
            put_call_id(out, call);
        }
        match self.target {
            Target::Export(object) => put_object_id(out, object),
            Target::Answer(call) => put_call_id(out, call),
        }
        out.extend_from_slice(&self.method.0.to_le_bytes());
        if let Some(remaining) = self.remaining {
            put_varint(out, remaining);
        }
        if let Some(chain) = self.chain {
            out.extend_from_slice(&chain.to_le_bytes());
        }
        if let Some(trace) = self.trace {
            out.extend_from_slice(trace);
        }
        if flags & (METADATA | REFERENCES | PAYLOADS) == 0 {
            return;
        }
        if !self.metadata.is_empty() {
            put_varint(out, self.metadata.len() as u64);
            out.extend_from_slice(self.metadata);
        }
        out.extend_from_slice(self.references.bytes());
        out.extend_from_slice(self.payloads.bytes());
    }
}

/// The pairs of encoded metadata, one after the other. What is malformed ends them.
pub fn metadata_pairs(bytes: &[u8]) -> impl Iterator<Item = (&str, &str)> {
    let mut reader = Reader::new(bytes);
    std::iter::from_fn(move || Some((reader.text().ok()?, reader.text().ok()?)))
}

/// Appends a pair to encoded metadata.
pub fn put_metadata(out: &mut Vec<u8>, key: &str, value: &str) {
    for text in [key, value] {
        put_varint(out, text.len() as u64);
        out.extend_from_slice(text.as_bytes());
    }
}
