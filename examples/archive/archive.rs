//! The contract between the two processes: the trait, its values and its errors.

use serde::{Deserialize, Serialize};
use std::{error, fmt};

/// A tree of files. Paths are relative to its root and have slashes; the root's is empty.
#[farcall::remote]
pub trait Archive {
    /// What is in a directory, by name.
    async fn list(&self, directory: &str) -> Result<Vec<Entry>, ArchiveError>;
    /// At most `len` bytes of a file, fewer only at its end.
    async fn read(&self, path: &str, offset: u64, len: u32) -> Result<Vec<u8>, ArchiveError>;
    /// The BLAKE3 digest of a file.
    async fn digest(&self, path: &str) -> Result<[u8; 32], ArchiveError>;
}

/// One file or directory.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Entry {
    pub path: String,
    pub kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Kind {
    File,
    Directory,
}

/// Why the archive did not answer.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum ArchiveError {
    /// The path is absolute, has `..` in it, or is a link that leads out of the archive.
    Outside(String),
    /// The path is in the archive and cannot be read.
    Unreadable { path: String, reason: String },
    /// The call itself failed.
    Call(farcall::Error),
}

impl From<farcall::Error> for ArchiveError {
    fn from(error: farcall::Error) -> Self {
        Self::Call(error)
    }
}

impl fmt::Display for ArchiveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Outside(path) => write!(f, "`{path}` leads out of the archive"),
            Self::Unreadable { path, reason } => write!(f, "`{path}` cannot be read: {reason}"),
            Self::Call(error) => error.fmt(f),
        }
    }
}

impl error::Error for ArchiveError {}
