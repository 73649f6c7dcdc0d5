//! Message passing: mailboxes that any process sends to and receives from, and processes that send to each other by name.
//!
//! A mailbox is hosted by the process that opens it and is gone with it; others attach to it by its address or its configured name. One
//! that outlives its users, and the machine if it is wanted, is hosted by the command `farcall mailbox serve`.
//!
//! ```no_run
//! use farcall::mailbox::{Capacity, Mailbox, Policy};
//!
//! # async fn example() -> farcall::mailbox::Result<()> {
//! let jobs = Mailbox::<String>::host("jobs").capacity(Capacity::Bounded(64)).policy(Policy::RoundRobin).open().await?;
//! // Any other process:
//! let jobs = Mailbox::<String>::attach("jobs").await?;
//! let receipt = jobs.send(&"sweep".to_owned()).await?;
//! println!("taken by {}", receipt.taken_by().await?);
//! // And a third:
//! let letter = jobs.recv().await?;
//! println!("{} says {}", letter.sender(), *letter);
//! letter.ack();
//! # Ok(()) }
//! ```
//!
//! | the textbook says | here |
//! |---|---|
//! | zero, bounded, unbounded capacity | [`Capacity`] |
//! | blocking, non-blocking | `send`, `try_send`, `send_timeout`; `recv`, `try_recv`, `recv_timeout`; each awaited, or waited for with `.wait()` |
//! | who gets a message of a shared mailbox | [`Policy`] |
//! | direct communication, symmetric or not | [`Process`]: `send_to`, `recv_from`; `recv` and `sender()` |
//!
//! What a letter says may hold [`Payload`](crate::Payload)s and [`Remote`](crate::Remote)s, up to [`ENCLOSED`] of each: a payload is there
//! also when its sender has ended, a handle leads to the sender's object through the host, and says that it is broken once the sender is
//! gone. A mailbox that outlives its host keeps payloads and refuses handles ([`Error::NotLasting`]). Many bytes are best a payload: the host
//! copies it when it accepts the letter, and its receiver reads it where the host has it, through shared memory. Other bytes of a letter are
//! copied once more, and then decoded.
//!
//! `try_send` and `try_recv` are awaited too: whether there is room is decided at the host, and that is a call.

mod hosting;
mod process;

pub use farcall_mailbox::{
    ANSWER, Access, Action, CEILING, Capacity, Correspondent, Counts, ENCLOSED, Error, Key, Kind,
    Letter, Letters, LinkInfo, Message, NAME_BYTES, OnCrash, Outgoing, PARCEL_BYTES,
    PARCEL_LETTERS, PLACES, PREFETCHED, Policy, ProcessId, Receipt, Result, Terms, Values,
};
pub use hosting::{Hosting, Mailbox, service_of};
pub use process::Process;
