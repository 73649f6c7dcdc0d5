//! The one parser of frames: bytes go in where it says, whole frames come out. Reads nothing by itself.

use super::hint::hint;
use farcall_core::{buffer::Buffer, limits::Limits};
use std::{io, mem};

/// Bytes of the read buffer. A frame that does not fit is read into a buffer of its own.
pub(crate) const READ: usize = 32 << 10;
/// Bytes of the read buffer before it has ever been filled: a connection that only shakes hands touches no page of its own.
const FIRST: usize = 1 << 10;
/// Bytes of a length header.
pub(crate) const HEADER: usize = 4;
/// Bytes asked for on the word of a length header alone; with the page that a buffer adds, 64 KiB.
const RESERVE: usize = 60 << 10;

/// Bytes received and not yet taken as frames.
///
/// ```text
///            next: a small frame is copied out
///   READ ────────────────────────────────────────▶ READ
///    │ next: a frame that does not fit                ▲
///    ▼                                                │ next: the body is whole, and goes out as it is
///   BODY ─────────────────────────────────────────────┘
/// ```
pub(crate) struct Frames {
    /// The read buffer; without memory until the first read and after `relax`.
    bytes: Vec<u8>,
    /// Where in `bytes` the first frame not yet taken begins.
    start: usize,
    /// A large frame that is arriving. Then `bytes` holds at most what came behind it.
    body: Option<Body>,
    limit: usize,
    /// Whether no frame has been begun: only then are strangers recognised.
    first: bool,
}

struct Body {
    bytes: Buffer,
    length: usize,
}

impl Frames {
    pub(crate) fn new() -> Self {
        let limit = Limits::default().frame;
        Self { bytes: Vec::new(), start: 0, body: None, limit, first: true }
    }

    pub(crate) fn set_limit(&mut self, bytes: usize) {
        self.limit = bytes;
    }

    /// Takes the next frame, if it is whole.
    pub(crate) fn next(&mut self, frame: &mut Buffer) -> io::Result<bool> {
        if let Some(body) = &self.body {
            if body.bytes.len() < body.length {
                return Ok(false);
            }
            if let Some(body) = self.body.take() {
                *frame = body.bytes;
            }
            return Ok(true);
        }
        let Some((header, rest)) = self.bytes[self.start..].split_first_chunk() else {
            return Ok(false);
        };
        let length = self.check(*header)?;
        let Some(found) = rest.get(..length) else {
            if HEADER + length > READ {
                self.begin_body(length);
            }
            return Ok(false);
        };
        copy(found, frame);
        self.first = false;
        self.start += HEADER + length;
        if self.start == self.bytes.len() {
            self.empty_bytes();
        }
        Ok(true)
    }

    /// Where the next bytes go: behind what is there, into the spare capacity, which is not empty. Call it only after
    /// `next` found no frame, and `arrived` afterwards.
    pub(crate) fn space(&mut self) -> &mut Vec<u8> {
        match &mut self.body {
            Some(body) => {
                body.make_room();
                body.bytes.writer()
            }
            None => {
                make_room(&mut self.bytes, &mut self.start);
                &mut self.bytes
            }
        }
    }

    /// Takes note of bytes read into `space`. A pooled buffer may have room for more than its frame.
    pub(crate) fn arrived(&mut self) {
        let Some(body) = &mut self.body else { return };
        let Some(surplus) = body.bytes.get(body.length..).filter(|rest| !rest.is_empty()) else {
            return;
        };
        self.bytes.reserve(READ.max(surplus.len()));
        self.bytes.extend_from_slice(surplus);
        body.bytes.truncate(body.length);
    }

    /// Bytes of a frame that has begun and is not whole.
    pub(crate) fn partial(&self) -> usize {
        match &self.body {
            Some(body) => body.bytes.len(),
            None => self.bytes.len() - self.start,
        }
    }

    /// Whether the bytes so far end between two frames.
    pub(crate) fn is_between(&self) -> bool {
        self.body.is_none() && self.start == self.bytes.len()
    }

    /// Gives back the memory that is not in use.
    pub(crate) fn relax(&mut self) {
        if self.start == self.bytes.len() {
            self.bytes = Vec::new();
            self.start = 0;
        }
    }

    fn check(&self, header: [u8; HEADER]) -> io::Result<usize> {
        let length = u32::from_le_bytes(header) as usize;
        if (1..=self.limit).contains(&length) {
            return Ok(length);
        }
        match hint(header).filter(|_| self.first) {
            Some(hint) => Err(io::Error::new(io::ErrorKind::InvalidData, hint)),
            None => Err(bad_length(length, self.limit)),
        }
    }

    fn begin_body(&mut self, length: usize) {
        let found = &self.bytes[self.start + HEADER..];
        let mut bytes = Buffer::pooled(length)
            .unwrap_or_else(|| Buffer::with_capacity(length.min(RESERVE).max(found.len())));
        bytes.extend_from_slice(found);
        self.body = Some(Body { bytes, length });
        self.first = false;
        self.empty_bytes();
    }

    /// Forgets bytes that were all taken, and the memory that one surplus needed.
    fn empty_bytes(&mut self) {
        self.start = 0;
        if self.bytes.capacity() > 2 * READ {
            self.bytes = Vec::new();
        } else {
            self.bytes.clear();
        }
    }
}

impl Body {
    /// Doubles a full buffer, but never beyond the frame.
    fn make_room(&mut self) {
        if self.bytes.len() == self.bytes.capacity() {
            let wanted = self.length.min(2 * self.bytes.len().max(RESERVE));
            let more = wanted.saturating_sub(self.bytes.len());
            self.bytes.reserve_exact(more);
        }
    }
}

/// The error about a frame that is empty or too large.
fn bad_length(length: usize, limit: usize) -> io::Error {
    let text = match length {
        0 => "the peer sent a frame of length zero".to_owned(),
        _ => format!("the peer sent a frame of {length} bytes: the limit is {limit}"),
    };
    io::Error::new(io::ErrorKind::InvalidData, text)
}

/// Makes room for a whole frame that fits the read buffer.
fn make_room(bytes: &mut Vec<u8>, start: &mut usize) {
    if bytes.capacity() == 0 {
        bytes.reserve_exact(FIRST);
    }
    if *start > 0 && bytes.capacity() - bytes.len() < READ / 2 {
        bytes.drain(..mem::take(start));
    }
    if bytes.len() == bytes.capacity() {
        bytes.reserve(READ);
    }
}

/// Replaces what `frame` held, in its own memory where that is large enough.
fn copy(found: &[u8], frame: &mut Buffer) {
    if frame.capacity() < found.len() {
        *frame = Buffer::with_capacity(found.len());
    }
    frame.clear();
    frame.extend_from_slice(found);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wire(frames: &[&[u8]]) -> Vec<u8> {
        let encode = |frame: &&[u8]| [&(frame.len() as u32).to_le_bytes(), *frame].concat();
        frames.iter().flat_map(encode).collect()
    }

    /// Feeds `bytes` in pieces of `piece` and collects the frames.
    fn parse(frames: &mut Frames, bytes: &[u8], piece: usize) -> io::Result<Vec<Vec<u8>>> {
        let (mut found, mut frame) = (Vec::new(), Buffer::new());
        for piece in bytes.chunks(piece) {
            let mut piece = piece;
            while !piece.is_empty() {
                let space = frames.space();
                let room = piece.len().min(space.capacity() - space.len());
                space.extend_from_slice(&piece[..room]);
                piece = &piece[room..];
                frames.arrived();
                while frames.next(&mut frame)? {
                    found.push(frame.to_vec());
                }
            }
        }
        Ok(found)
    }

    #[test]
    fn frames_come_out_as_they_went_in_however_they_are_cut() {
        let large: Vec<u8> = (0..200_000_u32).map(|n| n as u8).collect();
        let frames: [&[u8]; 7] =
            [b"a", &large[..READ], &large[..READ - 4], &large, b"bc", &large[..70_000], b"d"];
        let bytes = wire(&frames);
        for piece in [1, 3, 5, 1000, READ, READ + 1, 90_000, bytes.len()] {
            let found = parse(&mut Frames::new(), &bytes, piece).expect("valid frames");
            assert!(found == frames, "in pieces of {piece}");
        }
    }

    #[test]
    fn a_length_alone_reserves_little() {
        // More than the pool ever keeps.
        const LENGTH: u32 = 1 << 30;
        let mut frames = Frames::new();
        frames.set_limit(LENGTH as usize);
        let header = LENGTH.to_le_bytes();
        assert_eq!(parse(&mut frames, &header, 4).expect("a valid header"), Vec::<Vec<u8>>::new());
        let space = frames.space();
        // The pool may give a buffer that is there already, four times as large.
        assert!((1..=256 << 10).contains(&space.capacity()), "{}", space.capacity());
        assert!(!frames.is_between());
    }

    #[test]
    fn bad_lengths_are_refused_with_a_text() {
        for (bytes, want) in [
            (&[0; 4][..], "the peer sent a frame of length zero"),
            (&[0xff; 4], "the peer sent a frame of 4294967295 bytes: the limit is 4096"),
            (&[1, 16, 0, 0], "the peer sent a frame of 4097 bytes: the limit is 4096"),
            (b"GET / HTTP/1.1", "the peer speaks HTTP, and this is a farcall endpoint"),
            (&[0x16, 3, 1, 2, 0], "the peer speaks TLS, and this endpoint is without TLS"),
        ] {
            let mut frames = Frames::new();
            frames.set_limit(4096);
            let error = parse(&mut frames, bytes, 3).expect_err("a bad length");
            assert_eq!((error.kind(), &*error.to_string()), (io::ErrorKind::InvalidData, want));
        }
    }

    #[test]
    fn a_stranger_is_recognised_only_at_the_beginning() {
        let mut frames = Frames::new();
        let bytes = [wire(&[b"first"]), b"GET ".to_vec()].concat();
        let error = parse(&mut frames, &bytes, 100).expect_err("a bad length");
        assert!(error.to_string().contains("542393671 bytes"), "{error}");
    }

    #[test]
    fn relaxing_gives_the_read_buffer_back_and_loses_nothing() {
        let mut frames = Frames::new();
        let bytes = wire(&[b"one", b"two"]);
        assert_eq!(parse(&mut frames, &bytes[..9], 9).expect("valid"), [b"one"]);
        frames.relax();
        assert_eq!(parse(&mut frames, &bytes[9..], 9).expect("valid"), [b"two"]);
        frames.relax();
        assert_eq!(frames.bytes.capacity(), 0);
    }
}
