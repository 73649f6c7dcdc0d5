//! Room on the disk that is kept free: letters can still be taken and acked where there is none for new ones.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::PathBuf,
};

/// Bytes that are kept free.
const RESERVE: usize = 1 << 20;

/// A file that only takes up room.
#[derive(Debug)]
pub(super) struct Reserve {
    path: PathBuf,
    is_held: bool,
}

impl Reserve {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, is_held: false }
    }

    /// Takes up the room, if it is not taken up already.
    pub(super) fn hold(&mut self) -> io::Result<()> {
        if self.is_held {
            return Ok(());
        }
        let held = self.write();
        if held.is_err() {
            self.release();
        }
        self.is_held = held.is_ok();
        held
    }

    /// Gives the room to others.
    pub(super) fn release(&mut self) {
        self.is_held = false;
        // Without it there is nothing to be given.
        let _ = fs::remove_file(&self.path);
    }

    fn write(&self) -> io::Result<()> {
        let mut file = File::create(&self.path)?;
        file.write_all(&vec![0; RESERVE])?;
        file.sync_data()
    }
}
