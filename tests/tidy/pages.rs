//! What the pages at the root say, held against the code.

use crate::{
    Finding, code,
    tree::{File, Tree},
};

/// Lines that the map must not exceed.
const LONG_MAP: usize = 150;
/// The tables of the wire: the heading in PROTOCOL.md, and the file whose numbers it lists.
const TABLES: [(&str, &str); 4] = [
    ("Frames", "rpc-core/src/frame/mod.rs"),
    ("Flags of a call", "rpc-core/src/frame/call.rs"),
    ("Outcomes", "rpc-core/src/frame/reply.rs"),
    ("Error kinds", "rpc-core/src/error.rs"),
];

/// Folders that are not on the map, paths on the map that are not there, and a map that is no map any more.
pub(crate) fn map(tree: &Tree) -> Vec<Finding> {
    let page = "ARCHITECTURE.md";
    let Some(map) = tree.get(page) else { return vec![Finding::new(page, 1, "is missing")] };
    let mut findings = Vec::new();
    let named: Vec<_> = paths(map).collect();
    let lines = map.text.lines().count();
    if lines > LONG_MAP {
        findings.push(Finding::new(page, lines, format!("{LONG_MAP} lines are the most")));
    }
    for folder in tree.folders() {
        // A folder of tests belongs to the one above it, except at the root.
        let own = folder.strip_suffix("/tests/").map_or(folder, |above| &folder[..=above.len()]);
        if !named.iter().any(|(path, _)| *path == own) {
            findings.push(Finding::new(page, 1, format!("`{own}` is not on the map")));
        }
    }
    for (path, line) in named {
        if !tree.has(path) {
            findings.push(Finding::new(page, line, format!("`{path}` is not there")));
        }
    }
    findings
}

/// What looks like the path of a Rust file or a folder in a page, with its line.
fn paths(page: &File) -> impl Iterator<Item = (&str, usize)> {
    let is_path = |c: char| code::is_word(c) || matches!(c, '/' | '-' | '.');
    page.text.lines().zip(1..).flat_map(move |(line, number)| {
        let written = line.split(move |c| !is_path(c)).map(move |path| (path, number));
        written.filter(|(path, _)| path.len() > 1 && (path.ends_with('/') || path.ends_with(".rs")))
    })
}

/// Numbers of the wire that PROTOCOL.md does not list, and those that it lists and the code does not have.
pub(crate) fn wire(tree: &Tree) -> Vec<Finding> {
    let page = "PROTOCOL.md";
    let Some(protocol) = tree.get(page) else { return vec![Finding::new(page, 1, "is missing")] };
    let mut findings = Vec::new();
    for (heading, source) in TABLES {
        let Some(source) = tree.get(source) else { continue };
        let (ours, theirs) = (constants(source), rows(protocol, heading));
        let lacks = |all: &[Number], number: &Number| !all.iter().any(|other| other.0 == number.0);
        for number in ours.iter().filter(|number| lacks(&theirs, number)) {
            let what =
                format!("`{}` = {} is not below `{heading}` in {page}", number.0.1, number.0.0);
            findings.push(Finding::new(&source.path, number.1, what));
        }
        for number in theirs.iter().filter(|number| lacks(&ours, number)) {
            let what = format!("`{}` = {} is not in {}", number.0.1, number.0.0, source.path);
            findings.push(Finding::new(page, number.1, what));
        }
    }
    findings
}

/// A number and its name, and where they stand.
type Number = ((u64, String), usize);

/// `const NAME: u8 = 1;` and `Name = 1,`.
fn constants(source: &File) -> Vec<Number> {
    let constant = |(line, number): (&str, usize)| {
        let line = line.trim().trim_start_matches("pub ");
        let (name, value) = match line.strip_prefix("const ") {
            Some(constant) => constant.strip_suffix(';')?.split_once(": u8 = ")?,
            None => line.strip_suffix(',')?.split_once(" = ")?,
        };
        Some(((value.parse().ok()?, plain(name)), number))
    };
    source.code.lines().zip(1..).filter_map(constant).collect()
}

/// `| 1 | `Name` | .. |` below a heading.
fn rows(page: &File, heading: &str) -> Vec<Number> {
    let title =
        |line: &str| line.trim_start_matches('#').trim() == heading && line.starts_with('#');
    let lines = page.text.lines().zip(1..).skip_while(|(line, _)| !title(line)).skip(1);
    let row = |(line, number): (&str, usize)| {
        let mut cells = line.strip_prefix('|')?.split('|').map(str::trim);
        let value = cells.next()?.parse().ok()?;
        Some(((value, plain(cells.next()?.trim_matches('`'))), number))
    };
    lines.take_while(|(line, _)| !line.starts_with('#')).filter_map(row).collect()
}

/// A name as it is compared: `NO_RUNTIME` is `NoRuntime`.
fn plain(name: &str) -> String {
    name.replace('_', "").to_lowercase()
}

/// The README shows a program that is compiled.
pub(crate) fn front_door(tree: &Tree) -> Vec<Finding> {
    let (page, example) = ("README.md", "examples/hello.rs");
    let (Some(readme), Some(hello)) = (tree.get(page), tree.get(example)) else {
        return vec![Finding::new(page, 1, format!("it, or {example}, is missing"))];
    };
    let header = |line: &&str| line.is_empty() || line.starts_with("//!") || line.starts_with("#!");
    let lines: Vec<_> = hello.text.lines().skip_while(header).collect();
    if readme.text.contains(&format!("```rust\n{}\n```", lines.join("\n"))) {
        return Vec::new();
    }
    vec![Finding::new(page, 1, format!("does not show the code of {example} as it is"))]
}

/// Features that the README does not explain.
pub(crate) fn features(tree: &Tree) -> Vec<Finding> {
    let (Some(readme), Some(manifest)) = (tree.get("README.md"), tree.get("Cargo.toml")) else {
        return Vec::new();
    };
    let lines = manifest.text.lines().zip(1..).skip_while(|(line, _)| *line != "[features]");
    let section = lines.skip(1).take_while(|(line, _)| !line.starts_with('['));
    let feature = |(line, number): (&str, usize)| {
        let (name, _) = line.split_once(" = ").filter(|_| !line.starts_with('#'))?;
        let explained = readme.text.contains(&format!("| `{name}` |")) || name == "default";
        (!explained)
            .then(|| Finding::new("Cargo.toml", number, format!("`{name}` is not in README.md")))
    };
    section.filter_map(feature).collect()
}
