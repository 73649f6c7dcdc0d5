//! Hostile peers at a real endpoint, over Unix sockets and TCP, beside a well-behaved client whose every call succeeds. Each attack has
//! its outcome: the offender is closed, or told of his error, or paused, or nothing happens; and nobody else notices.

#![cfg(unix)]

#[allow(dead_code, reason = "the suite uses all of it")]
#[path = "conformance/place.rs"]
mod place;
#[allow(dead_code, reason = "the suite uses all of it")]
#[path = "conformance/work.rs"]
mod work;

#[path = "hardening/attacker.rs"]
mod attacker;
#[path = "hardening/fortress.rs"]
mod fortress;

#[path = "hardening/decode.rs"]
mod decode;
#[path = "hardening/floods.rs"]
mod floods;
#[path = "hardening/protocol.rs"]
mod protocol;
#[path = "hardening/servers.rs"]
mod servers;
#[path = "hardening/streams.rs"]
mod streams;
#[path = "hardening/torrent.rs"]
mod torrent;
#[path = "hardening/visits.rs"]
mod visits;
#[path = "hardening/wire.rs"]
mod wire;
