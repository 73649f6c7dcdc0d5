//! A directory tree of this host as an archive. Leaves out `.git` and `target`, and never leaves its root.

use crate::archive::{Archive, ArchiveError, Entry, Kind};
use std::{
    fs::{self, File},
    io::{self, Read, Seek, SeekFrom},
    path::{Component, Path, PathBuf},
};

/// What is in no archive, at any depth.
const LEFT_OUT: [&str; 2] = [".git", "target"];
/// Bytes of the longest piece.
const LONGEST: u32 = 4 << 20;

/// The tree below a directory. Whoever may write to it is trusted: a path is checked before it is opened.
pub struct Tree {
    root: PathBuf,
}

impl Tree {
    pub fn open(root: &Path) -> io::Result<Self> {
        let named = |error| io::Error::other(format!("{}: {error}", root.display()));
        let root = root.canonicalize().map_err(named)?;
        fs::read_dir(&root).map_err(named)?;
        Ok(Self { root })
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where a path of the archive really is.
    pub fn locate(&self, path: &str) -> Result<PathBuf, ArchiveError> {
        let outside = || ArchiveError::Outside(path.to_owned());
        if !Path::new(path).components().all(|part| matches!(part, Component::Normal(_))) {
            return Err(outside());
        }
        let found =
            self.root.join(path).canonicalize().map_err(|error| unreadable(path, &error))?;
        let inside = found.strip_prefix(&self.root).map_err(|_| outside())?;
        match inside.iter().any(|part| LEFT_OUT.iter().any(|name| part == *name)) {
            true => Err(outside()),
            false => Ok(found),
        }
    }

    /// A directory's entries, by name. Links are not followed, and what is neither file nor directory is left out.
    pub fn entries(&self, directory: &str) -> Result<Vec<Entry>, ArchiveError> {
        let found = self.locate(directory)?;
        let mut entries = Vec::new();
        for item in fs::read_dir(found).map_err(|error| unreadable(directory, &error))? {
            let item = item.map_err(|error| unreadable(directory, &error))?;
            let kind = item.file_type().map_err(|error| unreadable(directory, &error))?;
            let Ok(name) = item.file_name().into_string() else { continue };
            let kind = match kind {
                _ if LEFT_OUT.contains(&name.as_str()) => continue,
                kind if kind.is_file() => Kind::File,
                kind if kind.is_dir() => Kind::Directory,
                _ => continue,
            };
            let path = if directory.is_empty() { name } else { format!("{directory}/{name}") };
            entries.push(Entry { path, kind });
        }
        entries.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(entries)
    }

    fn file(&self, path: &str) -> Result<File, ArchiveError> {
        let found = self.locate(path)?;
        let opened = match found.metadata() {
            Ok(metadata) if !metadata.is_file() => Err(io::Error::other("it is not a file")),
            Ok(_) => File::open(found),
            Err(error) => Err(error),
        };
        opened.map_err(|error| unreadable(path, &error))
    }
}

/// Reads where it is called: from the page cache that takes 15 us, and a thread for blocking work costs more (with 64 calls
/// in flight, `spawn_blocking` halved the calls per second). A tree on a slow disk would want it.
impl Archive for Tree {
    async fn list(&self, directory: &str) -> Result<Vec<Entry>, ArchiveError> {
        self.entries(directory)
    }

    async fn read(&self, path: &str, offset: u64, len: u32) -> Result<Vec<u8>, ArchiveError> {
        let mut file = self.file(path)?;
        let read = || {
            let mut bytes = Vec::with_capacity(len.min(LONGEST) as usize);
            file.seek(SeekFrom::Start(offset))?;
            file.take(len.min(LONGEST).into()).read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        read().map_err(|error| unreadable(path, &error))
    }

    async fn digest(&self, path: &str) -> Result<[u8; 32], ArchiveError> {
        let mut hasher = blake3::Hasher::new();
        match hasher.update_reader(self.file(path)?) {
            Ok(hasher) => Ok(hasher.finalize().into()),
            Err(error) => Err(unreadable(path, &error)),
        }
    }
}

fn unreadable(path: &str, error: &io::Error) -> ArchiveError {
    ArchiveError::Unreadable { path: path.to_owned(), reason: error.to_string() }
}
