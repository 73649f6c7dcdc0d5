//! The client's watcher: a callback for what the archive tells, and what it still has to tell.

use crate::archive::{Notice, Watcher};
use farcall::{Error, ErrorKind, Remote};
use std::collections::BTreeSet;
use tokio::sync::mpsc;

/// Notices that wait for the reading. An archive that tells more at a time gets an error, and stops.
const WAITING: usize = 4096;

pub struct Audience {
    told: mpsc::Receiver<Notice>,
    expected: BTreeSet<String>,
    /// No document was changed.
    unchanged: bool,
}

impl Audience {
    /// A callback to hand to the archive, and who hears it.
    pub fn new() -> (Remote<dyn Watcher>, Self) {
        let (tell, told) = mpsc::channel(WAITING);
        let watcher = Remote::<dyn Watcher>::from_fn(move |notice| {
            let told = tell.try_send(notice);
            async move { told.map_err(|why| Error::of(ErrorKind::Overloaded, why.to_string())) }
        });
        (watcher, Self { told, expected: BTreeSet::new(), unchanged: true })
    }

    /// The archive will have to tell that this document was opened.
    pub fn expect(&mut self, path: &str) {
        while let Ok(notice) = self.told.try_recv() {
            self.hear(notice);
        }
        self.expected.insert(path.to_owned());
    }

    /// Waits for all that was expected. False if a document was changed, or if the archive has dropped the callback before.
    pub async fn heard_all(mut self) -> bool {
        while !self.expected.is_empty() {
            match self.told.recv().await {
                Some(notice) => self.hear(notice),
                None => return false,
            }
        }
        self.unchanged
    }

    fn hear(&mut self, notice: Notice) {
        match notice {
            Notice::Opened(path) => _ = self.expected.remove(&path),
            Notice::Changed(path) => {
                eprintln!("archive: {path} was changed while it was read");
                self.unchanged = false;
            }
        }
    }
}
