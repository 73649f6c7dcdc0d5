//! How far the build is, on standard error: a bar on a terminal, a line for each tenth elsewhere.

use indicatif::{ProgressBar, ProgressStyle};
use std::{
    io::{self, IsTerminal},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

#[derive(Clone)]
pub struct Bar {
    /// None where standard error is no terminal.
    drawn: Option<ProgressBar>,
    total: u64,
    done: Arc<AtomicU64>,
    /// Tenths that were printed.
    tenths: Arc<AtomicU64>,
}

impl Bar {
    /// Of so many bytes.
    pub fn new(total: u64) -> Self {
        let template = "{bar:40} {bytes} of {total_bytes}, {bytes_per_sec}";
        let style = ProgressStyle::with_template(template);
        let drawn = io::stderr().is_terminal().then(|| {
            ProgressBar::new(total)
                .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        });
        Self { drawn, total, done: Arc::default(), tenths: Arc::default() }
    }

    pub fn advance(&self, bytes: u64) {
        let done = self.done.fetch_add(bytes, Ordering::Relaxed) + bytes;
        match &self.drawn {
            Some(bar) => bar.set_position(done),
            None => self.print(done),
        }
    }

    /// What a lost worker had done does not count.
    pub fn retreat(&self, bytes: u64) {
        let done = self.done.fetch_sub(bytes, Ordering::Relaxed).saturating_sub(bytes);
        self.drawn.iter().for_each(|bar| bar.set_position(done));
    }

    /// A line that stays.
    pub fn say(&self, line: &str) {
        match &self.drawn {
            Some(bar) => bar.suspend(|| eprintln!("{line}")),
            None => eprintln!("{line}"),
        }
    }

    fn print(&self, done: u64) {
        let tenth = (done * 10).checked_div(self.total).unwrap_or(10);
        if self.tenths.fetch_max(tenth, Ordering::Relaxed) < tenth {
            eprintln!("{:>3} % of {} bytes", tenth * 10, self.total);
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        if Arc::strong_count(&self.done) == 1 {
            self.drawn.iter().for_each(ProgressBar::finish_and_clear);
        }
    }
}
