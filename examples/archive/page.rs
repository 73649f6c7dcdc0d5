//! A file of a tree as a document. It holds no descriptor, so that a client can hold thousands.

use crate::{
    archive::{ArchiveError, Document, Notice},
    tree::unreadable,
};
use farcall::{Receiver, Sender};
use std::{
    fs::{File, Metadata},
    io::{self, BufRead, BufReader, Read, Seek, SeekFrom},
    path::PathBuf,
    sync::{Mutex, PoisonError},
    time::SystemTime,
};
use tokio::sync::broadcast;

/// Bytes of the longest piece, and of the longest line.
const LONGEST: u32 = 4 << 20;
/// Lines that wait for a client that is slower than the disk.
const AHEAD: usize = 256;

pub struct Page {
    path: String,
    found: PathBuf,
    state: Mutex<State>,
    news: broadcast::Sender<Notice>,
}

/// What tells that a file was changed: its length and when it was last written.
type State = (u64, Option<SystemTime>);

impl Page {
    /// `found` is where the document at `path` really is.
    pub fn open(
        path: &str,
        found: PathBuf,
        news: broadcast::Sender<Notice>,
    ) -> Result<Self, ArchiveError> {
        let metadata = found.metadata().map_err(|error| unreadable(path, &error))?;
        if !metadata.is_file() {
            return Err(unreadable(path, &io::Error::other("it is not a file")));
        }
        let state = Mutex::new(state(&metadata));
        let page = Self { path: path.to_owned(), found, state, news };
        page.tell(Notice::Opened(page.path.clone()));
        Ok(page)
    }

    /// The file, to be read from its begin. Whoever watches is told if it is another one than before.
    fn file(&self) -> Result<File, ArchiveError> {
        let opened = File::open(&self.found).and_then(|file| Ok((state(&file.metadata()?), file)));
        let (now, file) = opened.map_err(|error| self.unreadable(&error))?;
        let mut before = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if std::mem::replace(&mut *before, now) != now {
            self.tell(Notice::Changed(self.path.clone()));
        }
        Ok(file)
    }

    /// It does not matter whether anybody listens.
    fn tell(&self, notice: Notice) {
        let _ = self.news.send(notice);
    }

    fn unreadable(&self, error: &io::Error) -> ArchiveError {
        unreadable(&self.path, error)
    }
}

fn state(metadata: &Metadata) -> State {
    (metadata.len(), metadata.modified().ok())
}

/// Reads where it is called: from the page cache that takes 15 us, and a thread for blocking work costs more (with 64 calls
/// in flight, `spawn_blocking` halved the calls per second). A tree on a slow disk would want it.
impl Document for Page {
    async fn read(&self, offset: u64, len: u32) -> Result<Vec<u8>, ArchiveError> {
        let mut file = self.file()?;
        let read = || {
            let mut bytes = Vec::with_capacity(len.min(LONGEST) as usize);
            file.seek(SeekFrom::Start(offset))?;
            file.take(len.min(LONGEST).into()).read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        read().map_err(|error| self.unreadable(&error))
    }

    async fn line(&self, number: u32) -> Result<String, ArchiveError> {
        let missing = || self.unreadable(&io::Error::other("it has no such line"));
        let at = number.checked_sub(1).ok_or_else(missing)?;
        let line = Lines::of(self.file()?).nth(at as usize).ok_or_else(missing)?;
        line.map_err(|error| self.unreadable(&error))
    }

    async fn lines(&self, from: u32, to: u32) -> Result<Receiver<String>, ArchiveError> {
        let lines = Lines::of(self.file()?).take(to as usize);
        let (sender, receiver) = farcall::channel(AHEAD);
        tokio::spawn(send_all(lines.skip(from.saturating_sub(1) as usize), sender));
        Ok(receiver)
    }

    async fn digest(&self, salt: &[u8]) -> Result<[u8; 32], ArchiveError> {
        let mut hasher = blake3::Hasher::new();
        match hasher.update(salt).update_reader(self.file()?) {
            Ok(hasher) => Ok(hasher.finalize().into()),
            Err(error) => Err(self.unreadable(&error)),
        }
    }
}

/// Sends until there is no more, or nobody wants more.
async fn send_all(lines: impl Iterator<Item = io::Result<String>>, sender: Sender<String>) {
    for line in lines {
        let sent = match line {
            Ok(line) => sender.send(line).await,
            Err(error) => return sender.fail(farcall::Error::new(error.to_string())),
        };
        if sent.is_err() {
            return;
        }
    }
    sender.finish();
}

/// A text's lines, up to the first that is too long or no text.
struct Lines {
    /// None after the last line.
    file: Option<BufReader<File>>,
}

impl Lines {
    fn of(file: File) -> Self {
        Self { file: Some(BufReader::new(file)) }
    }

    /// A line, and whether another one follows.
    fn read(file: &mut BufReader<File>) -> io::Result<(String, bool)> {
        let mut line = Vec::new();
        file.take(u64::from(LONGEST) + 1).read_until(b'\n', &mut line)?;
        let another = line.pop_if(|last| *last == b'\n').is_some();
        if line.len() > LONGEST as usize {
            return Err(io::Error::other(format!("a line has more than {LONGEST} bytes")));
        }
        let text = String::from_utf8(line).map_err(|_| io::Error::other("it is not a text"))?;
        Ok((text, another))
    }
}

impl Iterator for Lines {
    type Item = io::Result<String>;

    fn next(&mut self) -> Option<Self::Item> {
        let line = Self::read(self.file.as_mut()?);
        if !matches!(line, Ok((_, true))) {
            self.file = None;
        }
        Some(line.map(|(text, _)| text))
    }
}
