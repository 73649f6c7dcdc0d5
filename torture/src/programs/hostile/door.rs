//! Strangers at the door of a server: handshakes of `shm://` with descriptors that are not what they should be.

use anyhow::{Context, Result, ensure};
use rustix::{
    event::{EventfdFlags, eventfd},
    fs::{MemfdFlags, SealFlags, fcntl_add_seals, ftruncate, memfd_create},
    net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg},
    pipe::pipe,
};
use std::{
    io::{ErrorKind, IoSlice, Read, Write},
    mem::MaybeUninit,
    os::{
        fd::{AsFd, OwnedFd},
        unix::net::UnixStream,
    },
    path::Path,
    time::Duration,
};

/// How soon a stranger must be sent away.
const PATIENCE: Duration = Duration::from_secs(20);
/// What a segment is sealed against.
const SEALS: SealFlags =
    SealFlags::SHRINK.union(SealFlags::GROW).union(SealFlags::FUTURE_WRITE).union(SealFlags::SEAL);
/// Where a message says what it is: 2 means that a handshake is over.
const WHAT: usize = 12;
/// Where it says its version, how long its segment is, and how long the ring in it.
const VERSION: usize = 8;
const LENGTH: usize = 16;
const RING: usize = 24;

/// How many kinds of strangers there are.
pub(super) const KINDS: usize = 18;

/// A server's door, and how honest clients knock at it.
pub(super) struct Door<'a> {
    pub(super) path: &'a Path,
    /// The first message of an honest client.
    pub(super) knock: &'a [u8],
}

impl Door<'_> {
    /// Comes as a stranger, and expects to be sent away.
    pub(super) fn knock(&self, kind: usize) -> Result<()> {
        let good = || self.memory(0, SEALS);
        let wrong = |seals| self.memory(0, seals);
        let length = self.length()?;
        match kind {
            0 => self.refused(
                b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n and some more of it ...",
                vec![],
            ),
            1 => self.refused(self.knock, vec![]),
            2 => self.refused(self.knock, vec![good()?, bell()?]),
            3 => self.refused(self.knock, vec![good()?, bell()?, bell()?, bell()?]),
            4 => self.refused(self.knock, (0..16).map(|_| bell()).collect::<Result<_>>()?),
            5 => self.refused(self.knock, vec![wrong(SealFlags::empty())?, bell()?, bell()?]),
            6 => {
                self.refused(self.knock, vec![wrong(SEALS - SealFlags::SHRINK)?, bell()?, bell()?])
            }
            7 => self.refused(self.knock, vec![wrong(SEALS - SealFlags::GROW)?, bell()?, bell()?]),
            8 => self.refused(
                self.knock,
                vec![wrong(SEALS - SealFlags::FUTURE_WRITE)?, bell()?, bell()?],
            ),
            9 => self.refused(self.knock, vec![wrong(SEALS | SealFlags::WRITE)?, bell()?, bell()?]),
            10 => self.refused(self.knock, vec![self.memory(4096, SEALS)?, bell()?, bell()?]),
            11 => self.refused(self.knock, vec![self.memory(1 << 40, SEALS)?, bell()?, bell()?]),
            12 => {
                let file = tempfile::tempfile()?;
                file.set_len(length)?;
                self.refused(self.knock, vec![file.into(), bell()?, bell()?])
            }
            13 => self.refused(self.knock, vec![good()?, bell()?, pipe()?.1]),
            14 => self.refused(&self.with(VERSION, 0xffff), vec![good()?, bell()?, bell()?]),
            15 => self.refused(&self.with(RING, 3), vec![good()?, bell()?, bell()?]),
            16 => self.speaks(&self.with(WHAT, 7)),
            _ => self.speaks(&[self.with(WHAT, 2), b"and another word".to_vec()].concat()),
        }
        .with_context(|| format!("a stranger of kind {kind}"))
    }

    /// Sends this, and expects to be told that it is refused, or nothing, and then the end.
    fn refused(&self, bytes: &[u8], descriptors: Vec<OwnedFd>) -> Result<()> {
        let mut stream = self.send(bytes, descriptors)?;
        let mut said = Vec::new();
        end_of(&mut stream, &mut said)?;
        let refused = said.len() == self.knock.len() && said[WHAT] == 3;
        ensure!(said.is_empty() || refused, "it was let in: {said:?}");
        Ok(())
    }

    /// Shakes hands until the last word, and says another one instead.
    fn speaks(&self, bytes: &[u8]) -> Result<()> {
        let memory = self.memory(0, SEALS)?;
        let mut stream = self.send(self.knock, vec![memory, bell()?, bell()?])?;
        let mut answer = vec![0; self.knock.len()];
        stream.read_exact(&mut answer)?;
        ensure!(answer[WHAT] == 1, "it was not let in");
        stream.write_all(bytes)?;
        end_of(&mut stream, &mut Vec::new())
    }

    fn send(&self, bytes: &[u8], descriptors: Vec<OwnedFd>) -> Result<UnixStream> {
        let stream = UnixStream::connect(self.path)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let descriptors: Vec<_> = descriptors.iter().map(AsFd::as_fd).collect();
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(16))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        if !descriptors.is_empty() {
            control.push(SendAncillaryMessage::ScmRights(&descriptors));
        }
        sendmsg(&stream, &[IoSlice::new(bytes)], &mut control, SendFlags::NOSIGNAL)?;
        Ok(stream)
    }

    /// Memory of so many bytes more or less than it should have (0: as it should be), with these seals.
    fn memory(&self, length: u64, seals: SealFlags) -> Result<OwnedFd> {
        let length = if length == 0 { self.length()? } else { length };
        let memory = memfd_create("stranger", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
        ftruncate(&memory, length)?;
        fcntl_add_seals(&memory, seals)?;
        Ok(memory)
    }

    fn length(&self) -> Result<u64> {
        let bytes = self.knock.get(LENGTH..LENGTH + 8).context("a message is that long")?;
        Ok(u64::from_le_bytes(bytes.try_into()?))
    }

    /// The message of an honest client, with another word in it.
    fn with(&self, at: usize, word: u32) -> Vec<u8> {
        let mut message = self.knock.to_vec();
        message[at..at + 4].copy_from_slice(&word.to_le_bytes());
        message
    }
}

fn bell() -> Result<OwnedFd> {
    Ok(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?)
}

/// Reads to the end of a stream, which comes in time.
fn end_of(stream: &mut UnixStream, said: &mut Vec<u8>) -> Result<()> {
    match stream.read_to_end(said) {
        Err(error) if error.kind() == ErrorKind::WouldBlock => {
            Err(error).context("it is not sent away")
        }
        // A reset is an end, too.
        _ => Ok(()),
    }
}
