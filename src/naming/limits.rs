//! What a registry's clients can make grow.

/// Names in one registry.
pub const NAMES: usize = 4096;
/// Names that one process binds, or, where the transport does not know the process, one connection.
pub const NAMES_OF_ONE: usize = 1024;
/// Bytes of a name.
pub const NAME_BYTES: usize = 128;
/// Addresses of one entry.
pub const ADDRESSES: usize = 16;
/// Bytes of an address, and of an interface's name.
pub const ADDRESS_BYTES: usize = 512;
/// Watches of one registry.
pub const WATCHES: usize = 256;
/// Changes that a watcher may be behind.
pub const BEHIND: usize = 256;
