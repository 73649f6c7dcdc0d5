//! `tcp://host:port`: across machines; unauthenticated and unencrypted.

use crate::accept::Pauses;
use farcall_core::{
    address::Address,
    error::{Error, ErrorKind},
    transport::{BoxFuture, Listener, Peer, Transport, Wire},
};
use socket2::{SockRef, TcpKeepalive};
use std::{io, net::SocketAddr, time::Duration};
use tokio::net::{TcpListener, TcpSocket, TcpStream, lookup_host};

/// Connections that the system keeps for a listener that is busy.
const BACKLOG: u32 = 1024;
/// Time for one of several addresses of a host, before the next is tried.
const NEXT_ADDRESS: Duration = Duration::from_secs(2);
/// Silence after which the system asks the peer for a sign of life.
const KEEPALIVE_AFTER: Duration = Duration::from_secs(60);
/// Time between such questions.
const KEEPALIVE_EVERY: Duration = Duration::from_secs(10);

/// The transport of `tcp://` addresses.
///
/// The place is `host:port`: a name, an IPv4 address, or an IPv6 address in brackets. Port 0 listens on a free one.
#[derive(Clone, Copy, Default, Debug)]
pub struct Tcp;

impl Transport for Tcp {
    fn scheme(&self) -> &'static str {
        "tcp"
    }

    fn connect<'a>(&'a self, to: &'a Address) -> BoxFuture<'a, Result<Wire, Error>> {
        Box::pin(connect(to))
    }

    fn listen<'a>(&'a self, at: &'a Address) -> BoxFuture<'a, Result<Box<dyn Listener>, Error>> {
        Box::pin(async move { Ok(Box::new(listen(at).await?) as Box<dyn Listener>) })
    }
}

async fn connect(to: &Address) -> Result<Wire, Error> {
    let addresses = resolve(to).await?;
    let mut failed = io::Error::other("its name has no address");
    for (at, address) in addresses.iter().enumerate() {
        let connecting = TcpStream::connect(address);
        let connected = if at + 1 == addresses.len() {
            connecting.await
        } else {
            match tokio::time::timeout(NEXT_ADDRESS, connecting).await {
                Ok(connected) => connected,
                Err(elapsed) => Err(elapsed.into()),
            }
        };
        match connected.and_then(|stream| Wiring::new()?.wire(stream, *address)) {
            Ok(wire) => return Ok(wire),
            Err(error) => failed = error,
        }
    }
    Err(not_connected(to, &failed))
}

async fn listen(at: &Address) -> Result<TcpWires, Error> {
    let mut failed = io::Error::other("its name has no address");
    for address in resolve(at).await? {
        match bind(address) {
            Ok(listener) => {
                let local = listener.local_addr().unwrap_or(address);
                if !local.ip().is_loopback() {
                    tracing::warn!(
                        address = %local,
                        "tcp is unauthenticated and unencrypted: whoever reaches this port may call; listen on 127.0.0.1, or behind something that authenticates"
                    );
                }
                let address = format!("tcp://{local}");
                return Ok(TcpWires { listener, address, wiring: None, pauses: Pauses::new() });
            }
            Err(error) => failed = error,
        }
    }
    Err(not_listening(at, &failed))
}

fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv6() { TcpSocket::new_v6()? } else { TcpSocket::new_v4()? };
    // Elsewhere the option would let two processes share the port.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// How congestion is handled on the loopback interface, where there is none: a system's default may be to measure the path and to
/// pace what is sent, which makes a megabyte take twice as long there.
#[cfg(target_os = "linux")]
const UNPACED: &str = "reno";

/// Accepts connections.
struct TcpWires {
    listener: TcpListener,
    address: String,
    /// What the next wire needs besides its socket.
    wiring: Option<Wiring>,
    pauses: Pauses,
}

impl TcpWires {
    async fn try_accept(&mut self) -> io::Result<Wire> {
        self.pauses.sleep().await;
        if self.wiring.is_none() {
            self.wiring = Some(Wiring::new()?);
        }
        let (stream, address) = self.listener.accept().await?;
        match self.wiring.take() {
            Some(wiring) => wiring.wire(stream, address),
            None => Wiring::new()?.wire(stream, address),
        }
    }
}

impl Listener for TcpWires {
    fn accept(&mut self) -> BoxFuture<'_, io::Result<Wire>> {
        Box::pin(async move {
            loop {
                match self.try_accept().await {
                    Ok(wire) => {
                        self.pauses.accepted();
                        return Ok(wire);
                    }
                    Err(error) => self.pauses.failed(error, &self.address)?,
                }
            }
        })
    }

    fn address(&self) -> String {
        self.address.clone()
    }
}

/// Makes wires of streams. What it takes for that is taken before the stream is there.
#[cfg(unix)]
struct Wiring(crate::stream::socket::Reserved);

#[cfg(unix)]
impl Wiring {
    fn new() -> io::Result<Self> {
        Ok(Self(crate::stream::socket::Reserved::new()?))
    }

    fn wire(self, stream: TcpStream, address: SocketAddr) -> io::Result<Wire> {
        tune(&stream)?;
        #[cfg(target_os = "linux")]
        if address.ip().is_loopback() {
            // Where it is not to be had, the system's own does.
            let _ = rustix::net::sockopt::set_tcp_congestion(&stream, UNPACED);
        }
        crate::stream::socket::wire(stream.into_std()?.into(), self.0, peer(address))
    }
}

#[cfg(not(unix))]
struct Wiring;

#[cfg(not(unix))]
impl Wiring {
    #[expect(clippy::unnecessary_wraps, reason = "the same shape as on Unix")]
    fn new() -> io::Result<Self> {
        Ok(Self)
    }

    fn wire(self, stream: TcpStream, address: SocketAddr) -> io::Result<Wire> {
        tune(&stream)?;
        let (reader, writer) = stream.into_split();
        Ok(crate::io::wire_of(reader, writer, peer(address)))
    }
}

fn tune(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let keepalive = TcpKeepalive::new().with_time(KEEPALIVE_AFTER).with_interval(KEEPALIVE_EVERY);
    SockRef::from(stream).set_tcp_keepalive(&keepalive)
}

fn peer(address: SocketAddr) -> Peer {
    let mut peer = Peer::new("tcp", format!("tcp://{address}"));
    peer.local = address.ip().is_loopback();
    peer
}

async fn resolve(address: &Address) -> Result<Vec<SocketAddr>, Error> {
    let place = address.place();
    let Some((host, port)) = place.rsplit_once(':').filter(|(host, _)| !host.is_empty()) else {
        let text = format!("{address} has no port: write tcp://host:port");
        return Err(Error::of(ErrorKind::Address, text));
    };
    if port.parse::<u16>().is_err() {
        let text = format!("{address} has the port `{port}`: a port is a number up to 65535");
        return Err(Error::of(ErrorKind::Address, text));
    }
    if host.contains(':') && place.parse::<SocketAddr>().is_err() {
        let text = format!(
            "{address} is wrong: an IPv6 address stands in brackets, as in tcp://[::1]:7000"
        );
        return Err(Error::of(ErrorKind::Address, text));
    }
    match lookup_host(place).await {
        Ok(addresses) => Ok(addresses.collect()),
        Err(error) => {
            let text =
                format!("cannot find the host of {address}: check the name `{host}` ({error})");
            Err(Error::of(ErrorKind::Unreachable, text))
        }
    }
}

fn not_connected(to: &Address, error: &io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => {
            let text = format!("nobody listens at {to}: start the server, or check the address");
            Error::of(ErrorKind::Unreachable, text)
        }
        io::ErrorKind::PermissionDenied => {
            let text =
                format!("may not connect to {to}: a firewall or a sandbox forbids it ({error})");
            Error::of(ErrorKind::PermissionDenied, text)
        }
        _ => {
            let text = format!("cannot reach {to}: check the address and the network ({error})");
            Error::of(ErrorKind::Unreachable, text)
        }
    }
}

fn not_listening(at: &Address, error: &io::Error) -> Error {
    let (kind, what) = match error.kind() {
        io::ErrorKind::AddrInUse => (
            ErrorKind::AddressInUse,
            "somebody already listens there: stop that process, choose another port, or write port 0 for a free one",
        ),
        io::ErrorKind::PermissionDenied => {
            (ErrorKind::PermissionDenied, "ports below 1024 need privileges: choose a higher one")
        }
        io::ErrorKind::AddrNotAvailable => (
            ErrorKind::Address,
            "this host has no such address: listen on one of its own, on 127.0.0.1, or on 0.0.0.0 for all",
        ),
        _ => (ErrorKind::Address, "the system refuses: check the address"),
    };
    Error::of(kind, format!("cannot listen at {at}: {what} ({error})"))
}
