//! Floor: sockets that both ends try again and again without blocking.

use anyhow::Result;

use super::driver::RawDriver;
use super::server;
use super::stream::Waiting;
use crate::driver::Driver;
use crate::placement::Placement;
use crate::row::{Address, Row, Transport};
use crate::work::Work;

/// This file's rows.
pub const ROWS: &[&dyn Row] = &[&Spinning];

struct Spinning;

impl Row for Spinning {
    fn name(&self) -> &'static str {
        "raw-spinning"
    }

    fn about(&self) -> &'static str {
        "sockets by hand, both ends spin on a non-blocking read and burn a core each"
    }

    fn transports(&self) -> &'static [Transport] {
        Transport::SOCKETS
    }

    fn offers(&self, placement: Placement, work: Work) -> bool {
        work.is_sequential() && work.is_universal() && placement != Placement::OneCore
    }

    fn stands(&self) -> bool {
        false
    }

    fn serve(&self, address: &Address, ready: &dyn Fn(&Address)) -> Result<()> {
        server::serve(address, ready, Waiting::Spinning)
    }

    fn connect(&self, address: &Address) -> Result<Box<dyn Driver>> {
        Ok(Box::new(RawDriver::connect(address, Waiting::Spinning)?))
    }
}
