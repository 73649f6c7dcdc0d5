//! The wire: what a frame's bytes mean. Nothing else in the crate knows. See PROTOCOL.md.
//!
//! Frames decode without copying: what is of variable length borrows from the frame.

#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

mod call;
mod hello;
mod payloads;
mod reader;
mod references;
mod released;
mod reply;

pub use call::{CallHeader, DEPTH, Target, Trace, metadata_pairs, put_metadata};
pub use hello::Hello;
pub use payloads::{Entry, MOST_PAYLOADS, Place, Table};
pub use reader::{FrameError, Reader};
pub use references::{Descriptor, MOST_REFERENCES, References};
pub use released::Releases;
pub use reply::{Outcome, ReturnHeader};

use crate::{
    error::Error,
    id::{CallId, ObjectId},
};

/// The protocol's version. Peers of different versions refuse each other.
pub const VERSION: u16 = 1;

/// The first byte of each frame.
pub mod kind {
    /// First frame both ways.
    pub const HELLO: u8 = 1;
    /// A call.
    pub const CALL: u8 = 2;
    /// The answer to a call.
    pub const RETURN: u8 = 3;
    /// The caller needs nothing more of a call.
    pub const FINISH: u8 = 4;
    /// Counts of references given back.
    pub const RELEASE: u8 = 5;
    /// An object is dead.
    pub const BROKEN: u8 = 6;
    /// Reserved: items of a stream.
    pub const ITEM: u8 = 7;
    /// Reserved: credit of a stream.
    pub const CREDIT: u8 = 8;
    /// Reserved: the end of a stream.
    pub const END: u8 = 9;
    /// Reserved: a piece of a large frame.
    pub const PART: u8 = 10;
    /// Asks for a sign of life.
    pub const PING: u8 = 11;
    /// A sign of life.
    pub const PONG: u8 = 12;
    /// No more calls are taken.
    pub const GOODBYE: u8 = 13;
    /// The connection ends with an error.
    pub const ABORT: u8 = 14;
    /// A frame of this kind was not understood.
    pub const UNIMPLEMENTED: u8 = 15;
    /// A call on what another call returns.
    pub const PIPELINED: u8 = 16;
    /// Describes an interface of the objects that are lent.
    pub const INTERFACE: u8 = 17;
}

/// One frame, decoded.
#[derive(Clone, PartialEq, Debug)]
pub enum Frame<'a> {
    /// The first frame both ways.
    Hello(Hello),
    /// A call; its arguments, and the payloads that are inline, are the rest of the frame.
    Call(CallHeader<'a>, &'a [u8]),
    /// The answer to a call.
    Return(ReturnHeader<'a>, Outcome<'a>),
    /// The caller needs nothing more of a call; before its return, a request to cancel it.
    Finish(CallId),
    /// References given back.
    Release(Releases<'a>),
    /// An object that the sender has lent is dead, and why.
    Broken(ObjectId, Error),
    /// Describes the next interface of the objects that the sender lends.
    Interface(&'a [u8]),
    /// Asks for a pong with the same number.
    Ping(u64),
    /// Answers a ping.
    Pong(u64),
    /// No more calls are taken; so many have been.
    Goodbye {
        /// How many of the receiver's calls the sender has accepted.
        accepted: u64,
    },
    /// The connection ends because of this error.
    Abort(Error),
    /// The sender did not understand a frame of this kind.
    Unimplemented(u8),
    /// A frame of a kind that this build does not know.
    Unknown(u8),
}

impl<'a> Frame<'a> {
    /// Decodes one whole frame.
    ///
    /// # Errors
    /// If the bytes are not a frame of this protocol.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, FrameError> {
        let mut reader = Reader::new(bytes);
        let frame = match reader.u8()? {
            kind::HELLO => Self::Hello(Hello::decode(&mut reader)?),
            kind::CALL | kind::PIPELINED => {
                let (header, arguments) = CallHeader::decode(bytes)?;
                return Ok(Self::Call(header, arguments));
            }
            kind::RETURN => {
                let (header, outcome) = ReturnHeader::decode(bytes)?;
                return Ok(Self::Return(header, outcome));
            }
            kind::FINISH => Self::Finish(reader.call_id()?),
            kind::RELEASE => Self::Release(Releases::decode(&mut reader)?),
            kind::BROKEN => Self::Broken(reader.object_id()?, reply::decode_error(&mut reader)?),
            kind::INTERFACE => Self::Interface(reader.rest()),
            kind::PING => Self::Ping(reader.u64()?),
            kind::PONG => Self::Pong(reader.u64()?),
            kind::GOODBYE => Self::Goodbye { accepted: reader.u64()? },
            kind::ABORT => Self::Abort(reply::decode_error(&mut reader)?),
            kind::UNIMPLEMENTED => Self::Unimplemented(reader.u8()?),
            other => return Ok(Self::Unknown(other)),
        };
        reader.end()?;
        Ok(frame)
    }

    /// Appends the frame's bytes to `out`.
    pub fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Hello(hello) => hello.encode(out),
            Self::Call(header, arguments) => {
                header.encode(out);
                out.extend_from_slice(arguments);
            }
            Self::Return(header, outcome) => header.encode(outcome, out),
            Self::Finish(call) => {
                out.push(kind::FINISH);
                put_call_id(out, *call);
            }
            Self::Release(releases) => {
                out.push(kind::RELEASE);
                out.extend_from_slice(releases.bytes());
            }
            Self::Broken(object, error) => {
                out.push(kind::BROKEN);
                put_object_id(out, *object);
                reply::encode_error(error, out);
            }
            Self::Interface(description) => {
                out.push(kind::INTERFACE);
                out.extend_from_slice(description);
            }
            Self::Ping(number) => put_number(out, kind::PING, *number),
            Self::Pong(number) => put_number(out, kind::PONG, *number),
            Self::Goodbye { accepted } => put_number(out, kind::GOODBYE, *accepted),
            Self::Abort(error) => {
                out.push(kind::ABORT);
                reply::encode_error(error, out);
            }
            Self::Unimplemented(of) => out.extend_from_slice(&[kind::UNIMPLEMENTED, *of]),
            Self::Unknown(kind) => out.push(*kind),
        }
    }
}

fn put_number(out: &mut Vec<u8>, kind: u8, number: u64) {
    out.push(kind);
    put_varint(out, number);
}

#[inline]
fn put_call_id(out: &mut Vec<u8>, call: CallId) {
    put_varint(out, u64::from(call.slot));
    put_varint(out, u64::from(call.generation));
}

#[inline]
fn put_object_id(out: &mut Vec<u8>, object: ObjectId) {
    put_varint(out, u64::from(object.slot));
    put_varint(out, u64::from(object.generation));
}

/// Appends a varint: seven bits a byte, lowest first, the eighth bit says that more follow.
#[inline]
fn put_varint(out: &mut Vec<u8>, value: u64) {
    let low = (value & 0x7f) as u8;
    match value >> 7 {
        0 => out.push(low),
        high @ 1..0x80 => out.extend_from_slice(&[low | 0x80, high as u8]),
        high => {
            out.push(low | 0x80);
            put_long(out, high);
        }
    }
}

fn put_long(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

#[cfg(test)]
mod tests;
