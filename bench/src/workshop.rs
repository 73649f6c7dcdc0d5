//! The private directory of one run: sockets and what the children say on their standard error.
//! It goes away at the end, also when the run is interrupted.

use std::cell::Cell;
use std::path::PathBuf;

use anyhow::Result;
use tempfile::TempDir;

use crate::row::{Address, Transport};

/// The directory of one run.
pub struct Workshop {
    directory: TempDir,
    names: Cell<u32>,
}

impl Workshop {
    /// Opens a fresh one, once per process.
    pub fn open() -> Result<Self> {
        let directory = tempfile::Builder::new().prefix("farcall-bench-").tempdir()?;
        let path = directory.path().to_owned();
        // The children die with their parent.
        ctrlc::set_handler(move || {
            let removed = std::fs::remove_dir_all(&path);
            std::process::exit(if removed.is_ok() { 130 } else { 1 });
        })?;
        Ok(Self { directory, names: Cell::new(0) })
    }

    /// A path that nothing has yet.
    pub fn path(&self, ending: &str) -> PathBuf {
        self.names.set(self.names.get() + 1);
        self.directory.path().join(format!("{}.{ending}", self.names.get()))
    }

    /// Where a new server is to listen.
    pub fn address(&self, transport: Transport) -> Address {
        match transport {
            Transport::Inproc => Address::Inproc("bench".to_owned()),
            Transport::Shm => Address::Shm(self.path("shm")),
            Transport::Unix => Address::Unix(self.path("sock")),
            Transport::Tcp => Address::Tcp(([127, 0, 0, 1], 0).into()),
        }
    }
}
