//! What an archive comes to: how much, and one digest of every path and byte. Equal for equal trees.

use crate::{
    archive::{ArchiveError, Kind},
    tree::Tree,
};
use std::{fs, io};

#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Total {
    pub files: u64,
    pub bytes: u64,
    /// The digest of this one before, and the last file's path and digest.
    digest: [u8; 32],
}

impl Total {
    /// Reads every file of a tree directly.
    pub fn of(tree: &Tree) -> Result<Self, ArchiveError> {
        let mut total = Self::default();
        let mut directories = vec![String::new()];
        while let Some(directory) = directories.pop() {
            for entry in tree.entries(&directory)? {
                match entry.kind {
                    Kind::Directory => directories.push(entry.path),
                    Kind::File => {
                        let reason = |error: io::Error| error.to_string();
                        let bytes = fs::read(tree.root().join(&entry.path)).map_err(reason);
                        let bytes = bytes.map_err(|reason| ArchiveError::Unreadable {
                            path: entry.path.clone(),
                            reason,
                        })?;
                        total.add(&entry.path, bytes.len() as u64, blake3::hash(&bytes));
                    }
                }
            }
        }
        Ok(total)
    }

    /// Adds a file, in the order of the walk.
    pub fn add(&mut self, path: &str, bytes: u64, digest: blake3::Hash) {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.digest).update(digest.as_bytes()).update(path.as_bytes());
        self.digest = hasher.finalize().into();
        self.files += 1;
        self.bytes += bytes;
    }
}
