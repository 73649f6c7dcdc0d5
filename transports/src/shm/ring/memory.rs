//! What a ring needs of its memory. No reference into it is ever made: words are loaded and stored, bytes are copied.

/// Memory that another process may write at any time. Whatever is read is read once, and the copy is checked.
///
/// Offsets are in bytes from the segment's beginning. Those of words are multiples of four. Whoever asks for more than
/// there is has a bug, and panics.
pub(crate) trait Readable {
    /// The word at `offset`, by a relaxed load: nothing stronger is guaranteed to work on memory mapped read-only.
    fn load(&self, offset: usize) -> u32;

    /// Copies `length` bytes to the end of `bytes`.
    fn read(&self, offset: usize, length: usize, bytes: &mut Vec<u8>);
}

/// Memory that only this process writes.
pub(crate) trait Writable: Readable {
    /// Writes the word at `offset`, by a relaxed store.
    fn store(&self, offset: usize, value: u32);

    /// Writes the word at `offset`; whoever sees it and fences sees everything that was written before.
    fn publish(&self, offset: usize, value: u32);

    /// Copies `bytes` to `offset`.
    fn write(&self, offset: usize, bytes: &[u8]);

    /// Sees to it that the first `length` bytes have memory behind them, which may take a system call. False if there
    /// is none.
    fn commit(&self, length: usize) -> bool;
}
