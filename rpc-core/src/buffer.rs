//! Pooled bytes. The first touch of a fresh page costs more than copying it: what is large is kept and reused.
//!
//! Where in its page a large buffer begins matters too: some processors copy four times slower when the destination lies less than
//! 16 bytes behind the source, modulo a page, and the kernel does not look. A mapping from the allocator begins 16 bytes after a page's
//! beginning and a frame's header has about as many, so that sockets would copy at that speed. Large buffers begin in the middle of a page.

use crate::copy;
use std::{
    cell::RefCell,
    mem,
    ops::{Deref, DerefMut},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Capacity from which a buffer is kept by the process and not by the thread.
const LARGE: usize = 32 << 10;
/// Small buffers kept per thread.
const SMALL_KEPT: usize = 64;
/// Bytes of large buffers kept per process.
const LARGE_KEPT: usize = 64 << 20;
/// How long an unused large buffer is kept.
const LARGE_IDLE: Duration = Duration::from_secs(2);
/// The distance at which addresses are alike to a processor that copies.
const PAGE: usize = 4096;

/// Bytes that go back to a pool when they are dropped, if their memory came from there.
#[derive(Default, Debug)]
pub struct Buffer {
    /// The bytes, behind `start` others that only see to the alignment.
    bytes: Vec<u8>,
    start: u32,
    /// Made by the program: its memory goes back to the allocator, where the program will ask for it again.
    foreign: bool,
}

impl Buffer {
    /// An empty buffer without memory.
    #[must_use]
    pub const fn new() -> Self {
        Self { bytes: Vec::new(), start: 0, foreign: false }
    }

    /// An empty buffer with room for `capacity` bytes, from the pool where it has one.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        if capacity < LARGE {
            let mut bytes = take_small();
            if bytes.capacity() < capacity {
                grow(&mut bytes, capacity);
            }
            return Self { bytes, start: 0, foreign: false };
        }
        Self::with_large(capacity)
    }

    #[cold]
    fn with_large(capacity: usize) -> Self {
        Self::pooled(capacity).unwrap_or_else(|| Self::large(Vec::with_capacity(capacity + PAGE)))
    }

    /// An empty buffer with room for `capacity` bytes, if the pool has one: no memory is allocated.
    #[must_use]
    pub fn pooled(capacity: usize) -> Option<Self> {
        take_large(capacity + PAGE).map(Self::large)
    }

    fn large(mut bytes: Vec<u8>) -> Self {
        let start = (PAGE / 2).wrapping_sub(bytes.as_ptr().addr()) % PAGE;
        bytes.resize(start, 0);
        Self { bytes, start: start as u32, foreign: false }
    }

    /// Bytes that there is memory for, those that are there included.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.bytes.capacity() - self.start()
    }

    /// Appends.
    pub fn extend_from_slice(&mut self, bytes: &[u8]) {
        copy::append(&mut self.bytes, bytes);
    }

    /// Makes room for so many bytes more, and not for many beyond.
    pub fn reserve_exact(&mut self, more: usize) {
        self.bytes.reserve_exact(more + PAGE);
    }

    /// Makes it `length` bytes long; those that come to it are zeros.
    pub fn resize(&mut self, length: usize) {
        self.bytes.resize(self.start() + length, 0);
    }

    /// Keeps the first `length` bytes.
    pub fn truncate(&mut self, length: usize) {
        self.bytes.truncate(self.start() + length);
    }

    /// Forgets the bytes and keeps the memory.
    pub fn clear(&mut self) {
        self.truncate(0);
    }

    fn start(&self) -> usize {
        self.start as usize
    }

    /// The vector to append to: its last bytes are the buffer's, its spare capacity too. Nothing may be taken from it.
    pub fn writer(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// The bytes as an ordinary vector, which the pool does not see again.
    #[must_use]
    pub fn into_vec(mut self) -> Vec<u8> {
        let mut bytes = mem::take(&mut self.bytes);
        bytes.drain(..self.start());
        self.start = 0;
        bytes
    }
}

impl From<Vec<u8>> for Buffer {
    fn from(bytes: Vec<u8>) -> Self {
        Self { bytes, start: 0, foreign: true }
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl Deref for Buffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.bytes.get(self.start()..).unwrap_or_default()
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [u8] {
        {
            let start = self.start();
            self.bytes.get_mut(start..)
        }
        .unwrap_or_default()
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        match self.bytes.capacity() {
            0 => {}
            _ if self.foreign => {}
            capacity if capacity < LARGE => keep_small(mem::take(&mut self.bytes)),
            _ => keep_large(mem::take(&mut self.bytes)),
        }
    }
}

thread_local! {
    static SMALL: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

static LARGE_POOL: Mutex<LargePool> = Mutex::new(LargePool { kept: Vec::new(), bytes: 0 });

struct LargePool {
    kept: Vec<(Vec<u8>, Instant)>,
    bytes: usize,
}

/// Gives back large buffers that nobody has used for a while. Called by connections that go idle.
pub(crate) fn trim() {
    let mut old = Vec::new();
    {
        let mut pool = LARGE_POOL.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        while let Some((_, since)) = pool.kept.first() {
            if now.duration_since(*since) < LARGE_IDLE {
                break;
            }
            let (bytes, _) = pool.kept.remove(0);
            pool.bytes -= bytes.capacity();
            old.push(bytes);
        }
    }
    drop(old);
}

fn take_small() -> Vec<u8> {
    SMALL.try_with(|small| small.borrow_mut().pop()).ok().flatten().unwrap_or_default()
}

/// An empty vector.
#[cold]
fn grow(bytes: &mut Vec<u8>, capacity: usize) {
    bytes.reserve(capacity);
}

fn keep_small(mut bytes: Vec<u8>) {
    bytes.clear();
    let _ = SMALL.try_with(|small| {
        let mut small = small.borrow_mut();
        if small.len() < SMALL_KEPT {
            small.push(bytes);
        }
    });
}

/// The smallest that fits and is not much too large.
fn take_large(capacity: usize) -> Option<Vec<u8>> {
    let fits = capacity..=capacity.saturating_mul(4);
    let mut pool = LARGE_POOL.lock().unwrap_or_else(PoisonError::into_inner);
    let fitting =
        pool.kept.iter().enumerate().filter(|(_, (kept, _))| fits.contains(&kept.capacity()));
    let (at, _) = fitting.min_by_key(|(_, (kept, _))| kept.capacity())?;
    let (bytes, _) = pool.kept.remove(at);
    pool.bytes -= bytes.capacity();
    Some(bytes)
}

#[cold]
fn keep_large(mut bytes: Vec<u8>) {
    bytes.clear();
    let mut pool = LARGE_POOL.lock().unwrap_or_else(PoisonError::into_inner);
    if pool.bytes + bytes.capacity() <= LARGE_KEPT {
        pool.bytes += bytes.capacity();
        pool.kept.push((bytes, Instant::now()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dropped_buffer_is_used_again() {
        let mut first = Buffer::with_capacity(100);
        first.extend_from_slice(b"old bytes");
        let pointer = first.as_ptr();
        drop(first);
        let second = Buffer::with_capacity(100);
        assert!(second.is_empty());
        assert_eq!(second.as_ptr(), pointer);
    }

    #[test]
    fn the_program_s_own_memory_is_not_kept() {
        const SIZE: usize = 50_000_000;
        drop(Buffer::from(Vec::with_capacity(SIZE)));
        assert!(Buffer::pooled(SIZE).is_none());
        drop(Buffer::with_capacity(SIZE));
        assert!(Buffer::pooled(SIZE).is_some());
    }

    #[test]
    fn a_large_buffer_begins_in_the_middle_of_a_page() {
        for capacity in [LARGE, 100_000, 1 << 20, 1 << 20] {
            let mut buffer = Buffer::with_capacity(capacity);
            assert!(buffer.is_empty() && buffer.capacity() >= capacity);
            let room = buffer.capacity();
            buffer.extend_from_slice(&vec![7; capacity]);
            assert_eq!(buffer.as_ptr().addr() % PAGE, PAGE / 2);
            assert_eq!((buffer.capacity(), buffer.len()), (room, capacity));
            buffer.truncate(3);
            assert_eq!(buffer.into_vec(), [7; 3]);
        }
    }
}
