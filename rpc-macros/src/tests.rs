//! What the macro writes, as snapshots in `snapshots/`.

use proc_macro2::TokenStream;
use std::{fs, path::Path};

fn check(name: &str, options: &str, item: &str) {
    let parse = |text: &str| text.parse::<TokenStream>().expect("tokens");
    let expanded = crate::expand::remote(parse(options), parse(item));
    let file = syn::parse2(expanded.clone()).unwrap_or_else(|error| panic!("{error}: {expanded}"));
    let mut settings = insta::Settings::clone_current();
    settings.set_omit_expression(true);
    settings.set_prepend_module_to_snapshot(false);
    settings.bind(|| insta::assert_snapshot!(name, prettyplease::unparse(&file)));
}

#[test]
fn shared() {
    check(
        "shared",
        "",
        r#"
            /// An archive.
            pub trait Archive {
                /// Reads a document.
                ///
                /// From `offset`.
                async fn read(&self, path: &str, offset: u64) -> Result<Vec<u8>, ArchiveError>;
                #[remote(oneway, timeout = "5ms", name = "told")]
                async fn tell(&self) -> farcall::Result<()>;
            }
        "#,
    );
}

#[test]
fn exclusive() {
    check(
        "exclusive",
        r#"name = "counter.v1", crate = "crate::rpc""#,
        "trait Counter: Send {
            async fn add(&mut self, number: u64) -> Result<u64, Error>;
            async fn get(&self) -> Result<u64, Error>;
        }",
    );
}

#[test]
fn generic() {
    check(
        "generic",
        "",
        "pub trait Store<K: Ord, V = u64, const N: usize = 4> where V: Clone {
            async fn put(&self, key: K, value: &V) -> Result<Option<[V; N]>, Error>;
        }",
    );
}

#[test]
fn function() {
    check(
        "function",
        "",
        "pub trait Watcher {
            async fn changed(&mut self, path: &str, pages: &[Page]) -> Result<(), Error>;
        }",
    );
}

#[test]
fn arguments() {
    check(
        "arguments",
        "",
        "pub trait Arguments {
            async fn all(
                &self,
                bytes: &[u8],
                text: &str,
                cow_bytes: Cow<'_, [u8]>,
                cow_text: Cow<'_, str>,
                owned: (u8, String),
                borrowing: Option<&str>,
                lent: &Point,
                slice: &[Point],
                lent_borrowing: &[&str],
                r#type: u8,
            ) -> Result<(), Error>;
        }",
    );
}

#[test]
fn conditions_and_bodies() {
    check(
        "conditions_and_bodies",
        "",
        r#"pub trait Conditional {
            #[cfg(unix)]
            async fn here(&self, #[cfg(wide)] wide: u64) -> Result<(), Error>;
            #[remote(name = "told", oneway, idempotent, no_cancel, unordered, timeout = none)]
            async fn tell(&self, #[cfg(wide)] wide: u64) -> Result<(), Error>;
            #[deprecated]
            async fn body(&self, mut times: u8) -> Result<u8, Error> {
                times += 1;
                Ok(times)
            }
        }"#,
    );
}

#[test]
fn mistaken() {
    check(
        "mistaken",
        "",
        "pub trait Mistaken: Debug {
            type Item;
            fn missing_async(&self) -> Result<u8, Error>;
            async fn pattern(&self, (x, y): (u8, u8)) -> Result<Self::Item, Error>;
            async fn sound(&self) -> Result<u8, Error>;
        }",
    );
}

/// The corpus of a fuzzer, as `rpc-core/tests/corpus.rs` replays the others.
#[test]
fn whatever_is_written_is_answered() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus/interface");
    let files = fs::read_dir(&folder).expect("the corpus is part of the repository");
    let mut count = 0;
    for file in files {
        let path = file.expect("a file of the corpus").path();
        eprintln!("{}", path.display());
        crate::target::run(&fs::read(path).expect("a file of the corpus"));
        count += 1;
    }
    assert!(count >= 5, "{} has lost its files", folder.display());
}
