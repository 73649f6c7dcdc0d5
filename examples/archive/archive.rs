//! The contract between the two processes: the traits, their values and their errors.

use farcall::{Receiver, Remote};
use serde::{Deserialize, Serialize};
use std::{error, fmt};

/// A tree of files. Paths are relative to its root and have slashes; the root's is empty.
#[farcall::remote]
pub trait Archive {
    /// What is in a directory, by name.
    async fn list(&self, directory: &str) -> Result<Vec<Entry>, ArchiveError>;
    /// Opens a file. It is open until the last handle on it is gone.
    async fn open(&self, path: &str) -> Result<Remote<dyn Document>, ArchiveError>;
    /// Tells `watcher` what happens in the archive, in order, until that fails or the watcher is 1024 notices behind.
    async fn watch(&self, watcher: Remote<dyn Watcher>) -> farcall::Result<()>;
}

/// An open file. A line is what stands between two line feeds: after the last one there is another line, be it an empty one.
#[farcall::remote]
pub trait Document {
    /// At most `len` bytes, fewer only at the end.
    async fn read(&self, offset: u64, len: u32) -> Result<Vec<u8>, ArchiveError>;
    /// One line of a text, counted from 1.
    async fn line(&self, number: u32) -> Result<String, ArchiveError>;
    /// The lines from one to the other, both included, as far as there are any.
    async fn lines(&self, from: u32, to: u32) -> Result<Receiver<String>, ArchiveError>;
    /// The BLAKE3 digest of the salt and then the file.
    async fn digest(&self, salt: &[u8]) -> Result<[u8; 32], ArchiveError>;
}

/// Who is told what happens in an archive.
#[farcall::remote]
pub trait Watcher {
    async fn notice(&self, notice: Notice) -> farcall::Result<()>;
}

/// What has happened to a document, by its path.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Notice {
    /// Somebody has opened it.
    Opened(String),
    /// It was read and was not any more what it was when it was opened.
    Changed(String),
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
