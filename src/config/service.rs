//! What the configuration says about one service.

use super::value::{Raw, Value, wrong};
use farcall_core::{
    address::{Address, Spin},
    error::Error,
};

/// The keys of a service.
const KEYS: [&str; 3] = ["connect", "listen", "spin"];

/// What the configuration says about one service.
#[derive(Clone, Debug, Default)]
pub(super) struct Service {
    /// As it is written where it is first configured.
    name: String,
    connect: Option<Address>,
    listen: Vec<Address>,
    spin: Option<Spin>,
}

/// The name under which a service is kept: names that an environment variable cannot tell apart are the same.
pub(super) fn key(name: &str) -> String {
    name.to_ascii_uppercase().replace(['-', '.'], "_")
}

impl Service {
    /// One that nothing is said about.
    pub(super) fn named(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }

    /// What it is called.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Sets what the value's key says.
    pub(super) fn set(&mut self, value: &Value<'_>) -> Result<(), Error> {
        match value.key {
            "connect" => self.connect = Some(value.address()?),
            "listen" => self.listen = listening(value)?,
            "spin" => self.spin = Some(value.spin()?),
            _ => return Err(value.unknown_key(&KEYS)),
        }
        Ok(())
    }

    /// Where to connect, if the configuration says so.
    pub(super) fn connect(&self) -> Option<Address> {
        let address = self.connect.as_ref().or(self.listen.first())?;
        Some(self.spinning(address.clone()))
    }

    /// Where to listen, if the configuration says so.
    pub(super) fn listen(&self) -> Vec<Address> {
        let listen = self.listen.iter().cloned();
        if self.listen.is_empty() {
            let connect = self.connect.clone().map(Address::without_service);
            return connect.map(|address| self.spinning(address)).into_iter().collect();
        }
        listen.map(|address| self.spinning(address)).collect()
    }

    /// The address, waiting as the service does unless it says itself how.
    pub(super) fn spinning(&self, address: Address) -> Address {
        match self.spin {
            Some(spin) if address.option("spin").is_none() => address.with_spin(spin),
            _ => address,
        }
    }
}

fn listening(value: &Value<'_>) -> Result<Vec<Address>, Error> {
    let addresses = match &value.raw {
        Raw::List(list) => list.iter().map(Value::address).collect::<Result<Vec<_>, _>>()?,
        Raw::Text(_) => vec![value.address()?],
        _ => return Err(value.not_a("string or an array of strings")),
    };
    if addresses.is_empty() {
        return Err(wrong(&value.place, "`listen` is empty: list an address, or leave it out"));
    }
    match addresses.iter().find_map(Address::service) {
        Some(service) => {
            let what = format!("`listen` is about an endpoint: leave `#{service}` out");
            Err(wrong(&value.place, &what))
        }
        None => Ok(addresses),
    }
}
