//! What both ends say on the control socket before the first frame: messages of 64 bytes, with descriptors beside them.
//!
//! ```text
//! client                                     server
//!   SEGMENT + its segment, its doorbells ──▶
//!                                        ◀── SEGMENT + its segment, its doorbells
//!   GO                                   ──▶
//! ```
//!
//! Each of the three may be FRAMES instead, from a side that has no shared memory or cannot use what it was given: then
//! the socket itself carries the frames. REFUSED says that this version, or this geometry, is not understood.

use super::ring::Geometry;
use rustix::{
    cmsg_space,
    net::{
        RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer,
        SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
    },
};
use std::{
    io::{self, IoSlice, IoSliceMut},
    mem::MaybeUninit,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
};
use tokio::{io::Interest, net::UnixStream};

/// Bytes of a message.
const LENGTH: usize = 64;
const MAGIC: [u8; 8] = *b"farcshm\n";
/// The layout of segments and the order of messages.
const VERSION: u32 = 1;
/// Descriptors beside a segment: its memory, the doorbell of its owner's tasks, that of its threads.
const DESCRIPTORS: usize = 3;

/// What a message says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Word {
    /// The frames go over this socket.
    Frames,
    /// Here is my segment.
    Segment(Geometry),
    /// I have yours.
    Go,
    /// We do not understand each other.
    Refused,
}

/// What comes beside a segment.
#[derive(Debug)]
pub(super) struct Descriptors {
    pub(super) memory: OwnedFd,
    pub(super) task: OwnedFd,
    pub(super) thread: OwnedFd,
}

/// Sends a message with the descriptors beside it.
pub(super) async fn send(
    stream: &UnixStream,
    word: Word,
    descriptors: &[BorrowedFd<'_>],
) -> io::Result<()> {
    let message = encode(word);
    let mut sent = 0;
    while sent < LENGTH {
        sent += stream
            .async_io(Interest::WRITABLE, || {
                let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(DESCRIPTORS))];
                let mut control = SendAncillaryBuffer::new(&mut space);
                if sent == 0 && !descriptors.is_empty() {
                    control.push(SendAncillaryMessage::ScmRights(descriptors));
                }
                let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
                let bytes = [IoSlice::new(&message[sent..])];
                Ok(sendmsg(stream.as_fd(), &bytes, &mut control, flags)?)
            })
            .await?;
    }
    Ok(())
}

/// Receives a message and what comes beside it.
///
/// # Errors
/// `InvalidData` if it is no such message, or not all of its descriptors are there, or more.
pub(super) async fn receive(stream: &UnixStream) -> io::Result<(Word, Option<Descriptors>)> {
    let mut message = [0; LENGTH];
    let mut descriptors = Vec::new();
    let mut received = 0;
    while received < LENGTH {
        let space = &mut message[received..];
        let count = stream
            .async_io(Interest::READABLE, || receive_some(stream, space, &mut descriptors))
            .await?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        received += count;
    }
    let word = decode(&message)?;
    match (word, descriptors.len()) {
        (Word::Segment(_), DESCRIPTORS) => {}
        (Word::Segment(_), count) => {
            return Err(wrong(&format!("{count} descriptors came with a segment, not 3")));
        }
        (_, 0) => return Ok((word, None)),
        _ => return Err(wrong("descriptors came without a segment")),
    }
    let mut descriptors = descriptors.into_iter();
    let (Some(memory), Some(task), Some(thread)) =
        (descriptors.next(), descriptors.next(), descriptors.next())
    else {
        return Err(wrong("descriptors are missing"));
    };
    Ok((word, Some(Descriptors { memory, task, thread })))
}

fn receive_some(
    stream: &UnixStream,
    bytes: &mut [u8],
    descriptors: &mut Vec<OwnedFd>,
) -> io::Result<usize> {
    let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(DESCRIPTORS))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let flags = RecvFlags::DONTWAIT | RecvFlags::CMSG_CLOEXEC;
    let received = recvmsg(stream.as_fd(), &mut [IoSliceMut::new(bytes)], &mut control, flags)?;
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(more) = message {
            descriptors.extend(more);
        }
    }
    if received.flags.contains(ReturnFlags::CTRUNC) || descriptors.len() > DESCRIPTORS {
        return Err(wrong(
            "more descriptors came than there should be, or than this process may have",
        ));
    }
    Ok(received.bytes)
}

fn encode(word: Word) -> [u8; LENGTH] {
    let (what, geometry) = match word {
        Word::Frames => (0_u32, None),
        Word::Segment(geometry) => (1, Some(geometry)),
        Word::Go => (2, None),
        Word::Refused => (3, None),
    };
    let length = geometry.map_or(0, |geometry| geometry.length() as u64);
    let ring = geometry.map_or(0, |geometry| geometry.ring_bytes() as u64);
    let record = geometry.map_or(0, |geometry| geometry.record() as u64);
    let mut message = [0; LENGTH];
    message[..8].copy_from_slice(&MAGIC);
    message[8..12].copy_from_slice(&VERSION.to_le_bytes());
    message[12..16].copy_from_slice(&what.to_le_bytes());
    let arena = geometry.map_or(0, |geometry| geometry.arena_bytes() as u64);
    for (at, value) in [(16, length), (24, ring), (32, record), (40, arena)] {
        message[at..at + 8].copy_from_slice(&value.to_le_bytes());
    }
    message
}

fn decode(message: &[u8; LENGTH]) -> io::Result<Word> {
    if message[..8] != MAGIC {
        return Err(wrong(
            "it does not begin as shm:// does: check that both ends use this scheme",
        ));
    }
    let version = word_at(message, 8);
    if version != VERSION {
        let text = format!(
            "the peer speaks version {version} of shm://, and this side speaks {VERSION}: build both ends with the same \
             version of farcall, or use unix://"
        );
        return Err(io::Error::new(io::ErrorKind::Unsupported, text));
    }
    match word_at(message, 12) {
        0 => Ok(Word::Frames),
        1 => segment(message).map(Word::Segment),
        2 => Ok(Word::Go),
        3 => Ok(Word::Refused),
        _ => Err(wrong("it says what nobody knows")),
    }
}

fn segment(message: &[u8; LENGTH]) -> io::Result<Geometry> {
    let size = |at| usize::try_from(long_at(message, at)).ok();
    let geometry = size(24).zip(size(40)).and_then(|(ring, arena)| Geometry::new(ring, arena));
    let fits = |geometry: &Geometry| {
        geometry.length() as u64 == long_at(message, 16)
            && geometry.record() as u64 == long_at(message, 32)
    };
    geometry.filter(fits).ok_or_else(|| {
        let text = format!(
            "the peer's segment has a ring of {} bytes and an arena of {} in {} bytes, which this side does not take",
            long_at(message, 24),
            long_at(message, 40),
            long_at(message, 16)
        );
        io::Error::new(io::ErrorKind::Unsupported, text)
    })
}

fn word_at(message: &[u8; LENGTH], at: usize) -> u32 {
    let mut word = [0; 4];
    word.copy_from_slice(&message[at..at + 4]);
    u32::from_le_bytes(word)
}

fn long_at(message: &[u8; LENGTH], at: usize) -> u64 {
    u64::from(word_at(message, at)) | u64::from(word_at(message, at + 4)) << 32
}

fn wrong(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("no handshake of shm://: {what}"))
}
