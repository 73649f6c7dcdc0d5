//! Blocks: memory of a segment that travels beside frames. A side makes blocks of its own arena and lends them to the peer,
//! and reads the peer's where they are.
//!
//! ```text
//! lender                                         borrower
//!   Pool::take      pages, committed, unshared
//!   Own             the program fills and keeps it
//!   Lender::lend    counts it: {block, length} ─▶  Borrower::borrow   checks it: Borrowed, read in place
//!                                                  dropped: its number goes into the ring of returns
//!   Lender::drain   looks it up ◀────────────────  or sent back: {home | block, length}
//!   no holder, no lend: the pages are free
//! ```
//!
//! Who holds what is private to the lender; a number from the peer is looked up there, and one that is not lent ends the wire.

mod borrowed;
mod lender;
mod own;
mod pool;
mod ranges;
#[cfg(any(test, feature = "fuzzing"))]
pub(super) mod target;

pub(super) use borrowed::Borrower;
pub(super) use lender::Lender;
use own::Own;

use std::io;

/// Bytes of a page; a block begins on one, and its number is that of its first page.
const PAGE: usize = 4096;
/// What is added to the number of a block that goes back to its owner with the frame.
pub(super) const HOME: u32 = 1 << 31;

/// The peer has broken the rules of lending.
fn broken(what: &str) -> io::Error {
    let text = format!("the peer broke the rules of lent memory: {what}");
    io::Error::new(io::ErrorKind::InvalidData, text)
}
