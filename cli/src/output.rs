//! Standard output: what a command has found, line by line.

use serde_json::Value;
use std::io::{self, Write};

/// Where what is found goes, and how.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    json: bool,
}

impl Output {
    pub(crate) fn new(json: bool) -> Self {
        Self { json }
    }

    /// Whether lines of JSON are wanted.
    pub(crate) fn is_json(self) -> bool {
        self.json
    }

    /// Writes a line: an object, or its text for people.
    pub(crate) fn line(self, object: &Value, text: &str) -> io::Result<()> {
        let line = if self.json { object.to_string() } else { text.to_owned() };
        self.bytes(format!("{line}\n").as_bytes())
    }

    /// Writes bytes as they are. What is read by others is out when this returns.
    pub(crate) fn bytes(self, bytes: &[u8]) -> io::Result<()> {
        let mut out = io::stdout().lock();
        out.write_all(bytes)?;
        out.flush()
    }
}
