//! A longer way to a TCP server: every byte arrives later by the same time, in both directions.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

/// The address of a relay to the server at `address`, which takes one connection.
pub fn to(address: &str, delay: Duration) -> Result<String> {
    let far = address.strip_prefix("tcp://").context("only TCP is relayed")?;
    let far: SocketAddr = far.split(['?', '#']).next().unwrap_or(far).parse()?;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let near = listener.local_addr()?;
    thread::spawn(move || -> Result<()> {
        let (client, _) = listener.accept()?;
        let server = TcpStream::connect(far)?;
        for stream in [&client, &server] {
            stream.set_nodelay(true)?;
        }
        delayed(client.try_clone()?, server.try_clone()?, delay);
        delayed(server, client, delay);
        Ok(())
    });
    Ok(format!("tcp://{near}"))
}

/// A thread that reads and one that writes what was read, later.
fn delayed(mut from: TcpStream, mut to: TcpStream, delay: Duration) {
    let (sender, chunks) = channel::<(Instant, Vec<u8>)>();
    thread::spawn(move || {
        let mut buffer = vec![0; 64 << 10];
        while let Ok(length @ 1..) = from.read(&mut buffer) {
            if sender.send((Instant::now() + delay, buffer[..length].to_vec())).is_err() {
                break;
            }
        }
    });
    thread::spawn(move || {
        for (due, chunk) in chunks {
            // A sleep ends late by more than the deadline allows: the last part is waited for awake.
            thread::sleep(due.saturating_duration_since(Instant::now()).saturating_sub(AWAKE));
            while Instant::now() < due {
                thread::yield_now();
            }
            if to.write_all(&chunk).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Write);
    });
}

const AWAKE: Duration = Duration::from_micros(150);
