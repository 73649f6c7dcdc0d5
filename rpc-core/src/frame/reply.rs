//! The answer to a call, and how an error travels.

use super::{FrameError, Reader, References, Table, kind, put_call_id};
use crate::{
    error::{Error, ErrorKind, Executed},
    id::CallId,
};

const OK: u8 = 0;
const APP: u8 = 1;
const RPC: u8 = 2;
const CANCELLED: u8 = 3;
/// The answer is kept until the caller finishes the call, so that what it returns can be called before it is known.
const KEPT: u8 = 16;
/// To be added to `OK` and `APP`.
const REFERENCES: u8 = 32;
/// To be added to `OK` and `APP`.
const PAYLOADS: u8 = 128;
/// To be added to `PAYLOADS`.
const VALUES: u8 = 64;

/// Which call is answered, and what travels with the answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ReturnHeader<'a> {
    /// The call.
    pub call: CallId,
    /// The answer is kept until the caller finishes the call.
    pub kept: bool,
    /// The references that travel with the servant's value or error.
    pub references: References<'a>,
    /// The payloads that travel with the servant's value or error.
    pub payloads: Table<'a>,
}

impl<'a> ReturnHeader<'a> {
    /// The answer to `call`, without payloads.
    #[must_use]
    pub fn of(call: CallId) -> Self {
        Self { call, kept: false, references: References::default(), payloads: Table::default() }
    }

    /// Decodes a frame that is a return.
    ///
    /// # Errors
    /// If the bytes are not a return.
    // As that of a call.
    #[inline(always)]
    pub fn decode(bytes: &'a [u8]) -> Result<(Self, Outcome<'a>), FrameError> {
        let mut reader = Reader::new(bytes);
        if reader.u8()? != kind::RETURN {
            return Err(FrameError::Value);
        }
        let tag = reader.u8()?;
        let has = |flag| tag & flag != 0;
        let mut header = ReturnHeader { kept: has(KEPT), ..ReturnHeader::of(reader.call_id()?) };
        let carried = tag & (REFERENCES | VALUES | PAYLOADS) != 0;
        if carried {
            header.read_carried(tag, &mut reader)?;
        }
        let outcome = match tag & !(KEPT | REFERENCES | VALUES | PAYLOADS) {
            OK => Outcome::Ok(reader.rest()),
            APP => Outcome::App(reader.rest()),
            RPC => Outcome::Rpc(decode_error(&mut reader)?),
            CANCELLED => Outcome::Cancelled,
            _ => return Err(FrameError::Value),
        };
        if carried && !matches!(outcome, Outcome::Ok(_) | Outcome::App(_)) {
            return Err(FrameError::Value);
        }
        reader.end()?;
        Ok((header, outcome))
    }

    /// Reads what travels with the answer.
    fn read_carried(&mut self, tag: u8, reader: &mut Reader<'a>) -> Result<(), FrameError> {
        let has = |flag| tag & flag != 0;
        if has(REFERENCES) {
            self.references = References::decode(reader)?;
        }
        self.payloads = match (has(PAYLOADS), has(VALUES)) {
            (false, false) => Table::default(),
            (true, false) => Table::decode(reader)?,
            (true, true) => Table::decode_with_values(reader)?,
            (false, true) => return Err(FrameError::Value),
        };
        Ok(())
    }

    /// Appends the bytes of the answer; those of `Ok` and `App` are at its end, and may follow.
    #[inline]
    pub fn encode(&self, outcome: &Outcome<'_>, out: &mut Vec<u8>) {
        let tag = match outcome {
            Outcome::Ok(_) => OK,
            Outcome::App(_) => APP,
            Outcome::Rpc(_) => RPC,
            Outcome::Cancelled => CANCELLED,
        };
        let carries = tag <= APP;
        let flag = |present: bool, flag: u8| if present { flag } else { 0 };
        let flags = flag(self.kept, KEPT)
            | flag(carries && !self.references.is_empty(), REFERENCES)
            | flag(carries && self.payloads.holds_values(), VALUES)
            | flag(carries && !self.payloads.is_empty(), PAYLOADS);
        out.extend_from_slice(&[kind::RETURN, tag | flags]);
        put_call_id(out, self.call);
        match outcome {
            Outcome::Ok(bytes) | Outcome::App(bytes) => {
                for part in [self.references.bytes(), self.payloads.bytes(), bytes] {
                    if !part.is_empty() {
                        out.extend_from_slice(part);
                    }
                }
            }
            Outcome::Rpc(error) => encode_error(error, out),
            Outcome::Cancelled => {}
        }
    }
}

/// How a call ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome<'a> {
    /// With the servant's value, encoded, and the payloads that are inline.
    Ok(&'a [u8]),
    /// With the servant's error, encoded, and the payloads that are inline.
    App(&'a [u8]),
    /// Without the servant, or not as it meant to.
    Rpc(Error),
    /// Cancelled by its caller.
    Cancelled,
}

pub(super) fn encode_error(error: &Error, out: &mut Vec<u8>) {
    let executed = match error.executed() {
        Executed::No => 0,
        Executed::Maybe => 1,
        Executed::Yes => 2,
    };
    out.extend_from_slice(&[error.kind() as u8, executed]);
    out.extend_from_slice(error.text().as_bytes());
}

pub(super) fn decode_error(reader: &mut Reader<'_>) -> Result<Error, FrameError> {
    let kind = kind_of(reader.u8()?);
    let executed = match reader.u8()? {
        0 => Executed::No,
        1 => Executed::Maybe,
        2 => Executed::Yes,
        _ => return Err(FrameError::Value),
    };
    let text = std::str::from_utf8(reader.rest()).map_err(|_| FrameError::Text)?;
    Ok(Error::of(kind, text.to_owned()).executed_as(executed))
}

/// A kind that this build does not know is one that it can only report.
fn kind_of(number: u8) -> ErrorKind {
    const KINDS: [ErrorKind; 25] = [
        ErrorKind::Failed,
        ErrorKind::Unreachable,
        ErrorKind::NoSuchService,
        ErrorKind::WrongInterface,
        ErrorKind::Unimplemented,
        ErrorKind::SignatureMismatch,
        ErrorKind::TimedOut,
        ErrorKind::Cancelled,
        ErrorKind::Disconnected,
        ErrorKind::Overloaded,
        ErrorKind::TooLarge,
        ErrorKind::Encode,
        ErrorKind::Decode,
        ErrorKind::Panicked,
        ErrorKind::WaitInAsync,
        ErrorKind::WouldDeadlock,
        ErrorKind::ShuttingDown,
        ErrorKind::Protocol,
        ErrorKind::Address,
        ErrorKind::Configuration,
        ErrorKind::AddressInUse,
        ErrorKind::PermissionDenied,
        ErrorKind::NoRuntime,
        ErrorKind::Broken,
        ErrorKind::Pipeline,
    ];
    KINDS.get(usize::from(number)).copied().unwrap_or(ErrorKind::Failed)
}
