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

#[path = "hardening/configuration.rs"]
mod configuration;
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
#[path = "../fuzz/src/words.rs"]
mod words;

/// The corpus of a fuzzer, as `rpc-core/tests/corpus.rs` replays the others.
#[test]
fn configurations_mean_something_or_say_where_they_are_wrong() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/configuration");
    let files = std::fs::read_dir(&folder).expect("the corpus is part of the repository");
    let mut count = 0;
    for file in files {
        let path = file.expect("a file of the corpus").path();
        eprintln!("{}", path.display());
        configuration::run(&std::fs::read(path).expect("a file of the corpus"));
        count += 1;
    }
    assert!(count >= 5, "{} has lost its files", folder.display());
}
