//! Words that do not belong into code, or not into this part of it.

use crate::{
    Finding, code,
    tree::{File, Tree},
};

/// Words that say nothing about what a file or module owns.
const EMPTY_NAMES: [&str; 6] = ["utils", "helpers", "common", "types", "manager", "misc"];
/// The files that may say `unsafe`: what Rust has no owner for.
const UNSAFE_FILES: [&str; 15] = [
    "bench/src/rows/farcall/trust.rs",
    "bench/src/rows/raw/queue/sysv.rs",
    "bench/src/rows/raw/shared.rs",
    "examples/ipc_tour/system.rs",
    "rpc-core/src/payload/block.rs",
    "rpc-core/src/payload/mod.rs",
    "rpc-core/src/payload/tests.rs",
    "src/connect.rs",
    "src/serve.rs",
    "tests/trust.rs",
    "transports/src/shm/arena/borrowed.rs",
    "transports/src/shm/arena/own.rs",
    "transports/src/shm/forked.rs",
    "transports/src/shm/mapping.rs",
    "transports/src/shm/tests/fork.rs",
];
/// What nobody leaves behind, whether in tests or elsewhere.
const LEFT_OVER: [&str; 3] = ["todo!", "dbg!", "#[ignore"];

/// Files, folders and modules whose name is an empty word, or has one in it. UI tests are named after the mistake they show.
pub(crate) fn names(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.rust().filter(|file| !file.path.starts_with("tests/ui/")) {
        let parts = file.path.trim_end_matches(".rs").split('/').map(|part| (part, 1));
        let inline = code::places(&file.code, "mod").filter_map(|at| {
            let name = code::word(file.code[at + 3..].trim_start());
            let rest = file.code[at + 3..].trim_start()[name.len()..].trim_start();
            rest.starts_with('{').then(|| (name, code::line_of(&file.code, at)))
        });
        for (name, line) in parts.chain(inline) {
            let empty = name.split(['_', '-']).find(|word| EMPTY_NAMES.contains(word));
            if let Some(word) = empty {
                let what = format!("`{word}` in the name `{name}` says nothing: name what it owns");
                findings.push(Finding::new(&file.path, line, what));
            }
        }
    }
    findings
}

/// Functions called `get_..`.
pub(crate) fn getters(tree: &Tree) -> Vec<Finding> {
    let of = |file: &File| {
        let functions = code::functions(&file.code).into_iter();
        let getters = functions.filter(|function| function.name.starts_with("get_"));
        let finding = |function: code::Function| {
            let what = format!("`{}`: leave the `get_` out", function.name);
            Finding::new(&file.path, function.line, what)
        };
        getters.map(finding).collect::<Vec<_>>()
    };
    tree.rust().flat_map(of).collect()
}

/// `unsafe` outside the files that are named for it. What UI tests show of mistakes is not compiled.
pub(crate) fn unsafe_fence(tree: &Tree) -> Vec<Finding> {
    let fenced = |file: &&File| {
        !UNSAFE_FILES.contains(&file.path.as_str()) && !file.path.starts_with("tests/ui/")
    };
    let what = "`unsafe` outside the fence: find a safe way, or a crate that has one";
    let of = |file| found(file, |file| &file.code, "unsafe", what);
    tree.rust().filter(fenced).flat_map(of).collect()
}

/// `unwrap` in what is shipped.
pub(crate) fn unwraps(tree: &Tree) -> Vec<Finding> {
    let what = "`unwrap`: return the error, or `expect` with the invariant as its text";
    tree.rust().flat_map(|file| found(file, |file| &file.shipped, "unwrap", what)).collect()
}

/// What was meant to go before the commit.
pub(crate) fn left_over(tree: &Tree) -> Vec<Finding> {
    let of = |file| {
        let each = |word| found(file, |file| &file.code, word, &format!("`{word}` was left over"));
        LEFT_OVER.into_iter().flat_map(each).collect::<Vec<_>>()
    };
    tree.rust().flat_map(of).collect()
}

fn found<'a>(
    file: &'a File,
    part: fn(&'a File) -> &'a String,
    word: &'static str,
    what: &str,
) -> Vec<Finding> {
    let code = part(file);
    let finding = |at| Finding::new(&file.path, code::line_of(code, at), what);
    code::places(code, word).map(finding).collect()
}
