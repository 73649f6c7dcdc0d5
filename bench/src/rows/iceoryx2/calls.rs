//! Requests and responses, both ends spinning.

use std::collections::VecDeque;
use std::hint::spin_loop;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use iceoryx2::pending_response::PendingResponse;
use iceoryx2::port::client::Client;
use iceoryx2::port::server::Server;
use iceoryx2::prelude::*;
use iceoryx2::service::port_factory::request_response::PortFactory as Calls;

use super::IpcNode;
use crate::calls::CALLS_PER_CLOCK_READ;
use crate::stopwatch::{Measured, Stopwatch};

/// What is added.
type Numbers = [u64; 2];
/// A call under way.
type Pending = PendingResponse<ipc::Service, Numbers, (), u64, ()>;
/// The caller's end.
pub type Caller = Client<ipc::Service, Numbers, (), u64, ()>;

/// The service of so many requests at once. What is not needed is not there.
pub fn service(node: &IpcNode, depth: usize) -> Result<Calls<ipc::Service, Numbers, (), u64, ()>> {
    let builder = node.service_builder(&format!("add {depth}").as_str().try_into()?);
    let service = builder
        .request_response::<Numbers, u64>()
        .enable_safe_overflow_for_requests(false)
        .enable_safe_overflow_for_responses(false)
        .max_active_requests_per_client(depth)
        .max_loaned_requests(1)
        .max_response_buffer_size(1)
        .max_borrowed_responses_per_pending_response(1)
        .max_servers(1)
        .max_clients(1)
        .max_nodes(2)
        .open_or_create()?;
    Ok(service)
}

/// The callee's end.
pub struct Station(Server<ipc::Service, Numbers, (), u64, ()>);

impl Station {
    /// Serves the service of so many requests at once.
    pub fn open(node: &IpcNode, depth: usize) -> Result<Self> {
        let service = service(node, depth)?;
        Ok(Self(service.server_builder().max_loaned_responses_per_request(1).create()?))
    }
}

impl super::Station for Station {
    fn poll(&self) -> Result<bool> {
        let Some(request) = self.0.receive()? else { return Ok(false) };
        let [a, b] = *request.payload();
        request.loan_uninit()?.write_payload(a.wrapping_add(b)).send()?;
        Ok(true)
    }
}

/// One call after the other.
pub fn add(node: &IpcNode, time: Duration) -> Result<Measured> {
    let client = service(node, 1)?.client_builder().create()?;
    Stopwatch::run(time, || {
        let call = begin(&client, 1, 2)?;
        ensure!(answer(&call)? == 3, "a wrong sum");
        Ok(())
    })
}

/// One thread that always has as many calls under way, and spins for them in order.
pub fn held(node: &IpcNode, depth: usize, time: Duration) -> Result<Measured> {
    let client = service(node, depth)?.client_builder().create()?;
    let started = Instant::now();
    let mut window = VecDeque::with_capacity(depth);
    for number in 0..depth as u64 {
        window.push_back(begin(&client, number, 1)?);
    }
    let (mut calls, mut goes_on) = (0, true);
    while let Some(call) = window.pop_front() {
        calls += 1;
        ensure!(answer(&call)? == calls, "a wrong sum");
        drop(call);
        if calls.is_multiple_of(CALLS_PER_CLOCK_READ) {
            goes_on = started.elapsed() < time;
        }
        if goes_on {
            window.push_back(begin(&client, calls + depth as u64 - 1, 1)?);
        }
    }
    Ok(Measured::bulk(calls, started))
}

/// Sends a request.
pub fn begin(client: &Caller, a: u64, b: u64) -> Result<Pending> {
    Ok(client.loan_uninit()?.write_payload([a, b]).send()?)
}

fn answer(call: &Pending) -> Result<u64> {
    loop {
        match call.receive()? {
            Some(answer) => return Ok(*answer.payload()),
            None => spin_loop(),
        }
    }
}
