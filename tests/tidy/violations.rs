//! Each rule finds what breaks it, and nothing else: small checkouts, and where in them something is found.

use crate::{LONG_FILE, LONG_FUNCTION, RULES, tree::Tree};

/// Files by path and text, and what the rule named finds in them, as `path:line`.
type Case = (&'static str, &'static [(&'static str, &'static str)], &'static [&'static str]);

const CASES: &[Case] = &[
    (
        "first line",
        &[("src/a.rs", "//! A.\n"), ("src/b.rs", "// B.\n"), ("src/c.rs", "\n//! C.")],
        &["src/b.rs:1", "src/c.rs:1"],
    ),
    (
        "names",
        &[("src/path_utils.rs", ""), ("src/commonly.rs", ""), ("src/types/mod.rs", "")],
        &["src/path_utils.rs:1", "src/types/mod.rs:1"],
    ),
    ("names", &[("src/a.rs", "mod misc {\n}\nmod prelude {}\n// mod utils {}\n")], &["src/a.rs:1"]),
    ("get", &[("src/a.rs", "fn getter() {}\nfn get_line() {}\nfn get() {}\n")], &["src/a.rs:2"]),
    (
        "unsafe fence",
        &[("src/a.rs", "// unsafe\nlet x = \"unsafe\";\n\nunsafe { x }\n")],
        &["src/a.rs:4"],
    ),
    (
        "unsafe fence",
        &[("tests/ui/a.rs", "unsafe trait A {}"), ("tests/a.rs", "unsafe fn a() {}")],
        &["tests/a.rs:1"],
    ),
    (
        "unwrap",
        &[("src/a.rs", "a.unwrap();\nb.unwrap_or(1);\n#[cfg(test)]\nmod t { c.unwrap(); }\n")],
        &["src/a.rs:1"],
    ),
    ("unwrap", &[("src/a.rs", "#[cfg(not(test))]\nfn a() {\nb.unwrap() }\n")], &["src/a.rs:3"]),
    (
        "unwrap",
        &[
            ("src/a/mod.rs", "#[cfg(test)]\nmod pair;\nmod pairs;"),
            ("src/a/pair.rs", "a.unwrap()"),
            ("src/a/pair/b.rs", "a.unwrap()"),
            ("src/a/pairs.rs", "a.unwrap()"),
            ("src/a/tests/b.rs", "a.unwrap()"),
            ("src/b/src/lib.rs", "#![cfg(all(loom, test))]\nmod c;"),
            ("src/b/src/c.rs", "a.unwrap()"),
        ],
        &["src/a/pairs.rs:1"],
    ),
    (
        "left over",
        &[("src/a.rs", "r#\"dbg!(\"#;\n'\"';\ntodo!()\n"), ("tests/a.rs", "#[ignore]")],
        &["src/a.rs:3", "tests/a.rs:1"],
    ),
    (
        "limits",
        &[
            (
                "rpc-core/src/limits.rs",
                "pub struct Limits {\n    pub strays: usize,\n    pub serving: usize,\n    pub other: usize,\n}\n",
            ),
            (
                "rpc-core/src/conn/tests/serving.rs",
                "fn one_call_beyond_the_limit_is_refused() {}\n",
            ),
        ],
        &["rpc-core/src/limits.rs:2", "rpc-core/src/limits.rs:4"],
    ),
    (
        "taken",
        &[
            (
                "rpc-macros/src/check/names.rs",
                "const HANDLE: [&str; 2] =\n    [\"wait\", \"gone\"];\nconst OTHER: [&str; 1] = [\"none\"];\n",
            ),
            (
                "rpc-core/src/stub.rs",
                "impl<I> Remote<I> {\n    pub fn new() {}\n    pub fn wait(self) {}\n    pub fn more(\n        &self,\n    ) {}\n    pub(crate) fn own(&self) {}\n}\n\
                 impl<T> WeakRemote<T> {\n    pub fn upgrade(&self) {}\n}\n",
            ),
        ],
        &["rpc-core/src/stub.rs:4", "rpc-macros/src/check/names.rs:2"],
    ),
    (
        "floors",
        &[(
            "rpc-core/src/conn/a.rs",
            "use crate::{\n    error::Error,\n    driver::Link,\n};\nuse std::{\n    mem, time::Instant,\n    sync::{Arc, Mutex},\n};\n\
             fn a() { std::thread::park(); }\nfn b() { Instant::now() }\n#[cfg(test)]\nmod t { use std::sync::Arc; }\n",
        )],
        &[
            "rpc-core/src/conn/a.rs:3",
            "rpc-core/src/conn/a.rs:7",
            "rpc-core/src/conn/a.rs:9",
            "rpc-core/src/conn/a.rs:10",
        ],
    ),
    (
        "floors",
        &[("transports/src/a.rs", "use farcall_core::{buffer::B, frame::Frame};\nCallId")],
        &["transports/src/a.rs:1", "transports/src/a.rs:2"],
    ),
    (
        "members",
        &[
            ("rpc-core/Cargo.toml", "[dependencies]\nfarcall-transports.workspace = true\n"),
            ("transports/Cargo.toml", "[dev-dependencies]\ntokio = \"1\"\n[features]\nunix = []\n"),
        ],
        &["rpc-core/Cargo.toml:2", "transports/Cargo.toml:2"],
    ),
    (
        "map",
        &[
            ("ARCHITECTURE.md", "`src/` and\n`src/a/b.rs`, not `src/gone.rs`; a/b.rs\n"),
            ("src/lib.rs", ""),
            ("src/a/b.rs", ""),
            ("src/tests/c.rs", ""),
        ],
        &["ARCHITECTURE.md:1", "ARCHITECTURE.md:2"],
    ),
    ("map", &[("src/lib.rs", "")], &["ARCHITECTURE.md:1"]),
    (
        "wire",
        &[
            ("rpc-core/src/frame/mod.rs", "pub const HELLO: u8 = 1;\npub const NO_CALL: u8 = 2;\n"),
            (
                "PROTOCOL.md",
                "## Frames\n| 1 | `Hello` |\n| 3 | `NoCall` | \n## Other\n| 2 | `NoCall` |\n",
            ),
        ],
        &["rpc-core/src/frame/mod.rs:2", "PROTOCOL.md:3"],
    ),
    (
        "wire",
        &[
            ("rpc-core/src/error.rs", "    Failed = 0,\n    NoRuntime = 22,\n    Lost = 9,\n"),
            ("PROTOCOL.md", "### Error kinds\n| 0 | `Failed` |\n| 22 | `NoRuntime` | why |\n"),
        ],
        &["rpc-core/src/error.rs:3"],
    ),
    (
        "front door",
        &[
            ("README.md", "```rust\nfn main() {}\n```\n"),
            ("examples/hello.rs", "//! Hello.\n#![allow(x)]\n\nfn main() { }\n"),
        ],
        &["README.md:1"],
    ),
    (
        "front door",
        &[
            ("README.md", "```rust\nfn main() {}\n```\n"),
            ("examples/hello.rs", "//! Hello.\n#![allow(x)]\n\nfn main() {}\n"),
        ],
        &[],
    ),
    (
        "features",
        &[
            ("README.md", "| `unix` | yes |\n"),
            (
                "Cargo.toml",
                "[features]\ndefault = []\n## A.\nunix = []\ntcp = []\n[lints]\nx = 1\n",
            ),
        ],
        &["Cargo.toml:5"],
    ),
];

fn check(rule: &str, files: &[(&str, &str)], want: &[&str]) {
    let (_, find) = RULES.iter().find(|(name, _)| *name == rule).expect("a rule of that name");
    let files = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned()));
    let tree = Tree::of(files.collect());
    let found = find(&tree);
    let places: Vec<_> =
        found.iter().map(|found| format!("{}:{}", found.path, found.line)).collect();
    assert_eq!(places, want, "{rule}");
}

#[test]
fn each_rule_finds_what_breaks_it() {
    for (rule, files, want) in CASES {
        check(rule, files, want);
    }
}

#[test]
fn lengths_are_counted_in_lines() {
    let file = |lines: usize| format!("//! A.\n{}", "\n".repeat(lines - 1));
    check("file length", &[("src/a.rs", &file(LONG_FILE.1))], &[]);
    check("file length", &[("src/a.rs", &file(LONG_FILE.1 + 1))], &["src/a.rs:601"]);
    let function =
        |lines: usize| format!("\nfn a(b: [u8; {{ 1 }}])\n{{{}}}\n", "\n".repeat(lines - 2));
    check("function length", &[("src/a.rs", &function(LONG_FUNCTION))], &[]);
    check("function length", &[("src/a.rs", &function(LONG_FUNCTION + 1))], &["src/a.rs:2"]);
}

#[test]
fn each_rule_is_shown_a_violation() {
    let shown = |rule: &str| {
        rule.ends_with("length")
            || CASES.iter().any(|(of, _, want)| *of == rule && !want.is_empty())
    };
    let unproved: Vec<_> =
        RULES.iter().map(|(rule, _)| *rule).filter(|rule| !shown(rule)).collect();
    assert!(unproved.is_empty(), "no violation shows that these find anything: {unproved:?}");
}
