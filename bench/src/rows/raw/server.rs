//! The server of all floors: a thread for each connection.

use std::io;
use std::net::TcpListener;
use std::os::unix::net::UnixListener;

use anyhow::{Result, bail};

use super::frame::{Frame, Inbox, Kind, header, number};
use super::stream::{Socket, Stream, Waiting};
use crate::row::Address;
use crate::work;

/// Serves every connection on a thread of its own.
pub fn serve(address: &Address, ready: &dyn Fn(&Address), waiting: Waiting) -> Result<()> {
    let accept: Box<dyn Fn() -> io::Result<Stream>> = match address {
        Address::Unix(path) => {
            let listener = UnixListener::bind(path)?;
            ready(address);
            Box::new(move || Ok(Socket::Unix(listener.accept()?.0).into()))
        }
        Address::Tcp(socket) => {
            let listener = TcpListener::bind(socket)?;
            ready(&Address::Tcp(listener.local_addr()?));
            Box::new(move || Ok(Socket::Tcp(listener.accept()?.0).into()))
        }
        Address::Inproc(_) | Address::Shm(_) | Address::Queue(_) => {
            bail!("a socket cannot listen at {address}")
        }
    };
    loop {
        let mut stream = accept()?;
        stream.prepare(waiting)?;
        std::thread::spawn(move || {
            if let Err(error) = serve_one(stream) {
                eprintln!("{error:#}");
            }
        });
    }
}

/// Answers all frames of one read with one write; large bodies are written from where they lie.
fn serve_one(mut stream: Stream) -> Result<()> {
    let (mut inbox, mut outbox) = (Inbox::new(), Vec::new());
    while inbox.fill(&mut stream)? > 0 {
        while let Some(Frame { kind, body }) = inbox.frame() {
            if kind == Kind::Echo as u8 {
                outbox.extend_from_slice(&header(kind, body.len()));
                stream.write_all(&outbox, body)?;
                outbox.clear();
                continue;
            }
            let answer = if kind == Kind::Add as u8 {
                number(body, 0)?.wrapping_add(number(body, 1)?)
            } else {
                work::sum(body)
            };
            outbox.extend_from_slice(&header(kind, 8));
            outbox.extend_from_slice(&answer.to_le_bytes());
        }
        stream.write_all(&outbox, &[])?;
        outbox.clear();
    }
    Ok(())
}
