//! Floor: sockets that both ends wait for with epoll, as every runtime for asynchronous code does.

use anyhow::Result;

use super::driver::RawDriver;
use super::server;
use super::stream::Waiting;
use crate::driver::Driver;
use crate::placement::Placement;
use crate::row::{Address, Row, Transport};
use crate::work::Work;

/// This file's rows.
pub const ROWS: &[&dyn Row] = &[&Epoll];

struct Epoll;

impl Row for Epoll {
    fn name(&self) -> &'static str {
        "raw-epoll"
    }

    fn about(&self) -> &'static str {
        "sockets by hand, an epoll before each read and no other code: what asynchronous code cannot do without"
    }

    fn transports(&self) -> &'static [Transport] {
        Transport::SOCKETS
    }

    fn offers(&self, _: Placement, work: Work) -> bool {
        work == Work::Add
    }

    fn stands(&self) -> bool {
        false
    }

    fn serve(&self, address: &Address, ready: &dyn Fn(&Address)) -> Result<()> {
        server::serve(address, ready, Waiting::Epoll)
    }

    fn connect(&self, address: &Address) -> Result<Box<dyn Driver>> {
        Ok(Box::new(RawDriver::connect(address, Waiting::Epoll)?))
    }
}
