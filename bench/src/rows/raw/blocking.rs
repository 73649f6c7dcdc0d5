//! Floor: sockets whose reads and writes block in the kernel.

use anyhow::Result;

use super::driver::RawDriver;
use super::server;
use super::stream::Waiting;
use crate::driver::Driver;
use crate::placement::Placement;
use crate::row::{Address, Row, Transport};
use crate::work::Work;

/// This file's rows.
pub const ROWS: &[&dyn Row] = &[&Blocking];

struct Blocking;

impl Row for Blocking {
    fn name(&self) -> &'static str {
        "raw-blocking"
    }

    fn about(&self) -> &'static str {
        "sockets by hand, blocking reads and writes, a thread per connection"
    }

    fn transports(&self) -> &'static [Transport] {
        Transport::SOCKETS
    }

    fn offers(&self, _: Placement, work: Work) -> bool {
        work.is_sequential() && work.is_universal()
    }

    fn stands(&self) -> bool {
        false
    }

    fn serve(&self, address: &Address, ready: &dyn Fn(&Address)) -> Result<()> {
        server::serve(address, ready, Waiting::Blocking)
    }

    fn connect(&self, address: &Address) -> Result<Box<dyn Driver>> {
        Ok(Box::new(RawDriver::connect(address, Waiting::Blocking)?))
    }
}
