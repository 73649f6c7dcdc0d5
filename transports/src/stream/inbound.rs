//! The receiving half on a byte stream: reads where [`Frames`] says, and asks no more often than it must.

use super::frames::Frames;
use farcall_core::{
    buffer::Buffer,
    transport::{Received, Rx},
};
use std::io;

/// What bytes are read from, without blocking.
pub(crate) trait Source: Send {
    /// Reads into the spare capacity of `space`, which is not empty, and appends. Zero bytes are the end.
    ///
    /// # Errors
    /// `WouldBlock` if there is nothing now.
    fn read(&mut self, space: &mut Vec<u8>) -> io::Result<Read>;

    /// After the end: the other end surely does not read any more either.
    fn is_gone(&self) -> bool {
        false
    }

    /// The wire will be idle: gives back what an idle wire does not need.
    fn relax(&mut self) {}
}

/// What a read found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Read {
    /// Bytes, and there may be more.
    Bytes,
    /// Bytes, and there were no more when they were read.
    #[cfg_attr(
        not(all(unix, any(feature = "unix", feature = "tcp"))),
        expect(dead_code, reason = "only a socket knows")
    )]
    Drained,
    /// Nothing, nor will there be anything.
    End,
}

/// The receiving half of a wire.
pub(crate) struct Inbound<S> {
    frames: Frames,
    source: S,
    /// What the last read found.
    last: Read,
}

impl<S: Source> Inbound<S> {
    pub(crate) fn new(source: S) -> Self {
        Self { frames: Frames::new(), source, last: Read::Bytes }
    }

    fn end(&self) -> io::Result<Received> {
        if self.frames.is_between() {
            let gone = self.source.is_gone();
            return Ok(if gone { Received::Gone } else { Received::End });
        }
        let text = "the peer closed the wire in the middle of a frame";
        Err(io::Error::new(io::ErrorKind::UnexpectedEof, text))
    }
}

impl<S: Source> Rx for Inbound<S> {
    fn recv(&mut self, frame: &mut Buffer) -> io::Result<Received> {
        loop {
            if self.frames.next(frame)? {
                return Ok(Received::Frame);
            }
            match self.last {
                Read::Bytes => {}
                Read::Drained => {
                    // Whoever asks again wants the source to be tried again.
                    self.last = Read::Bytes;
                    return Ok(Received::Empty);
                }
                Read::End => return self.end(),
            }
            match self.source.read(self.frames.space()) {
                Ok(read) => {
                    self.last = read;
                    self.frames.arrived();
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    return Ok(Received::Empty);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn partial(&self) -> usize {
        self.frames.partial()
    }

    fn set_frame_limit(&mut self, bytes: usize) {
        self.frames.set_limit(bytes);
    }

    fn relax(&mut self) {
        self.frames.relax();
        self.source.relax();
    }
}
