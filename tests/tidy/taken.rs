//! The macro refuses the names that a handle has already: its list is what the handle has.

use crate::{
    Finding, code,
    tree::{File, Tree},
};

/// Where the list is, and what it is called.
const NAMES: &str = "rpc-macros/src/check/names.rs";
const LIST: &str = "const HANDLE:";
/// Whose methods are on it.
const HANDLES: [&str; 2] = [" Remote<", " Call<"];

/// Methods that are not on the list, and entries of it that no handle has.
pub(crate) fn taken(tree: &Tree) -> Vec<Finding> {
    let Some(names) = tree.get(NAMES) else { return Vec::new() };
    let listed = listed(names);
    let mut findings = Vec::new();
    let mut had = Vec::new();
    for file in tree.rust().filter(|file| file.path.starts_with("rpc-core/src/")) {
        for (name, line) in methods(file) {
            if !listed.iter().any(|(entry, _)| entry == name) {
                let what =
                    format!("`{name}` is a method of a handle, and not in `HANDLE` of {NAMES}");
                findings.push(Finding::new(&file.path, line, what));
            }
            had.push(name.to_owned());
        }
    }
    let gone = listed.into_iter().filter(|(entry, _)| !had.contains(entry));
    findings.extend(gone.map(|(entry, line)| {
        Finding::new(NAMES, line, format!("no handle has a method `{entry}` any more"))
    }));
    findings
}

/// The entries of the list, and their lines.
fn listed(file: &File) -> Vec<(String, usize)> {
    let lines = file.text.lines().zip(1..).skip_while(|(line, _)| !line.starts_with(LIST));
    let mut entries = Vec::new();
    for (line, number) in lines {
        let texts = line.split('"').skip(1).step_by(2);
        entries.extend(texts.map(|entry| (entry.to_owned(), number)));
        if line.ends_with("];") {
            break;
        }
    }
    entries
}

/// The public methods of handles that a file has, and their lines.
fn methods(file: &File) -> Vec<(&str, usize)> {
    let lines: Vec<_> = file.shipped.lines().collect();
    let mut of_handle = false;
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        if line.starts_with("impl") {
            of_handle =
                !line.contains(" for ") && HANDLES.iter().any(|handle| line.contains(handle));
        }
        let Some(function) = line.strip_prefix("    pub fn ").filter(|_| of_handle) else {
            continue;
        };
        // Where there are many arguments the first one has a line of its own.
        let arguments = function.split_once('(').map_or("", |(_, arguments)| arguments);
        let first = if arguments.is_empty() {
            lines.get(at + 1).map_or("", |line| line.trim())
        } else {
            arguments
        };
        if ["self", "&self", "mut self", "&mut self"].iter().any(|own| first.starts_with(own)) {
            found.push((code::word(function), at + 1));
        }
    }
    found
}
