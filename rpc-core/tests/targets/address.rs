//! Addresses: what parses is written so that it parses to the same.

use farcall_core::address::{Address, Spin, is_name};

/// Takes the bytes for an address.
pub fn run(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let parsed = Address::parse(text);
    assert!(!(is_name(text) && parsed.is_ok()), "a name is no address");
    let Ok(address) = parsed else { return };
    assert!(!address.place().is_empty() && !address.scheme().is_empty());
    let parse = |address: &Address| Address::parse(&address.to_string());
    assert_eq!(parse(&address).as_ref(), Ok(&address));
    let other = address.with_spin(Spin::Off).with_service(text);
    assert_eq!((other.spin(), other.service()), (Spin::Off, Some(text)));
    if !text.chars().any(char::is_control) {
        assert_eq!(parse(&other), Ok(other));
    }
}
