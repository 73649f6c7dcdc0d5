//! `unix:///path` and `unix://name`: between processes of one user on one host.

mod claim;
mod place;

pub(crate) use claim::Claim;
pub use place::private_directory;
pub(crate) use place::{Place, Purpose};

use crate::{
    accept::Pauses,
    stream::socket::{self, Reserved},
};
use farcall_core::{
    address::Address,
    error::{Error, ErrorKind},
    transport::{BoxFuture, Listener, Peer, Transport, Wire},
};
use place::owner_is_trusted;
use std::{io, os::unix::fs::MetadataExt, path::Path};
use tokio::net::{UnixListener, UnixStream};

/// The transport of `unix://` addresses.
///
/// The place is an absolute path (`unix:///run/archive.sock`), or a name (`unix://archive`), which means
/// `archive.sock` in [`private_directory`]. Both ends must run as the same user, or one of them as root.
#[derive(Clone, Copy, Default, Debug)]
pub struct Unix;

impl Transport for Unix {
    fn scheme(&self) -> &'static str {
        "unix"
    }

    fn connect<'a>(&'a self, to: &'a Address) -> BoxFuture<'a, Result<Wire, Error>> {
        Box::pin(connect(to))
    }

    fn listen<'a>(&'a self, at: &'a Address) -> BoxFuture<'a, Result<Box<dyn Listener>, Error>> {
        Box::pin(async move { Ok(Box::new(listen(at).await?) as Box<dyn Listener>) })
    }
}

async fn connect(to: &Address) -> Result<Wire, Error> {
    let place = Place::resolve(to, Purpose::Connect)?;
    check_before_connecting(&place)?;
    let connected = async {
        let reserved = Reserved::new()?;
        let stream = UnixStream::connect(&place.path).await?;
        wire(stream, reserved, &place.address)
    };
    connected.await.map_err(|error| not_connected(&place, &error))
}

async fn listen(at: &Address) -> Result<UnixWires, Error> {
    let place = Place::resolve(at, Purpose::Listen)?;
    let (claim, listener) = Claim::listen(&place).await?;
    let address = place.address;
    Ok(UnixWires { listener, _claim: claim, address, reserved: None, pauses: Pauses::new() })
}

/// Accepts connections.
struct UnixWires {
    listener: UnixListener,
    _claim: Claim,
    address: String,
    /// What the next wire needs besides its socket.
    reserved: Option<Reserved>,
    pauses: Pauses,
}

impl UnixWires {
    async fn try_accept(&mut self) -> io::Result<Wire> {
        self.pauses.sleep().await;
        if self.reserved.is_none() {
            self.reserved = Some(Reserved::new()?);
        }
        let (stream, _) = self.listener.accept().await?;
        let reserved = self.reserved.take().map_or_else(Reserved::new, Ok)?;
        wire(stream, reserved, &self.address)
    }
}

impl Listener for UnixWires {
    fn accept(&mut self) -> BoxFuture<'_, io::Result<Wire>> {
        Box::pin(async move {
            loop {
                match self.try_accept().await {
                    Ok(wire) => {
                        self.pauses.accepted();
                        return Ok(wire);
                    }
                    Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                        tracing::warn!(address = self.address, %error, "refused a connection");
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

fn wire(stream: UnixStream, reserved: Reserved, address: &str) -> io::Result<Wire> {
    let peer = peer(&stream, "unix", address)?;
    socket::wire(stream.into_std()?.into(), reserved, peer)
}

/// Who is at the other end.
///
/// # Errors
/// `PermissionDenied` if it is neither this user nor root.
pub(crate) fn peer(
    stream: &UnixStream,
    transport: &'static str,
    address: &str,
) -> io::Result<Peer> {
    let credentials = stream.peer_cred()?;
    if !owner_is_trusted(credentials.uid()) {
        let text = format!(
            "the peer runs as user {}, which is neither this one nor root",
            credentials.uid()
        );
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, text));
    }
    let mut peer = Peer::new(transport, address);
    peer.uid = Some(credentials.uid());
    peer.pid = credentials.pid().and_then(|pid| u32::try_from(pid).ok());
    peer.local = true;
    Ok(peer)
}

/// Refuses what is no socket, and a socket that somebody else has put there.
pub(crate) fn check_before_connecting(place: &Place) -> Result<(), Error> {
    let metadata = match std::fs::symlink_metadata(&place.path) {
        Ok(metadata) => metadata,
        Err(error) => return Err(not_connected(place, &error)),
    };
    if let Some(what) = claim::other_than_socket(&metadata) {
        let text = format!(
            "cannot connect to {}: the path is {what} and not a socket: check it",
            place.address
        );
        return Err(Error::of(ErrorKind::Address, text));
    }
    if !owner_is_trusted(metadata.uid()) {
        let text = format!(
            "will not connect to {}: the socket belongs to user {}, who is neither this one nor root",
            place.address,
            metadata.uid()
        );
        return Err(Error::of(ErrorKind::PermissionDenied, text));
    }
    Ok(())
}

pub(crate) fn not_connected(place: &Place, error: &io::Error) -> Error {
    let address = &place.address;
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => {
            let text = format!("nobody listens at {address}: start the server, or check the path");
            Error::of(ErrorKind::Unreachable, text)
        }
        io::ErrorKind::PermissionDenied => {
            let text =
                format!("may not connect to {address}: run both ends as the same user ({error})");
            Error::of(ErrorKind::PermissionDenied, text)
        }
        io::ErrorKind::NotADirectory => not_a_directory(address, &place.path),
        _ => {
            let text =
                format!("cannot connect to {address}: the server may be overloaded ({error})");
            Error::of(ErrorKind::Unreachable, text)
        }
    }
}

fn not_a_directory(address: &str, path: &Path) -> Error {
    let parent = path.parent().unwrap_or(path).display();
    Error::of(ErrorKind::Address, format!("{address} is wrong: {parent} is not a directory"))
}
