//! What an owner binds a name to, and what a client is told of it.

use super::{ADDRESS_BYTES, ADDRESSES, at::is_registry};
use crate::transports::is_local;
use farcall_core::{
    __private::{Interface, Local},
    address::Address,
    error::{Error, ErrorKind},
    host,
    stub::{AnyRemote, Remote},
    transport::Peer,
};
use serde::{Deserialize, Serialize};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// An object to bind a name to, and where its process listens.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Entry {
    pub(super) object: AnyRemote,
    addresses: Vec<String>,
    place: Place,
}

/// Where addresses mean what they say: a host, and a process on it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Place {
    host: [u8; 16],
    process: [u8; 16],
}

/// A name, and what it is bound to.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Binding {
    /// The name.
    pub name: String,
    /// The object's interface.
    pub interface: String,
    /// Where the owner listens, the service after `#`. None: it is reached through the registry.
    pub addresses: Vec<String>,
    /// The owner, for people.
    pub owner: String,
    place: Place,
}

impl Entry {
    /// An object that is reached through the registry, unless an address is added.
    #[must_use]
    pub fn new<I: Interface + ?Sized>(object: &Remote<I>) -> Self {
        Self::of(AnyRemote::from(object.clone()))
    }

    pub(super) fn of_local(local: &Local) -> Self {
        Self::of(AnyRemote::home(local))
    }

    fn of(object: AnyRemote) -> Self {
        let place = Place { host: *host::host_id(), process: *host::process_id() };
        Self { object, addresses: Vec::new(), place }
    }

    /// Adds an address at which this process serves the object, such as one of [`Running::addresses`](crate::Running::addresses), with
    /// its service after `#`. A registry puts the owner's own address in the place of `0.0.0.0` and `[::]`.
    #[must_use]
    pub fn at(mut self, address: &str) -> Self {
        self.addresses.push(address.to_owned());
        self
    }

    /// Checks what a client has sent, and makes its addresses such as others can use.
    pub(super) fn admit(&mut self, owner: &Peer) -> Result<(), Error> {
        if self.addresses.len() > ADDRESSES {
            let count = self.addresses.len();
            let text = format!("the entry has {count} addresses and {ADDRESSES} are the most");
            return Err(Error::of(ErrorKind::Address, text));
        }
        let interface = self.object.interface().len();
        if interface > ADDRESS_BYTES {
            let text = format!(
                "the interface's name is {interface} bytes and {ADDRESS_BYTES} are the most"
            );
            return Err(Error::of(ErrorKind::Address, text));
        }
        for address in &mut self.addresses {
            if address.len() > ADDRESS_BYTES {
                let text = format!(
                    "an address of the entry is {} bytes and {ADDRESS_BYTES} are the most",
                    address.len()
                );
                return Err(Error::of(ErrorKind::Address, text));
            }
            let parsed = Address::parse(address)?;
            if is_registry(&parsed) {
                let text = format!(
                    "`{address}` is a name in a registry: give the addresses at which the process listens"
                );
                return Err(Error::of(ErrorKind::Address, text));
            }
            if let Some(seen) = seen_from_outside(&parsed, owner) {
                *address = seen;
            }
        }
        Ok(())
    }

    pub(super) fn binding(&self, name: &str, owner: &Peer) -> Binding {
        Binding {
            name: name.to_owned(),
            interface: self.object.interface(),
            addresses: self.addresses.clone(),
            owner: describe(owner),
            place: self.place,
        }
    }
}

impl Binding {
    /// The addresses that mean the owner from where this process is.
    pub(super) fn usable(&self) -> Vec<Address> {
        let place = Place { host: *host::host_id(), process: *host::process_id() };
        let addresses = self.addresses.iter().filter_map(|address| Address::parse(address).ok());
        let usable = addresses.filter(|address| match address.scheme() {
            "inproc" => self.place == place,
            _ if is_local(address) => self.place.host == place.host,
            _ => true,
        });
        usable.collect()
    }
}

/// The address with the owner's in the place of one that means all of a host's.
fn seen_from_outside(address: &Address, owner: &Peer) -> Option<String> {
    let listening: SocketAddr = address.place().parse().ok()?;
    if !listening.ip().is_unspecified() {
        return None;
    }
    let own = owner.address.strip_prefix("tcp://").and_then(|at| at.parse::<SocketAddr>().ok());
    let ip = own.map_or(
        match listening.ip() {
            IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::LOCALHOST),
        },
        |own| own.ip(),
    );
    let seen = SocketAddr::new(ip, listening.port());
    Some(address.to_string().replacen(address.place(), &seen.to_string(), 1))
}

/// A process, for people.
fn describe(owner: &Peer) -> String {
    match owner.pid {
        Some(pid) => format!("process {pid}"),
        None => owner.address.clone(),
    }
}
