//! Requests and responses; who waits, waits in the kernel for an event.

use std::time::Duration;

use anyhow::{Result, bail, ensure};
use iceoryx2::port::listener::Listener;
use iceoryx2::port::notifier::Notifier;
use iceoryx2::prelude::*;

use super::calls::{self, Caller, Station};
use super::{IpcNode, Station as _};
use crate::driver::Driver;
use crate::stopwatch::{Measured, Stopwatch};
use crate::work::Work;

/// Serves for ever.
pub fn serve(node: &IpcNode, ready: &dyn Fn()) -> Result<()> {
    let station = Station::open(node, 1)?;
    let (called, answered) = (listener(node, CALLED)?, notifier(node, ANSWERED)?);
    ready();
    loop {
        called.blocking_wait(|_| ())?;
        while station.poll()? {
            answered.notify()?;
        }
    }
}

/// A client that waits for events.
pub struct EventDriver {
    client: Caller,
    called: Notifier<ipc::Service>,
    answered: Listener<ipc::Service>,
}

impl EventDriver {
    /// Finds the server's services.
    pub fn connect(node: &IpcNode) -> Result<Self> {
        let client = calls::service(node, 1)?.client_builder().create()?;
        Ok(Self { client, called: notifier(node, CALLED)?, answered: listener(node, ANSWERED)? })
    }

    fn add(&self, a: u64, b: u64) -> Result<u64> {
        let call = calls::begin(&self.client, a, b)?;
        self.called.notify()?;
        loop {
            if let Some(answer) = call.receive()? {
                return Ok(*answer.payload());
            }
            self.answered.blocking_wait(|_| ())?;
        }
    }
}

impl Driver for EventDriver {
    fn run(&mut self, work: Work, time: Duration) -> Result<Measured> {
        let Work::Add = work else { bail!("not measured here") };
        Stopwatch::run(time, || {
            ensure!(self.add(1, 2)? == 3, "a wrong sum");
            Ok(())
        })
    }
}

fn notifier(node: &IpcNode, name: &str) -> Result<Notifier<ipc::Service>> {
    let service = node.service_builder(&name.try_into()?).event().open_or_create()?;
    Ok(service.notifier_builder().create()?)
}

fn listener(node: &IpcNode, name: &str) -> Result<Listener<ipc::Service>> {
    let service = node.service_builder(&name.try_into()?).event().open_or_create()?;
    Ok(service.listener_builder().create()?)
}

/// A request has been sent.
const CALLED: &str = "called";
/// A response has been sent.
const ANSWERED: &str = "answered";
