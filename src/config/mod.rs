//! The configuration: where services are, and the limits. `farcall.toml`, then the environment over it.
//!
//! Reads files and the environment in [`Config::load`] only; everything else is pure.

mod environment;
mod file;
mod limits;
mod service;
mod value;

use crate::config::{file::File, service::Service};
use farcall_core::{
    address::{Address, is_name},
    error::Error,
    limits::Limits,
};
use std::collections::BTreeMap;

/// The ports that nobody is assigned: where a service listens on a system without Unix sockets.
const DYNAMIC_PORTS: std::ops::RangeInclusive<u16> = 49_152..=65_535;

/// Where services are, and the limits.
///
/// ```toml
/// [services.archive]
/// connect = "tcp://127.0.0.1:7000"                            # a client's address
/// listen = ["unix:///run/archive.sock", "tcp://0.0.0.0:7000"] # a server's, or one string
/// spin = "adaptive"                                           # off, adaptive, always: for addresses without `?spin=`
///
/// [limits]                                                    # the fields of `Limits`
/// frame = "16MiB"
/// deadline = "10s"
/// ```
///
/// The file is the one that `FARCALL_CONFIG` names (none, if that is empty), else the first `farcall.toml` in the
/// current directory or one above it. The environment overrides it, key by key: `FARCALL__SERVICES__ARCHIVE__CONNECT`,
/// `FARCALL__SERVICES__ARCHIVE__LISTEN=a,b`, `FARCALL__LIMITS__FRAME`. Services whose names differ only in case and in
/// `-`, `.` and `_` are the same one.
///
/// A service that has only one of `connect` and `listen` uses it for both: one line swaps the transport. A service
/// that has neither is at `shm://name` on Linux and at `unix://name` elsewhere (or without the feature `shm`), in the
/// user's private directory; on Windows at `tcp://127.0.0.1:port`, with
/// a port that is derived from the name (FNV-1a, into 49152..=65535), where any user of the host may listen.
#[derive(Clone, Debug, Default)]
pub struct Config {
    services: BTreeMap<String, Service>,
    limits: Limits,
}

impl Config {
    /// The configuration of this process, read anew.
    ///
    /// # Errors
    /// Of the kind `Configuration`, naming the file, line and column or the variable that is wrong.
    pub fn load() -> Result<Self, Error> {
        let file = File::find()?;
        let variables = std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.to_string_lossy().into_owned()))
        });
        Self::parse(&file.text, &file.name, variables)
    }

    /// The configuration in the `text` of a file, overridden by environment variables.
    ///
    /// # Errors
    /// As those of [`load`](Self::load). Variables that do not begin with `FARCALL__` are ignored.
    pub fn parse(
        text: &str,
        file_name: &str,
        environment: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, Error> {
        let mut config = Self::default();
        file::read(&mut config, text, file_name)?;
        for (name, value) in environment {
            environment::read(&mut config, &name, &value)?;
        }
        Ok(config)
    }

    /// Where to connect for `name`, which is an address or a service's name. An address found for a name that names no
    /// service itself gets that name.
    ///
    /// # Errors
    /// If `name` is neither.
    pub fn connect_address(&self, name: &str) -> Result<Address, Error> {
        if !is_name(name) {
            return Address::parse(name);
        }
        let address = match self.service(name).and_then(Service::connect) {
            Some(address) => address,
            None => self.spinning(name, default_address(name)?),
        };
        match address.service() {
            Some(_) => Ok(address),
            None => Ok(address.with_service(name)),
        }
    }

    /// Where to listen for `name`, which is an address or a service's name.
    ///
    /// # Errors
    /// If `name` is neither.
    pub fn listen_addresses(&self, name: &str) -> Result<Vec<Address>, Error> {
        if !is_name(name) {
            return Ok(vec![Address::parse(name)?]);
        }
        match self.service(name).map(Service::listen) {
            Some(addresses) if !addresses.is_empty() => Ok(addresses),
            _ => Ok(vec![self.spinning(name, default_address(name)?)]),
        }
    }

    /// The names of the services that something is configured about, as they are written first.
    pub fn services(&self) -> impl Iterator<Item = &str> {
        self.services.values().map(Service::name)
    }

    /// Whether anything is configured about the service.
    pub(crate) fn has_service(&self, name: &str) -> bool {
        self.service(name).is_some()
    }

    /// The limits.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    fn service(&self, name: &str) -> Option<&Service> {
        self.services.get(&service::key(name))
    }

    fn spinning(&self, name: &str, address: Address) -> Address {
        match self.service(name) {
            Some(service) => service.spinning(address),
            None => address,
        }
    }
}

fn default_address(name: &str) -> Result<Address, Error> {
    if cfg!(windows) {
        Address::parse(&format!("tcp://127.0.0.1:{}", port_of(name)))
    } else if cfg!(all(target_os = "linux", feature = "shm")) {
        Address::parse(&format!("shm://{name}"))
    } else {
        Address::parse(&format!("unix://{name}"))
    }
}

/// A port for a name: the name's FNV-1a hash, folded into the dynamic ports.
fn port_of(name: &str) -> u16 {
    let hash = name
        .bytes()
        .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    // The range has 2^14 ports, so that the sum stays below 2^16.
    DYNAMIC_PORTS.start() + (hash ^ (hash >> 14)) as u16 % DYNAMIC_PORTS.len() as u16
}

#[cfg(test)]
mod tests;
