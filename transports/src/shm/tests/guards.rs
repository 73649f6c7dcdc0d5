//! What lies before and after a mapping.

use super::*;
use rustix::fs::fstat;
use std::fs;

/// A line of `/proc/self/maps`: where it begins and ends, what may be done there, the number of its file.
fn range(line: &str) -> (&str, &str, &str, u64) {
    let mut words = line.split_whitespace();
    let range = words.next().expect("a range").split_once('-').expect("two addresses");
    let permissions = words.next().expect("permissions");
    (
        range.0,
        range.1,
        permissions,
        words.nth(2).expect("a file's number").parse().expect("a number"),
    )
}

#[test]
fn whatever_goes_beyond_a_mapping_is_a_fault() {
    run(async {
        let (left, _right) = sides();
        let memory = left.segment.memory().expect("it is its own");
        let file = fstat(memory).expect("it is open").st_ino;
        let maps = fs::read_to_string("/proc/self/maps").expect("there is /proc");
        let ranges: Vec<_> = maps.lines().map(range).collect();
        let mut permissions = Vec::new();
        for around in ranges.windows(3).filter(|around| around[1].3 == file) {
            let [before, mapping, after] = around else { unreachable!("windows of three") };
            assert_eq!((before.1, before.2), (mapping.0, "---p"), "{around:?}");
            assert_eq!((after.0, after.2), (mapping.1, "---p"), "{around:?}");
            permissions.push(mapping.2);
        }
        permissions.sort_unstable();
        assert_eq!(permissions, ["r--s", "rw-s"], "its owner writes it, its peer reads it");
    });
}
