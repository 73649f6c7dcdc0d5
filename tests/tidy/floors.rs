//! The walls between the floors: which module may name which, and which package may depend on which.

use crate::{
    Finding, code,
    tree::{File, Tree},
};

/// What the sans-IO floors have nothing to do with: they are given the time, and what they own is nobody else's.
const IMPURE: Wall = Wall {
    std: &["env", "fs", "net", "process", "sync", "thread"],
    words: &["tokio", "Instant::now", "SystemTime", "thread_local", "rand"],
};
/// What a transport has nothing to do with: it moves frames and never opens one.
const OPENED: Wall = Wall {
    std: &[],
    words: &["CallId", "ObjectId", "MethodId", "CallHeader", "Interface", "Connection"],
};

/// What a floor must not name.
struct Wall {
    std: &'static [&'static str],
    words: &'static [&'static str],
}

/// A floor: a folder, where its modules are named from, which of them it may name, and what else it must not.
struct Floor {
    folder: &'static str,
    root: &'static str,
    may: &'static [&'static str],
    wall: Wall,
}

const FLOORS: [Floor; 4] = [
    Floor { folder: "rpc-core/src/frame/", root: "crate", may: &["error", "id"], wall: IMPURE },
    Floor {
        folder: "rpc-core/src/codec/",
        root: "crate",
        may: &["buffer", "copy", "error", "limits", "tail"],
        wall: IMPURE,
    },
    Floor {
        folder: "rpc-core/src/conn/",
        root: "crate",
        may: &["error", "frame", "id", "limits"],
        wall: IMPURE,
    },
    Floor {
        folder: "transports/src/",
        root: "farcall_core",
        may: &[
            "address",
            "buffer",
            "copy",
            "error",
            "limits",
            "memory",
            "payload",
            "tail",
            "transport",
        ],
        wall: OPENED,
    },
];

/// Each package with those of farcall's that it may depend on.
const MEMBERS: [(&str, &[&str]); 7] = [
    ("rpc-macros/Cargo.toml", &[]),
    ("rpc-core/Cargo.toml", &[]),
    ("transports/Cargo.toml", &["farcall-core"]),
    ("mailbox/Cargo.toml", &["farcall-core", "farcall-macros"]),
    // Its own tests want its feature `testing`.
    (
        "Cargo.toml",
        &["farcall", "farcall-core", "farcall-macros", "farcall-mailbox", "farcall-transports"],
    ),
    ("cli/Cargo.toml", &["farcall", "farcall-core", "farcall-mailbox", "farcall-transports"]),
    ("torture/Cargo.toml", &["farcall"]),
];

/// What a floor names that is not below it.
pub(crate) fn floors(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for floor in &FLOORS {
        for file in tree.rust().filter(|file| file.path.starts_with(floor.folder)) {
            let code = &file.shipped;
            let mut add = |at: usize, name: String| {
                let what =
                    format!("{} must not name `{name}`: it is another floor's", floor.folder);
                findings.push(Finding::new(&file.path, code::line_of(code, at), what));
            };
            for (name, at) in code::children(code, floor.root) {
                if !floor.may.contains(&name) {
                    add(at, format!("{}::{name}", floor.root));
                }
            }
            for (name, at) in code::children(code, "std") {
                if floor.wall.std.contains(&name) {
                    add(at, format!("std::{name}"));
                }
            }
            for word in floor.wall.words {
                code::places(code, word).for_each(|at| add(at, (*word).to_owned()));
            }
        }
    }
    findings
}

/// Packages that depend on what is above them, and dependencies whose version is not the workspace's.
pub(crate) fn members(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, may) in MEMBERS {
        let Some(manifest) = tree.get(path) else { continue };
        for (name, value, line) in dependencies(manifest) {
            if name.starts_with("farcall") && !may.contains(&name) {
                let what = format!("depends on `{name}`, which is not below it");
                findings.push(Finding::new(path, line, what));
            }
            // A path alone is none.
            if !value.contains("workspace") && !value.contains("{ path = \".\",") {
                let what = format!("`{name}` has a version here: it has one in the workspace");
                findings.push(Finding::new(path, line, what));
            }
        }
    }
    findings
}

/// The dependencies of a package: name, the rest of the line, line.
fn dependencies(manifest: &File) -> impl Iterator<Item = (&str, &str, usize)> {
    let mut section = "";
    manifest.text.lines().zip(1..).filter_map(move |(line, number)| {
        if line.starts_with('[') {
            section = line;
            return None;
        }
        let of_package = section.ends_with("dependencies]") && !section.starts_with("[workspace");
        let (key, _) = line.split_once('=').filter(|_| of_package)?;
        let name = key.trim().split('.').next()?;
        (!name.starts_with('#')).then_some((name, line, number))
    })
}
