//! Addresses: URLs, parsed once at the door.

/// Where an endpoint is.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Address {}
