//! A directory tree of this host as an archive. Leaves out `.git` and `target`, and never leaves its root.

use crate::{
    archive::{Archive, ArchiveError, Document, Entry, Kind, Notice, Watcher},
    page::Page,
};
use farcall::Remote;
use std::{
    fs, io,
    path::{Component, Path, PathBuf},
};
use tokio::sync::broadcast;

/// What is in no archive, at any depth.
const LEFT_OUT: [&str; 2] = [".git", "target"];
/// Notices that wait for the slowest watcher.
const NOTICES: usize = 1024;

/// The tree below a directory. Whoever may write to it is trusted: a path is checked before it is opened.
pub struct Tree {
    root: PathBuf,
    news: broadcast::Sender<Notice>,
}

impl Tree {
    pub fn open(root: &Path) -> io::Result<Self> {
        let named = |error| {
            io::Error::other(format!(
                "{}: {error}: name a folder to serve, or none for the checkout",
                root.display()
            ))
        };
        let root = root.canonicalize().map_err(named)?;
        fs::read_dir(&root).map_err(named)?;
        Ok(Self { root, news: broadcast::Sender::new(NOTICES) })
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
}

impl Archive for Tree {
    async fn list(&self, directory: &str) -> Result<Vec<Entry>, ArchiveError> {
        self.entries(directory)
    }

    async fn open(&self, path: &str) -> Result<Remote<dyn Document>, ArchiveError> {
        Ok(Remote::new(Page::open(path, self.locate(path)?, self.news.clone())?))
    }

    async fn watch(&self, watcher: Remote<dyn Watcher>) -> farcall::Result<()> {
        let mut news = self.news.subscribe();
        tokio::spawn(async move {
            while let Ok(notice) = news.recv().await {
                if watcher.notice(notice).await.is_err() {
                    break;
                }
            }
        });
        Ok(())
    }
}

pub fn unreadable(path: &str, error: &io::Error) -> ArchiveError {
    ArchiveError::Unreadable { path: path.to_owned(), reason: error.to_string() }
}
