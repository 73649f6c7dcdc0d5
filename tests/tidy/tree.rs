//! The checkout as the rules see it: every file that is ours, with its text, its code, and what of that is shipped.

use crate::code;
use std::{collections::BTreeSet, fs, io, path::Path};

/// Folders that hold nothing of ours, whatever is above them.
const FOREIGN: [&str; 4] = ["target", "corpus", "artifacts", "results"];
/// What is read.
const READ: [&str; 4] = ["rs", "md", "toml", "snap"];

/// A file of the checkout.
pub(crate) struct File {
    /// From the root, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
    /// The text with everything in comments and literals blanked out; empty for what is no Rust.
    pub(crate) code: String,
    /// The code without what only tests see.
    pub(crate) shipped: String,
}

/// All files, in the order of their paths.
pub(crate) struct Tree {
    files: Vec<File>,
}

impl Tree {
    /// Reads a checkout.
    pub(crate) fn read(root: &Path) -> io::Result<Self> {
        let mut files = Vec::new();
        collect(root, "", &mut files)?;
        Ok(Self::of(files))
    }

    /// A checkout of these paths and texts.
    pub(crate) fn of(files: Vec<(String, String)>) -> Self {
        let file = |(path, text): (String, String)| {
            let code = if path.ends_with(".rs") { code::blank(&text) } else { String::new() };
            let shipped = code::without_tests(&code);
            File { path, text, code, shipped }
        };
        let mut files: Vec<_> = files.into_iter().map(file).collect();
        files.sort_by(|a, b| a.path.cmp(&b.path));
        let tested: Vec<_> = files.iter().flat_map(test_modules).collect();
        for file in &mut files {
            let module = file.path.trim_end_matches(".rs");
            let is_below = |of: &String| module.strip_prefix(of).is_some_and(begins_name);
            if is_test(&file.path) || tested.iter().any(is_below) {
                file.shipped.clear();
            }
        }
        Self { files }
    }

    pub(crate) fn rust(&self) -> impl Iterator<Item = &File> {
        self.files.iter().filter(|file| file.path.ends_with(".rs"))
    }

    pub(crate) fn get(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|file| file.path == path)
    }

    /// Whether a path that somebody wrote means a file or (with a slash at its end) a folder, from the root or from within one.
    pub(crate) fn has(&self, written: &str) -> bool {
        let within = format!("/{written}");
        self.files.iter().any(|file| {
            let folder = written.ends_with('/');
            let from_root = file.path == written || (folder && file.path.starts_with(written));
            let inside = file.path.ends_with(&within) || (folder && file.path.contains(&within));
            from_root || inside
        })
    }

    /// The folders that hold Rust, each with a slash at its end.
    pub(crate) fn folders(&self) -> BTreeSet<&str> {
        let folder = |file: &'_ File| file.path.rfind('/').map(|at| at + 1);
        self.rust().filter_map(|file| file.path.get(..folder(file)?)).collect()
    }
}

fn collect(folder: &Path, path: &str, files: &mut Vec<(String, String)>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with('.') || FOREIGN.contains(&name.as_str()) {
            continue;
        }
        let path = if path.is_empty() { name } else { format!("{path}/{name}") };
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), &path, files)?;
        } else if READ.iter().any(|end| path.ends_with(&format!(".{end}"))) {
            files.push((path, fs::read_to_string(entry.path())?));
        }
    }
    Ok(())
}

/// The path is one of a test, by its name alone.
fn is_test(path: &str) -> bool {
    path.split('/').any(|part| part == "tests" || part == "tests.rs")
}

/// The modules that a file declares for tests only, as paths without an extension.
fn test_modules(file: &File) -> Vec<String> {
    let (folder, name) = file.path.rsplit_once('/').unwrap_or(("", &file.path));
    let folder = match name {
        "mod.rs" | "lib.rs" | "main.rs" => folder.to_owned(),
        _ => file.path.trim_end_matches(".rs").to_owned(),
    };
    let modules = code::test_modules(&file.code).into_iter().map(|name| format!("{folder}/{name}"));
    let whole = code::is_for_tests(&file.code).then(|| folder.clone());
    modules.chain(whole).collect()
}

fn begins_name(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with('/')
}
