//! Frames of a length, a kind and a body, and the inbox that cuts a stream into them.

use anyhow::{Result, bail, ensure};

use super::stream::Stream;
use crate::work;

/// What a frame asks for; answers have the kind of their question.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Add = 1,
    Echo = 2,
    Sum = 3,
}

/// A frame in the inbox.
pub struct Frame<'a> {
    pub kind: u8,
    pub body: &'a [u8],
}

/// Five bytes: the length of the body, then the kind.
pub fn header(kind: u8, length: usize) -> [u8; HEADER] {
    let [a, b, c, d] = (length as u32).to_le_bytes();
    [a, b, c, d, kind]
}

/// A whole frame that adds `a` and `b`.
pub fn add_frame(a: u64, b: u64) -> [u8; HEADER + 16] {
    let mut frame = [0; HEADER + 16];
    frame[..HEADER].copy_from_slice(&header(Kind::Add as u8, 16));
    frame[HEADER..HEADER + 8].copy_from_slice(&a.to_le_bytes());
    frame[HEADER + 8..].copy_from_slice(&b.to_le_bytes());
    frame
}

/// The number at `position` of a body.
pub fn number(body: &[u8], position: usize) -> Result<u64> {
    let bytes = body.get(position * 8..position * 8 + 8);
    let Some(Ok(bytes)) = bytes.map(<[u8; 8]>::try_from) else { bail!("a short body") };
    Ok(u64::from_le_bytes(bytes))
}

/// Bytes that were read, cut into frames. Its memory is kept.
pub struct Inbox {
    buffer: Vec<u8>,
    start: usize,
    end: usize,
}

impl Inbox {
    pub fn new() -> Self {
        Self { buffer: vec![0; 64 << 10], start: 0, end: 0 }
    }

    /// The next frame that is there in full.
    pub fn frame(&mut self) -> Option<Frame<'_>> {
        let whole = self.needed().filter(|needed| self.end - self.start >= *needed)?;
        let frame = &self.buffer[self.start..self.start + whole];
        self.start += whole;
        Some(Frame { kind: frame[HEADER - 1], body: &frame[HEADER..] })
    }

    /// Waits for more bytes; how many came, 0 at the end of the stream.
    pub fn fill(&mut self, stream: &mut Stream) -> Result<usize> {
        let needed = self.needed().unwrap_or(HEADER);
        ensure!(needed <= work::MAX_FRAME, "a frame of {needed} bytes");
        if self.start + needed > self.buffer.len() || self.start == self.end {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        if needed > self.buffer.len() {
            self.buffer.resize(needed.next_power_of_two(), 0);
        }
        let room = &mut self.buffer[self.end..];
        let read = stream.read(room)?;
        self.end += read;
        Ok(read)
    }

    /// Waits for one whole frame.
    pub fn wait(&mut self, stream: &mut Stream) -> Result<Frame<'_>> {
        while self.needed().is_none_or(|needed| self.end - self.start < needed) {
            ensure!(self.fill(stream)? > 0, "the server hung up");
        }
        self.frame().map_or_else(|| bail!("no frame after all"), Ok)
    }

    /// The length of the frame that begins here, with its header.
    fn needed(&self) -> Option<usize> {
        let length = self.buffer[self.start..self.end].first_chunk::<4>()?;
        Some(HEADER + u32::from_le_bytes(*length) as usize)
    }
}

const HEADER: usize = 5;

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::os::unix::net::UnixStream;

    use super::super::stream::Socket;
    use super::*;

    #[test]
    fn frames_come_out_as_they_went_in() {
        let (mut near, far) = UnixStream::pair().expect("a pair of sockets");
        let mut far = Stream::from(Socket::Unix(far));
        let large = work::pattern(200 << 10);
        let writer = std::thread::spawn(move || {
            for byte in add_frame(1, 2) {
                near.write_all(&[byte]).expect("written");
            }
            near.write_all(&header(Kind::Echo as u8, large.len())).expect("written");
            near.write_all(&large).expect("written");
        });
        let mut inbox = Inbox::new();
        let frame = inbox.wait(&mut far).expect("a small frame");
        assert_eq!(number(frame.body, 1).expect("two numbers"), 2);
        let frame = inbox.wait(&mut far).expect("a large frame");
        assert_eq!((frame.kind, frame.body.len()), (Kind::Echo as u8, 200 << 10));
        assert!(inbox.frame().is_none());
        writer.join().expect("the writer is done");
    }
}
