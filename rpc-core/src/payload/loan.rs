//! Writable memory that becomes a payload.

use super::{Block, Payload};
use crate::buffer::Buffer;
use std::{
    fmt,
    ops::{Deref, DerefMut},
    sync::Arc,
};

/// Writable memory, in the transport where it has some, that becomes a [`Payload`] when it is filled. Dropping it gives it back.
///
/// A peer that the memory is shared with can read it while it is being filled. What it holds at first is zeros, or what an earlier loan of
/// the same connection held.
#[derive(Default)]
pub struct Loan {
    memory: Memory,
}

enum Memory {
    Heap(Buffer),
    Block(Arc<dyn Block>),
}

impl Default for Memory {
    fn default() -> Self {
        Self::Heap(Buffer::new())
    }
}

impl Loan {
    /// `length` zeros on the heap.
    #[must_use]
    pub fn heap(length: usize) -> Self {
        let mut buffer = Buffer::with_capacity(length);
        buffer.resize(length);
        Self { memory: Memory::Heap(buffer) }
    }

    /// Memory of a transport; `None` if somebody else holds it, or it cannot be written.
    #[must_use]
    pub fn of_block(mut block: Arc<dyn Block>) -> Option<Self> {
        Arc::get_mut(&mut block)?.as_mut_slice()?;
        Some(Self { memory: Memory::Block(block) })
    }

    /// Keeps the first `length` bytes; does nothing if there are not so many.
    pub fn truncate(&mut self, length: usize) {
        if length >= self.len() {
            return;
        }
        match &mut self.memory {
            Memory::Heap(buffer) => buffer.truncate(length),
            Memory::Block(block) => {
                if let Some(block) = Arc::get_mut(block) {
                    block.truncate(length);
                }
            }
        }
    }

    pub(super) fn into_payload(self) -> Payload {
        match self.memory {
            Memory::Heap(buffer) => buffer.into(),
            Memory::Block(block) => Payload::of_block(block),
        }
    }
}

impl Deref for Loan {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.memory {
            Memory::Heap(buffer) => buffer,
            Memory::Block(block) => block.as_slice().unwrap_or_default(),
        }
    }
}

impl DerefMut for Loan {
    fn deref_mut(&mut self) -> &mut [u8] {
        match &mut self.memory {
            Memory::Heap(buffer) => buffer,
            Memory::Block(block) => {
                let block = Arc::get_mut(block).and_then(Block::as_mut_slice);
                block.unwrap_or_default()
            }
        }
    }
}

impl fmt::Debug for Loan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Loan").field("len", &self.len()).finish_non_exhaustive()
    }
}
