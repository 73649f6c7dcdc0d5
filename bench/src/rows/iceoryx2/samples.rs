//! Payloads by publish and subscribe, in loaned samples; both ends spin.

use std::hint::spin_loop;
use std::time::Duration;

use anyhow::{Result, ensure};
use iceoryx2::port::publisher::Publisher;
use iceoryx2::port::subscriber::Subscriber;
use iceoryx2::prelude::*;
use iceoryx2::service::port_factory::publish_subscribe::PortFactory as Samples;

use super::{IpcNode, Station};
use crate::stopwatch::{Measured, Stopwatch};
use crate::work;

type Out = Publisher<ipc::Service, [u8], ()>;
type In = Subscriber<ipc::Service, [u8], ()>;

/// Gives each payload back in a sample of its own.
pub struct Echo {
    requests: In,
    answers: Out,
}

impl Echo {
    /// Serves payloads of this length.
    pub fn open(node: &IpcNode, length: usize) -> Result<Self> {
        let (there, back) = (format!("echo {length}"), format!("echoed {length}"));
        Ok(Self { requests: subscriber(node, &there)?, answers: publisher(node, &back, length)? })
    }
}

impl Station for Echo {
    fn poll(&self) -> Result<bool> {
        let Some(request) = self.requests.receive()? else { return Ok(false) };
        send(&self.answers, request.payload())?;
        Ok(true)
    }
}

/// Reads each payload in place and gives back its sum.
pub struct Sum {
    requests: In,
    answers: Out,
}

impl Sum {
    /// Serves payloads of this length.
    pub fn open(node: &IpcNode, length: usize) -> Result<Self> {
        let (there, back) = (format!("sum {length}"), format!("summed {length}"));
        Ok(Self { requests: subscriber(node, &there)?, answers: publisher(node, &back, 8)? })
    }
}

impl Station for Sum {
    fn poll(&self) -> Result<bool> {
        let Some(request) = self.requests.receive()? else { return Ok(false) };
        send(&self.answers, &work::sum(request.payload()).to_le_bytes())?;
        Ok(true)
    }
}

/// One echo after the other. Each answer is read in place.
pub fn echo(node: &IpcNode, length: usize, time: Duration) -> Result<Measured> {
    let requests = publisher(node, &format!("echo {length}"), length)?;
    let answers = subscriber(node, &format!("echoed {length}"))?;
    let data = work::pattern(length);
    send(&requests, &data)?;
    receive(&answers, |echoed| ensure_that(echoed == data, "another echo"))?;
    let mark = work::mark(&data);
    Stopwatch::run(time, || {
        send(&requests, &data)?;
        receive(&answers, |echoed| work::check_echo(echoed, mark))
    })
}

/// One sum after the other.
pub fn sum(node: &IpcNode, length: usize, time: Duration) -> Result<Measured> {
    let requests = publisher(node, &format!("sum {length}"), length)?;
    let answers = subscriber(node, &format!("summed {length}"))?;
    let data = work::pattern(length);
    let sum = work::sum(&data).to_le_bytes();
    Stopwatch::run(time, || {
        send(&requests, &data)?;
        receive(&answers, |summed| ensure_that(summed == sum, "a wrong sum"))
    })
}

fn ensure_that(is_so: bool, otherwise: &'static str) -> Result<()> {
    ensure!(is_so, otherwise);
    Ok(())
}

/// Loans a sample, copies `data` into it, and sends it.
fn send(publisher: &Out, data: &[u8]) -> Result<()> {
    let sample = publisher.loan_slice_uninit(data.len())?.write_from_slice(data);
    ensure!(sample.send()? == 1, "nobody subscribes");
    Ok(())
}

/// Spins for a sample and reads it in place.
fn receive(subscriber: &In, read: impl FnOnce(&[u8]) -> Result<()>) -> Result<()> {
    loop {
        match subscriber.receive()? {
            Some(sample) => return read(sample.payload()),
            None => spin_loop(),
        }
    }
}

fn publisher(node: &IpcNode, name: &str, length: usize) -> Result<Out> {
    let service = service(node, name)?;
    let publisher = service.publisher_builder().max_loaned_samples(1);
    Ok(publisher.initial_max_slice_len(length).create()?)
}

fn subscriber(node: &IpcNode, name: &str) -> Result<In> {
    Ok(service(node, name)?.subscriber_builder().create()?)
}

/// One writer, one reader, one sample at a time. What is not needed is not there.
fn service(node: &IpcNode, name: &str) -> Result<Samples<ipc::Service, [u8], ()>> {
    let service = node
        .service_builder(&name.try_into()?)
        .publish_subscribe::<[u8]>()
        .enable_safe_overflow(false)
        .subscriber_max_buffer_size(1)
        .subscriber_max_borrowed_samples(1)
        .history_size(0)
        .max_publishers(1)
        .max_subscribers(1)
        .max_nodes(2)
        .open_or_create()?;
    Ok(service)
}
