//! A connected client that does the work it is told to do.

use std::time::Duration;

use anyhow::{Result, bail};

use crate::stopwatch::Measured;
use crate::work::Work;

/// A connected client.
pub trait Driver {
    /// Does `work` until `time` is over.
    fn run(&mut self, work: Work, time: Duration) -> Result<Measured>;

    /// Opens `count` more connections, makes a call on each, and keeps them.
    fn widen(&mut self, count: usize) -> Result<()> {
        bail!("cannot open {count} more connections")
    }

    /// Keeps its connections and does nothing.
    fn rest(&mut self, time: Duration) -> Result<()> {
        std::thread::sleep(time);
        Ok(())
    }
}
