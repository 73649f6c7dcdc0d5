//! Replays the corpora of `fuzz/`: whatever a fuzzer has found interesting stays checked without one.

mod targets;

use std::{fs, path::Path};

fn replay(target: &str, run: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(target);
    let mut count = 0;
    for entry in fs::read_dir(&folder).expect("the corpus is part of the repository") {
        let path = entry.expect("a file of the corpus").path();
        eprintln!("{}", path.display());
        run(&fs::read(path).expect("a file of the corpus"));
        count += 1;
    }
    assert!(count >= 5, "{} has lost its files", folder.display());
}

#[test]
fn frames() {
    replay("frames", targets::frames::run);
}

#[test]
fn connection() {
    replay("connection", targets::connection::run);
}

#[test]
fn decode() {
    replay("decode", targets::decode::run);
}

#[test]
fn address() {
    replay("address", targets::address::run);
}
