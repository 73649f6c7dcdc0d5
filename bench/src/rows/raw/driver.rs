//! The client of the floors that make one call after the other.

use std::time::Duration;

use anyhow::{Result, bail, ensure};

use super::frame::{Inbox, Kind, add_frame, header, number};
use super::stream::{Stream, Waiting};
use crate::driver::Driver;
use crate::row::Address;
use crate::stopwatch::{Measured, Stopwatch};
use crate::work::{self, Work};

/// A client that makes one call after the other.
pub struct RawDriver {
    stream: Stream,
    inbox: Inbox,
}

impl RawDriver {
    /// Connects; waits as told.
    pub fn connect(address: &Address, waiting: Waiting) -> Result<Self> {
        let mut stream = Stream::connect(address)?;
        stream.prepare(waiting)?;
        Ok(Self { stream, inbox: Inbox::new() })
    }

    fn call(&mut self, kind: Kind, data: &[u8]) -> Result<&[u8]> {
        self.stream.write_all(&header(kind as u8, data.len()), data)?;
        Ok(self.inbox.wait(&mut self.stream)?.body)
    }

    fn add(&mut self, a: u64, b: u64) -> Result<u64> {
        self.stream.write_all(&add_frame(a, b), &[])?;
        number(self.inbox.wait(&mut self.stream)?.body, 0)
    }
}

impl Driver for RawDriver {
    fn run(&mut self, work: Work, time: Duration) -> Result<Measured> {
        match work {
            Work::Add => Stopwatch::run(time, || {
                ensure!(self.add(1, 2)? == 3, "a wrong sum");
                Ok(())
            }),
            Work::Echo(length) => {
                let data = work::pattern(length);
                ensure!(self.call(Kind::Echo, &data)? == data, "another echo");
                let mark = work::mark(&data);
                Stopwatch::run(time, || work::check_echo(self.call(Kind::Echo, &data)?, mark))
            }
            Work::Sum(length) => {
                let data = work::pattern(length);
                let sum = work::sum(&data);
                Stopwatch::run(time, || {
                    ensure!(number(self.call(Kind::Sum, &data)?, 0)? == sum, "a wrong sum");
                    Ok(())
                })
            }
            other => bail!("no {other} here"),
        }
    }
}
