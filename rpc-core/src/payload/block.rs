//! What a payload needs of memory that is a transport's, and the promise that it may be read like memory of one's own. One of the files that may be `unsafe`: it declares a promise.
#![expect(unsafe_code, reason = "a promise is declared")]

use std::any::Any;

/// The promise that a peer does not write what it has lent. There is none without `unsafe`; it can be copied.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Trusted(());

impl Trusted {
    /// Promises it.
    ///
    /// # Safety
    /// The processes at the other end of each wire that this is given to are builds of farcall and mean no harm: while a block is
    /// lent, they do not write it.
    #[must_use]
    pub unsafe fn new() -> Self {
        Self(())
    }
}

/// Memory of a transport, with the bytes of one payload or loan. Dropping the last reference gives it back.
pub trait Block: Any + Send + Sync {
    /// Its bytes.
    fn length(&self) -> usize;

    /// Copies the bytes from `offset` on into `bytes`: so many are there.
    fn read(&self, offset: usize, bytes: &mut [u8]);

    /// Copies all bytes to the end of `bytes`.
    fn append_to(&self, bytes: &mut Vec<u8>);

    /// The bytes, if nobody can write them while the block is shared.
    fn as_slice(&self) -> Option<&[u8]>;

    /// The bytes.
    ///
    /// # Safety
    /// Whoever else can write them does not while the slice is there.
    unsafe fn as_slice_unchecked(&self) -> &[u8];

    /// The bytes, to be written, if they are this process's own.
    fn as_mut_slice(&mut self) -> Option<&mut [u8]>;

    /// Keeps the first `length` bytes.
    fn truncate(&mut self, length: usize);

    /// Whether the memory is the peer's: then it is given back to it, and not kept longer than needed.
    fn is_borrowed(&self) -> bool;
}
