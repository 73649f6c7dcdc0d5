//! Pooled bytes. The first touch of a fresh page costs more than copying it: what is large is kept and reused.

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

/// A byte vector that goes back to a pool when it is dropped, if it came from there.
#[derive(Default, Debug)]
pub struct Buffer {
    bytes: Vec<u8>,
    /// Made by the program: its memory goes back to the allocator, where the program will ask for it again.
    foreign: bool,
}

impl Buffer {
    /// An empty buffer without memory.
    #[must_use]
    pub const fn new() -> Self {
        Self { bytes: Vec::new(), foreign: false }
    }

    /// An empty buffer with room for `capacity` bytes, from the pool where it has one.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        let mut bytes = match capacity < LARGE {
            true => take_small(),
            false => take_large(capacity).unwrap_or_default(),
        };
        bytes.reserve(capacity);
        Self { bytes, foreign: false }
    }

    /// An empty buffer with room for `capacity` bytes, if the pool has one: no memory is allocated.
    #[must_use]
    pub fn pooled(capacity: usize) -> Option<Self> {
        take_large(capacity).map(|bytes| Self { bytes, foreign: false })
    }

    /// The bytes as an ordinary vector, which the pool does not see again.
    #[must_use]
    pub fn into_vec(mut self) -> Vec<u8> {
        mem::take(&mut self.bytes)
    }
}

impl From<Vec<u8>> for Buffer {
    fn from(bytes: Vec<u8>) -> Self {
        Self { bytes, foreign: true }
    }
}

impl Deref for Buffer {
    type Target = Vec<u8>;

    fn deref(&self) -> &Vec<u8> {
        &self.bytes
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
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
}
