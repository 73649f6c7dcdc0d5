//! The files to be packed.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// What is not packed, at any depth.
const LEFT_OUT: [&str; 2] = [".git", "target"];

/// A file, and how often it was tried.
#[derive(Clone, Debug)]
pub struct Part {
    pub path: PathBuf,
    pub bytes: u64,
    pub tries: usize,
}

/// Every file below a directory, the largest last. Links are not followed.
pub fn below(root: &Path) -> io::Result<Vec<Part>> {
    let mut parts = Vec::new();
    let mut directories = vec![root.to_path_buf()];
    while let Some(directory) = directories.pop() {
        let named = |error| io::Error::other(format!("{}: {error}", directory.display()));
        for entry in fs::read_dir(&directory).map_err(named)? {
            let entry = entry?;
            let metadata = entry.metadata()?;
            if metadata.is_file() {
                parts.push(Part { path: entry.path(), bytes: metadata.len(), tries: 0 });
            } else if metadata.is_dir() && !LEFT_OUT.iter().any(|name| entry.file_name() == *name) {
                directories.push(entry.path());
            }
        }
    }
    parts.sort_by(|one, other| (one.bytes, &one.path).cmp(&(other.bytes, &other.path)));
    Ok(parts)
}
