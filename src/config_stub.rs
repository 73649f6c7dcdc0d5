//! Stand-in.
use farcall_core::{
    address::{Address, is_name},
    error::Error,
    limits::Limits,
};
#[derive(Debug)]
pub struct Config {
    limits: Limits,
}
impl Config {
    pub fn load() -> Result<Self, Error> {
        Ok(Self { limits: Limits::default() })
    }
    pub fn connect_address(&self, name: &str) -> Result<Address, Error> {
        if is_name(name) {
            return Ok(format!("unix://{name}").parse::<Address>()?.with_service(name));
        }
        name.parse()
    }
    pub fn listen_addresses(&self, name: &str) -> Result<Vec<Address>, Error> {
        Ok(vec![if is_name(name) { format!("unix://{name}").parse()? } else { name.parse()? }])
    }
    pub fn limits(&self) -> &Limits {
        &self.limits
    }
}
