//! A disk without room: a small one of its own, which only root can make.
#![cfg(target_os = "linux")]

use crate::stage::Stage;
use std::{fs, path::Path, process::Command};

/// A small disk in memory.
struct Small<'a>(&'a Path);

impl<'a> Small<'a> {
    /// None, where this process may not make one.
    fn new(path: &'a Path) -> Option<Self> {
        fs::create_dir(path).unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=8m,mode=700", "tmpfs"])
            .arg(path)
            .output();
        let is_mounted = mounted.is_ok_and(|mounted| mounted.status.success());
        is_mounted.then_some(Self(path))
    }
}

impl Drop for Small<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0).status();
    }
}

#[test]
fn a_full_disk_loses_nothing_and_is_used_again_when_there_is_room() {
    let stage = Stage::new();
    let path = stage.path("small");
    let Some(_small) = Small::new(&path) else {
        eprintln!("SKIPPED: no small disk can be mounted here, which takes root");
        return;
    };
    let other = path.join("other");
    let host = stage.serve(&["jobs", "--durable", "small", "--capacity", "unbounded"]);
    stage.out(&["mailbox", "send", "jobs", "first"]);
    let (mut letters, large) = (1, vec![b'x'; 300_000]);
    let refused = loop {
        let sent = stage.run_with(&["mailbox", "send", "jobs"], &large);
        if sent.code != 0 {
            break sent;
        }
        letters += 1;
    };
    assert_eq!(refused.code, 1);
    for says in ["there is no room for small/jobs.redb", "make room on its disk"] {
        assert!(refused.err.contains(says), "{}", refused.err);
    }
    // Somebody else takes some of what was kept free. What there is can be taken and acked all the same, and no new letter takes the rest.
    fs::write(&other, vec![0; 256 << 10]).unwrap();
    let recv = || stage.out(&["mailbox", "recv", "jobs"]);
    assert_eq!(recv(), "first\n");
    assert_eq!(stage.run_with(&["mailbox", "send", "jobs"], &large).code, 1);
    assert_eq!(recv().trim_end().len(), large.len());
    // A host that dies now loses nothing either.
    drop(host);
    let _host = stage.serve(&["jobs", "--durable", "small", "--capacity", "unbounded"]);
    let ready = |count: usize| {
        let listed = stage.out(&["mailbox", "ls", "jobs", "--json"]);
        assert!(listed.contains(&format!(r#""ready":{count},"#)), "not {count}: {listed}");
    };
    ready(letters - 2);
    // The room of letters that have gone is room.
    for _ in 4..letters {
        assert_eq!(recv().trim_end().len(), large.len());
    }
    stage.out(&["mailbox", "send", "jobs", "last"]);
    ready(3);
    assert_eq!([(); 3].map(|()| recv().len()), [large.len() + 1, large.len() + 1, 5]);
}
