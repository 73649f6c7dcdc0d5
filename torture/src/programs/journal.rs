//! A journal: a file to which a process appends what it does, line by line. A line is there as soon as it is written, and survives
//! the process that wrote it.

use std::{
    fmt::Arguments,
    fs::File,
    io::{self, Write},
    path::Path,
};

/// A file that lines are appended to, by several threads and several processes.
pub(crate) struct Journal(File);

impl Journal {
    /// Opens a journal, or begins it.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        File::options().append(true).create(true).open(path).map(Self)
    }

    /// Appends a line, in one piece.
    pub(crate) fn note(&self, line: Arguments<'_>) -> io::Result<()> {
        let line = format!("{line}\n");
        (&self.0).write_all(line.as_bytes())
    }
}
