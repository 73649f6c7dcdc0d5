//! What a machine can hold of how farcall reads: lengths, words, floors, the unsafe fence, and that the pages at the root say what
//! the code does. A rule is a line of [`RULES`] and a case in `tidy/violations.rs`.

#[path = "tidy/code.rs"]
mod code;
#[path = "tidy/floors.rs"]
mod floors;
#[path = "tidy/limits.rs"]
mod limits;
#[path = "tidy/pages.rs"]
mod pages;
#[path = "tidy/taken.rs"]
mod taken;
#[path = "tidy/tree.rs"]
mod tree;
#[path = "tidy/violations.rs"]
mod violations;
#[path = "tidy/words.rs"]
mod words;

use std::{fmt, path::Path};
use tree::Tree;

/// Lines of a file from which it is a smell, and lines that it must not exceed.
const LONG_FILE: (usize, usize) = (400, 600);
/// Lines that a function must not exceed.
const LONG_FUNCTION: usize = 70;

/// Something that breaks a rule.
struct Finding {
    path: String,
    line: usize,
    what: String,
}

impl Finding {
    fn new(path: &str, line: usize, what: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, what: what.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.what)
    }
}

/// What breaks one rule in a checkout.
type Rule = fn(&Tree) -> Vec<Finding>;

const RULES: &[(&str, Rule)] = &[
    ("first line", first_lines),
    ("file length", file_lengths),
    ("function length", function_lengths),
    ("names", words::names),
    ("get", words::getters),
    ("unsafe fence", words::unsafe_fence),
    ("unwrap", words::unwraps),
    ("left over", words::left_over),
    ("floors", floors::floors),
    ("members", floors::members),
    ("limits", limits::limits),
    ("taken", taken::taken),
    ("map", pages::map),
    ("wire", pages::wire),
    ("front door", pages::front_door),
    ("features", pages::features),
];

fn first_lines(tree: &Tree) -> Vec<Finding> {
    let missing = tree.rust().filter(|file| !file.text.starts_with("//! "));
    let what = "the first line is not `//! ..`, which says what the file owns";
    missing.map(|file| Finding::new(&file.path, 1, what)).collect()
}

fn file_lengths(tree: &Tree) -> Vec<Finding> {
    let length = |file: &tree::File| file.text.lines().count();
    let long = tree.rust().filter(|file| length(file) > LONG_FILE.1);
    let what = |file| format!("{} lines, and {} is the most: split it", length(file), LONG_FILE.1);
    long.map(|file| Finding::new(&file.path, LONG_FILE.1 + 1, what(file))).collect()
}

fn function_lengths(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.rust() {
        for function in code::functions(&file.code) {
            if function.lines > LONG_FUNCTION {
                let what = format!(
                    "`{}` has {} lines, and {LONG_FUNCTION} is the most: split it",
                    function.name, function.lines
                );
                findings.push(Finding::new(&file.path, function.line, what));
            }
        }
    }
    findings
}

#[test]
fn the_house_is_tidy() {
    let tree = Tree::read(Path::new(env!("CARGO_MANIFEST_DIR"))).expect("the checkout is readable");
    assert!(tree.rust().count() > 100, "this is not the checkout");
    for file in tree.rust() {
        let lines = file.text.lines().count();
        if lines > LONG_FILE.0 {
            println!("{}: {lines} lines, a smell from {} on", file.path, LONG_FILE.0);
        }
    }
    let broken: Vec<_> = RULES
        .iter()
        .flat_map(|(name, rule)| {
            rule(&tree).into_iter().map(move |found| format!("{name}: {found}"))
        })
        .collect();
    assert!(broken.is_empty(), "\n{}\n", broken.join("\n"));
}
