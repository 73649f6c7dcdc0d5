//! Replays the corpora of `fuzz/` that are about shared memory, as `rpc-core/tests/corpus.rs` does with the others.

use crate::shm::{arena, ring};
use std::{fs, path::Path};

fn replay(target: &str, run: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(target);
    let files = fs::read_dir(&folder).expect("the corpus is part of the repository");
    let mut count = 0;
    for file in files {
        let path = file.expect("a file of the corpus").path();
        eprintln!("{}", path.display());
        run(&fs::read(path).expect("a file of the corpus"));
        count += 1;
    }
    assert!(count >= 5, "{} has lost its files", folder.display());
}

#[test]
fn operations_on_the_ring() {
    replay("ring", ring::target::run);
}

#[test]
fn lends_and_returns() {
    replay("lending", arena::target::run);
}
