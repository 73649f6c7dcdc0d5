//! Peer: iceoryx2. Requests and responses, spinning and with events that wait in the kernel; payloads
//! in loaned samples.

use std::path::Path as FilePlace;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use iceoryx2::prelude::*;

use crate::driver::Driver;
use crate::placement::Placement;
use crate::row::{Address, Row, Transport};
use crate::stopwatch::Measured;
use crate::work::{DEPTHS, ECHOES, SUMS, Work};

mod calls;
mod events;
mod samples;

/// This file's rows.
pub const ROWS: &[&dyn Row] = &[&Iceoryx2::Spin, &Iceoryx2::Event];

#[derive(Clone, Copy)]
enum Iceoryx2 {
    /// Both ends spin.
    Spin,
    /// Both ends wait for events.
    Event,
}

impl Row for Iceoryx2 {
    fn name(&self) -> &'static str {
        match self {
            Self::Spin => "iceoryx2-spin",
            Self::Event => "iceoryx2-event",
        }
    }

    fn about(&self) -> &'static str {
        match self {
            Self::Spin => {
                "iceoryx2 0.10, both ends spin; `add` is request and response without serialization, in \
                 a service of exactly as many requests as are held; payloads are publish-subscribe: the \
                 client copies them into a loaned sample, the server into another one, and the client \
                 reads that in place"
            }
            Self::Event => {
                "the same requests; each end wakes the other by a notifier and waits in a listener"
            }
        }
    }

    fn transports(&self) -> &'static [Transport] {
        &[Transport::Shm]
    }

    fn offers(&self, placement: Placement, work: Work) -> bool {
        match self {
            Self::Spin => {
                let offered = work.is_universal() && !matches!(work, Work::Tasks(_));
                offered && placement == Placement::TwoCores
            }
            Self::Event => work == Work::Add,
        }
    }

    fn stands(&self) -> bool {
        false
    }

    fn serve(&self, address: &Address, ready: &dyn Fn(&Address)) -> Result<()> {
        let node = node(address)?;
        match self {
            Self::Spin => serve_all(stations(&node)?, &|| ready(address)),
            Self::Event => events::serve(&node, &|| ready(address)),
        }
    }

    fn connect(&self, address: &Address) -> Result<Box<dyn Driver>> {
        let node = node(address)?;
        match self {
            Self::Spin => Ok(Box::new(SpinDriver(node))),
            Self::Event => Ok(Box::new(events::EventDriver::connect(&node)?)),
        }
    }
}

type IpcNode = Node<ipc::Service>;

/// A node whose files are in a folder of this pair, and whose shared memory is called after the run: what
/// is left behind is found by that.
fn node(address: &Address) -> Result<IpcNode> {
    let Address::Shm(place) = address else { bail!("iceoryx2 is not measured at {address}") };
    let run = place.parent().and_then(FilePlace::file_name).context("a place in no folder")?;
    let pair = place.file_name().context("a place without a name")?;
    let prefix = format!("{}-{}-", run.to_string_lossy(), pair.to_string_lossy());
    let mut config = Config::default();
    config.global.prefix = FileName::new(prefix.as_bytes())?;
    let root = place.with_extension("iceoryx2");
    config.global.set_root_path(&Path::new(root.as_os_str().as_encoded_bytes())?);
    set_log_level(LogLevel::Error);
    let builder = NodeBuilder::new().config(&config);
    Ok(builder.signal_handling_mode(SignalHandlingMode::Disabled).create()?)
}

/// A service at which a server looks.
trait Station {
    /// Answers what has come; false if there was nothing.
    fn poll(&self) -> Result<bool>;
}

fn stations(node: &IpcNode) -> Result<Vec<Box<dyn Station>>> {
    let mut stations: Vec<Box<dyn Station>> = Vec::new();
    for depth in DEPTHS {
        stations.push(Box::new(calls::Station::open(node, depth)?));
    }
    for length in ECHOES {
        stations.push(Box::new(samples::Echo::open(node, length)?));
    }
    for length in SUMS.into_iter().filter(|length| Work::Sum(*length).is_universal()) {
        stations.push(Box::new(samples::Sum::open(node, length)?));
    }
    Ok(stations)
}

/// Spins, on one station as long as it is in use, so that the others cost nothing.
fn serve_all(stations: Vec<Box<dyn Station>>, ready: &dyn Fn()) -> Result<()> {
    ready();
    loop {
        for station in &stations {
            let mut misses = 0;
            while misses < PATIENCE {
                misses = if station.poll()? { 0 } else { misses + 1 };
            }
        }
    }
}

struct SpinDriver(IpcNode);

impl Driver for SpinDriver {
    fn run(&mut self, work: Work, time: Duration) -> Result<Measured> {
        match work {
            Work::Add => calls::add(&self.0, time),
            Work::Held(depth) => calls::held(&self.0, depth, time),
            Work::Echo(length) => samples::echo(&self.0, length, time),
            Work::Sum(length) => samples::sum(&self.0, length, time),
            _ => bail!("not measured here"),
        }
    }
}

/// How often a server finds nothing before it looks elsewhere.
const PATIENCE: u32 = 1000;
