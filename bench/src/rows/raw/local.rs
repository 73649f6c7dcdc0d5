//! Floor: a payload that goes nowhere. What a servant's `sum` costs where the bytes are at hand, and with
//! one copy before it.

use std::time::Duration;

use anyhow::{Result, bail, ensure};

use crate::driver::Driver;
use crate::placement::Placement;
use crate::row::{Address, Row, Transport};
use crate::stopwatch::{Measured, Stopwatch};
use crate::work::{self, Work};

/// This file's rows.
pub const ROWS: &[&dyn Row] = &[&Local::Touch, &Local::Copy];

#[derive(Clone, Copy)]
enum Local {
    /// Reads the bytes where they are.
    Touch,
    /// Copies them, then reads the copy.
    Copy,
}

impl Row for Local {
    fn name(&self) -> &'static str {
        match self {
            Self::Touch => "raw-touch",
            Self::Copy => "raw-copy",
        }
    }

    fn about(&self) -> &'static str {
        match self {
            Self::Touch => "no call at all: the servant's `sum` of bytes at hand",
            Self::Copy => {
                "no call at all: the bytes are copied into memory that is kept, then summed"
            }
        }
    }

    fn transports(&self) -> &'static [Transport] {
        &[Transport::Inproc]
    }

    fn offers(&self, _: Placement, work: Work) -> bool {
        matches!(work, Work::Sum(_)) && work != Work::LETTER_CALL
    }

    fn stands(&self) -> bool {
        false
    }

    fn serve(&self, address: &Address, _: &dyn Fn(&Address)) -> Result<()> {
        bail!("nothing is served at {address}")
    }

    fn connect(&self, _: &Address) -> Result<Box<dyn Driver>> {
        Ok(Box::new(LocalDriver(*self)))
    }
}

struct LocalDriver(Local);

impl Driver for LocalDriver {
    fn run(&mut self, work: Work, time: Duration) -> Result<Measured> {
        let Work::Sum(length) = work else { bail!("only sums here") };
        let data = work::pattern(length);
        let sum = work::sum(&data);
        let mut copy = data.clone();
        Stopwatch::run(time, || {
            let found = match self.0 {
                Local::Touch => work::sum(std::hint::black_box(&data)),
                Local::Copy => {
                    copy.copy_from_slice(std::hint::black_box(&data));
                    work::sum(std::hint::black_box(&copy))
                }
            };
            ensure!(found == sum, "a wrong sum");
            Ok(())
        })
    }
}
