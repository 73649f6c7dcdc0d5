//! What `#[remote]` accepts, and what it says of each mistake: one file per message beside its text.

#[test]
fn traits_under_the_attribute() {
    let cases = trybuild::TestCases::new();
    cases.pass("tests/ui/pass/*.rs");
    cases.compile_fail("tests/ui/*.rs");
}

/// In this crate too, so that clippy sees it.
#[path = "ui/pass/quiet.rs"]
mod quiet;
