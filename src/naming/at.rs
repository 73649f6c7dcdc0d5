//! A name in a registry, read from an address: `registry://host:port/name`.

use super::SERVICE;
use crate::config::Config;
use farcall_core::{
    address::{Address, Spin},
    error::{Error, ErrorKind},
};
use std::fmt;

/// A name, and the registry that it is in.
#[derive(Clone, Debug)]
pub(crate) struct At {
    /// None: this process's own.
    pub(super) registry: Option<Address>,
    pub(super) name: String,
    pub(super) spin: Spin,
    written: String,
}

/// Whether an address is a name in a registry.
pub(crate) fn is_registry(address: &Address) -> bool {
    address.scheme() == SERVICE || beside(address).is_some()
}

/// `unix` of `registry+unix`.
fn beside(address: &Address) -> Option<&str> {
    address.scheme().strip_prefix(SERVICE)?.strip_prefix('+')
}

impl At {
    /// Reads an address, if it is one of a name in a registry.
    pub(crate) fn parse(address: &Address, config: &Config) -> Result<Option<Self>, Error> {
        if !is_registry(address) {
            return Ok(None);
        }
        let (place, within) = match beside(address) {
            Some(_) => (address.place(), None),
            None => match address.place().split_once('/') {
                Some((place, name)) => (place, Some(name)),
                None => (address.place(), None),
            },
        };
        let scheme = beside(address).unwrap_or("tcp");
        let within = within.filter(|name| !name.is_empty());
        let Some(name) = within.or(address.service()) else {
            let text = format!(
                "the address `{address}` names nothing in the registry: write `registry://host:port/name`"
            );
            return Err(Error::of(ErrorKind::Address, text));
        };
        let registry = match place {
            "" => {
                config.has_service(SERVICE).then(|| config.connect_address(SERVICE)).transpose()?
            }
            _ => Some(Address::parse(&format!("{scheme}://{place}#{SERVICE}"))?),
        };
        let written = match within {
            Some(_) => address.clone().without_service(),
            None => address.clone(),
        };
        let (name, spin) = (name.to_owned(), address.spin());
        Ok(Some(Self { registry, name, spin, written: written.to_string() }))
    }
}

impl At {
    /// The name in the registry.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_names() {
        let config = Config::default();
        let configured = "[services.registry]\nconnect = \"unix:///run/names.sock\"";
        let configured = Config::parse(configured, "farcall.toml", std::iter::empty()).unwrap();
        let check = |text: &str, config: &Config, want: Option<(Option<&str>, &str)>| {
            let at = At::parse(&Address::parse(text).unwrap(), config).unwrap();
            let found = at.map(|at| (at.registry.map(|address| address.to_string()), at.name));
            let want = want.map(|(address, name)| (address.map(str::to_owned), name.to_owned()));
            assert_eq!(found, want, "{text}");
        };
        let tcp = Some("tcp://10.0.0.7:7700#registry");
        check("registry://10.0.0.7:7700/archive", &config, Some((tcp, "archive")));
        check("registry://10.0.0.7:7700#archive", &config, Some((tcp, "archive")));
        // A configured service comes with its own name.
        check("registry://10.0.0.7:7700/archive#shelf", &config, Some((tcp, "archive")));
        let unix = Some("unix:///run/names.sock#registry");
        check("registry+unix:///run/names.sock#archive", &config, Some((unix, "archive")));
        check("registry:///archive", &config, Some((None, "archive")));
        check("registry:///archive", &configured, Some((unix, "archive")));
        check("tcp://10.0.0.7:7700#archive", &config, None);
        let nameless = Address::parse("registry://10.0.0.7:7700/").unwrap();
        let error = At::parse(&nameless, &config).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Address);
        assert_eq!(
            error.text(),
            "the address `registry://10.0.0.7:7700/` names nothing in the registry: write `registry://host:port/name`"
        );
    }
}
