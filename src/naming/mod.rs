//! Naming: a registry of objects by name, written with `#[remote]` itself, and the addresses `registry://host:port/name`.
//!
//! ```no_run
//! # #[farcall::remote] trait Archive { async fn size(&self) -> farcall::Result<u64>; }
//! # struct Shelf; impl Archive for Shelf { async fn size(&self) -> farcall::Result<u64> { Ok(1) } }
//! # async fn example() -> farcall::Result<()> {
//! use farcall::{Remote, Server, naming};
//!
//! // One process serves the registry, beside whatever else it serves.
//! let registry = Server::new().export(naming::SERVICE, naming::local()).listen("tcp://10.0.0.7:7700").start().await?;
//! // Another binds a name there for as long as it runs ..
//! let archive = Remote::<dyn Archive>::new(Shelf);
//! let running = Server::new().export("archive", archive).listen("tcp://0.0.0.0:0").listen("registry://10.0.0.7:7700/archive");
//! let running = running.start().await?;
//! // .. and a third finds it, and talks to its owner without the registry between them.
//! let archive = farcall::connect::<dyn Archive>("registry://10.0.0.7:7700/archive").await?;
//! # Ok(()) }
//! ```
//!
//! | address | the registry |
//! |---|---|
//! | `registry://host:port/name` | at `tcp://host:port`; `#name` may stand for `/name` |
//! | `registry+unix:///run/names.sock#name` | at any other address: `registry+` before its scheme |
//! | `registry:///name` | the one that is configured as the service `registry`, else this process's own: [`local`] |
//!
//! A name is bound as long as its owner's connection to the registry lasts, and no longer. Whoever looks it up dials the owner itself, at
//! the addresses that it gave; only if none of them can mean the owner from there, because it listens nowhere, or for its own host
//! alone, do calls go through the registry. The end of the registry ends neither handles nor calls, but those that go through it; owners
//! bind their names again when it is back. Whoever reaches a registry may bind and rebind: it is as secure as its address.

mod announce;
mod at;
mod directory;
mod entry;
mod limits;
mod resolve;
mod watching;

pub(crate) use announce::{Announced, announce};
pub(crate) use at::At;
pub use directory::{empty, local};
pub use entry::{Binding, Entry};
pub use limits::{ADDRESS_BYTES, ADDRESSES, BEHIND, NAME_BYTES, NAMES, NAMES_OF_ONE, WATCHES};
pub(crate) use resolve::{How, connect};

use farcall_core::{error::Error, stub::AnyRemote, stub::Remote};
use serde::{Deserialize, Serialize};

/// The name under which an endpoint exports its registry.
pub const SERVICE: &str = "registry";

/// A registry: names, and what they are bound to.
///
/// A name is 1 to [`NAME_BYTES`] of `A-Z a-z 0-9 _ . -`; others are refused with `Address`.
#[crate::remote(name = "farcall.Names", crate = "crate")]
pub trait Names {
    /// Binds a name, until its owner unbinds it or the connection that this call comes by ends.
    ///
    /// Fails with `AddressInUse` if it is bound, saying by whom; with `Overloaded` beyond [`NAMES`] or [`NAMES_OF_ONE`]; with
    /// `Address` if the entry has a wrong address, or more than [`ADDRESSES`].
    async fn bind(&self, name: &str, entry: Entry) -> Result<(), Error>;

    /// Binds a name, whoever it is bound by: what it was bound to. Fails as [`bind`](Self::bind) does, but for `AddressInUse`.
    async fn rebind(&self, name: &str, entry: Entry) -> Result<Option<Binding>, Error>;

    /// Takes a name of the caller's away. Fails with `NoSuchService`, and with `PermissionDenied` if another process has bound it.
    async fn unbind(&self, name: &str) -> Result<(), Error>;

    /// What a name is bound to. Fails with `NoSuchService`, saying which names are near.
    #[remote(idempotent)]
    async fn lookup(&self, name: &str) -> Result<Binding, Error>;

    /// The object that a name is bound to: calls on it go through the registry's process. Fails as [`lookup`](Self::lookup) does.
    async fn reach(&self, name: &str) -> Result<AnyRemote, Error>;

    /// All names that begin with `prefix`, in the order of their bytes.
    #[remote(idempotent)]
    async fn list(&self, prefix: &str) -> Result<Vec<Binding>, Error>;

    /// Calls `watcher` at each change of a name that begins with `prefix`, one after the other, until the watch is dropped or a call
    /// fails. Fails with `Overloaded` beyond [`WATCHES`].
    async fn watch(
        &self,
        prefix: &str,
        watcher: Remote<dyn Watcher>,
    ) -> Result<Remote<dyn Watch>, Error>;
}

/// Who is told of changes. A closure suffices: [`Remote::from_fn`].
#[crate::remote(name = "farcall.Watcher", crate = "crate")]
pub trait Watcher {
    /// A name was bound, or is bound no more.
    async fn changed(&self, change: Change) -> Result<(), Error>;
}

/// A watch, which lasts as long as a handle on it. It is closed with the connection to the registry.
#[crate::remote(name = "farcall.Watch", crate = "crate")]
pub trait Watch {}

/// What has changed in a registry.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Change {
    /// A name was bound, or bound anew.
    Bound(Binding),
    /// A name is bound no more: its owner has taken it away, or has gone.
    Unbound(String),
    /// The watcher was more than [`BEHIND`] changes behind, and what came then it is not told: list the names again.
    Missed,
}
