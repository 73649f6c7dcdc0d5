//! Message passing for farcall: mailboxes, letters, receipts and delivery policies, on remote objects. Use it as `farcall::mailbox`.
//!
//! The engine is pure and knows no bytes of a wire; `host` joins it to callers; the interfaces in `post` are the seam between a
//! mailbox and its users: whatever implements [`Post`] is a mailbox, and [`Access`] is how a process uses one.

mod about;
mod door;
mod error;
mod inbox;
mod kind;
mod links;
mod message;
mod process;
mod terms;
mod who;

pub mod engine;
mod host;
mod post;

mod access;
mod action;
mod bundle;
mod desk;
mod letter;
mod parcel;
mod pooled;
mod stream;
mod writing;

pub use about::{About, Peeked};
pub use access::Access;
pub use action::Action;
pub use door::{Door, Link, PLACES};
pub use error::Error;
pub use host::{Contents, Host, Store, Which};
pub use kind::{KIND_BYTES, Kind};
pub use letter::{Letter, Receipt};
pub use links::{Dial, LinkInfo};
pub use message::Message;
pub use parcel::{PARCEL_BYTES, PARCEL_LETTERS, Parcel};
pub use post::{ANSWER, Attached, Delivered, Delivery, Lease, Member, Patience, Post, Seat, Until};
pub use process::Correspondent;
pub use stream::{Letters, Outgoing, PREFETCHED, Values};
pub use terms::{CEILING, Capacity, Counts, Key, OnCrash, Policy, Terms};
pub use who::{NAME_BYTES, ProcessId};
pub use writing::{ENCLOSED, Writing};

/// The result of what is done with a mailbox.
pub type Result<T, E = Error> = std::result::Result<T, E>;
