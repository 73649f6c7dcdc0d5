//! A row of the comparison: one way to make the calls, and the addresses it is reached at.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use crate::driver::Driver;
use crate::placement::Placement;
use crate::work::Work;

/// One way to make the calls. A peer implements this once for each of its flavours.
pub trait Row: Sync {
    /// Short, unique, `family-flavour`.
    fn name(&self) -> &'static str;

    /// What it is and how it was tuned, in one sentence.
    fn about(&self) -> &'static str;

    /// What it can be reached over.
    fn transports(&self) -> &'static [Transport];

    /// Whether this work makes sense here.
    fn offers(&self, placement: Placement, work: Work) -> bool;

    /// Whether its idle CPU and the memory of its idle connections are of interest.
    fn stands(&self) -> bool {
        true
    }

    /// Serves at `address` until the process is killed; says through `ready` where that really is.
    fn serve(&self, address: &Address, ready: &dyn Fn(&Address)) -> Result<()>;

    /// Connects to the server. In-process rows start it here.
    fn connect(&self, address: &Address) -> Result<Box<dyn Driver>>;
}

/// What carries the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Transport {
    /// No process boundary at all.
    Inproc,
    /// Shared memory.
    Shm,
    /// A message queue of the kernel.
    Queue,
    /// A Unix socket.
    Unix,
    /// TCP over the loopback device.
    Tcp,
}

impl Transport {
    /// All of them, in the order in which they are measured.
    pub const ALL: [Self; 5] = [Self::Inproc, Self::Shm, Self::Queue, Self::Unix, Self::Tcp];
    /// Both kinds of socket.
    pub const SOCKETS: &'static [Self] = &[Self::Unix, Self::Tcp];

    /// The one of this name.
    pub fn named(name: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|transport| transport.to_string() == name);
        found.with_context(|| format!("not a transport: {name}"))
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Inproc => "inproc",
            Self::Shm => "shm",
            Self::Queue => "queue",
            Self::Unix => "unix",
            Self::Tcp => "tcp",
        })
    }
}

/// Where a server listens, written as a URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// `inproc://name`
    Inproc(String),
    /// `shm:///path`, that of its control socket.
    Shm(PathBuf),
    /// `queue://name`
    Queue(String),
    /// `unix:///path`
    Unix(PathBuf),
    /// `tcp://host:port`
    Tcp(SocketAddr),
}

impl FromStr for Address {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        match text.split_once("://") {
            Some(("inproc", name)) => Ok(Self::Inproc(name.to_owned())),
            Some(("shm", path)) => Ok(Self::Shm(PathBuf::from(path))),
            Some(("queue", name)) => Ok(Self::Queue(name.to_owned())),
            Some(("unix", path)) => Ok(Self::Unix(PathBuf::from(path))),
            Some(("tcp", socket)) => Ok(Self::Tcp(socket.parse()?)),
            _ => bail!("not an address: {text}"),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Inproc(name) => write!(f, "inproc://{name}"),
            Self::Shm(path) => write!(f, "shm://{}", path.display()),
            Self::Queue(name) => write!(f, "queue://{name}"),
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
            Self::Tcp(socket) => write!(f, "tcp://{socket}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_written_as_they_are_read() {
        for text in [
            "inproc://bench",
            "shm:///run/a.shm",
            "queue://7",
            "unix:///run/a.sock",
            "tcp://127.0.0.1:0",
        ] {
            assert_eq!(text.parse::<Address>().expect("an address").to_string(), text);
        }
        assert!("carrier-pigeon://coop".parse::<Address>().is_err());
    }
}
