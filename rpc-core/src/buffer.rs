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

/// A byte vector that goes back to a pool when it is dropped.
#[derive(Default, Debug)]
pub struct Buffer(Vec<u8>);

impl Buffer {
    /// An empty buffer without memory.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// An empty buffer with room for `capacity` bytes, from the pool where it has one.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        let mut bytes = if capacity < LARGE { take_small() } else { take_large(capacity) };
        bytes.reserve(capacity);
        Self(bytes)
    }

    /// The bytes as an ordinary vector, which the pool does not see again.
    #[must_use]
    pub fn into_vec(mut self) -> Vec<u8> {
        mem::take(&mut self.0)
    }
}

impl From<Vec<u8>> for Buffer {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl Deref for Buffer {
    type Target = Vec<u8>;

    fn deref(&self) -> &Vec<u8> {
        &self.0
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut Vec<u8> {
        &mut self.0
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        match self.0.capacity() {
            0 => {}
            capacity if capacity < LARGE => keep_small(mem::take(&mut self.0)),
            _ => keep_large(mem::take(&mut self.0)),
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

fn take_large(capacity: usize) -> Vec<u8> {
    let mut pool = LARGE_POOL.lock().unwrap_or_else(PoisonError::into_inner);
    let found = pool.kept.iter().rposition(|(bytes, _)| bytes.capacity() >= capacity);
    let Some(at) = found else { return Vec::new() };
    let (bytes, _) = pool.kept.remove(at);
    pool.bytes -= bytes.capacity();
    bytes
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
        for size in [100, LARGE, 1 << 20] {
            let mut first = Buffer::with_capacity(size);
            first.extend_from_slice(b"old bytes");
            let pointer = first.as_ptr();
            drop(first);
            let second = Buffer::with_capacity(size);
            assert!(second.is_empty());
            assert_eq!(second.as_ptr(), pointer);
        }
    }
}
