//! Files of letters that say other things than what was written: each is refused, or says what was written.

use super::*;
use crate::failure::Failure;
use bytes::Bytes;
use farcall::mailbox::{Capacity, ProcessId, Terms};
use farcall_mailbox::{
    Contents,
    engine::{Letter, LetterId},
};
use std::{fs, path::Path};

fn terms() -> Terms {
    Terms::of(Capacity::Unbounded)
}

fn letter(id: u64) -> Change {
    let sender = ProcessId { name: "somebody".to_owned(), pid: 7, instance: 7 };
    let bytes = vec![u8::try_from(id).unwrap_or_default(); 40 + usize::try_from(id).unwrap_or(0)];
    Change::Accepted(Letter::delivered(LetterId(id), sender, 3, Bytes::from(bytes).into(), 0))
}

/// The file of a host that was killed, or, if it is `closed`, of one that has ended well; and what is in it.
fn written(folder: &Path, closed: bool) -> (Vec<u8>, Contents) {
    let Ok(Found { mut disk, .. }) = open(folder, "jobs", terms(), None) else {
        panic!("a new folder is refused")
    };
    for id in 0..40 {
        disk.commit(&[(Which::Letters, letter(id))], None).expect("there is room");
    }
    let by = ProcessId { name: String::new(), pid: 8, instance: 8 };
    let taken = Change::Taken { letter: LetterId(3), deliveries: 2, by };
    let last = [(Which::Letters, taken), (Which::Letters, Change::Over(LetterId(4)))];
    disk.commit(&last, Some(&Kind::named("Job"))).expect("there is room");
    let path = disk.path.clone();
    let killed = fs::read(&path).expect("it is there");
    drop(disk);
    let Ok(Found { contents, .. }) = open(folder, "jobs", terms(), None) else {
        panic!("what was written is refused")
    };
    assert_eq!((contents.letters.letters.len(), contents.letters.next), (39, 40));
    (if closed { fs::read(&path).expect("it is there") } else { killed }, contents)
}

/// Whether a file is refused. If not, it says what was written.
fn is_refused(folder: &Path, bytes: &[u8], want: &Contents, what: &str) -> bool {
    fs::write(folder.join("jobs.redb"), bytes).expect("there is room");
    match open(folder, "jobs", terms(), None) {
        Ok(Found { contents, .. }) => {
            assert!(contents == *want, "{what}: other letters");
            false
        }
        Err(Failure::Failed(says)) => {
            assert!(says.contains("jobs.redb is damaged ("), "{what}: {says}");
            true
        }
        Err(other) => panic!("{what}: {other}"),
    }
}

#[test]
fn no_byte_can_be_another_one_unnoticed() {
    for closed in [false, true] {
        let folder = tempfile::tempdir().expect("a folder");
        let (whole, want) = written(folder.path(), closed);
        let written: Vec<_> = (320..whole.len()).filter(|at| whole[*at] != 0).collect();
        // Each bit of the geometry, and bits of the commits and of all pages.
        let head = (0..24).flat_map(|at| (0..8).map(move |bit| (at, bit)));
        let commits = (24..320).step_by(3).map(|at| (at, at % 8));
        let pages = written.iter().step_by(written.len() / 100).map(|at| (*at, *at % 8));
        let mut refused = 0;
        for (at, bit) in head.chain(commits).chain(pages) {
            let mut bytes = whole.clone();
            bytes[at] ^= 1 << bit;
            let what = format!("closed: {closed}, bit {bit} of byte {at}");
            refused += usize::from(is_refused(folder.path(), &bytes, &want, &what));
        }
        assert!(refused > 100, "{refused} were noticed");
        assert!(!is_refused(folder.path(), &whole, &want, "what was written"));
    }
}

#[test]
fn no_file_can_end_early_unnoticed() {
    let folder = tempfile::tempdir().expect("a folder");
    let (whole, want) = written(folder.path(), false);
    for length in (0..whole.len()).step_by(whole.len() / 50) {
        let what = format!("{length} bytes of {}", whole.len());
        assert!(is_refused(folder.path(), &whole[..length], &want, &what), "{what}");
    }
}
