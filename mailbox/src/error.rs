//! Why something done with a mailbox failed.

use crate::{Kind, ProcessId, Terms};
use farcall_core::error::{ErrorKind, Executed};
use serde::{Deserialize, Serialize};

/// Why something done with a mailbox failed. The text says what to do.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The mailbox holds as many letters as its capacity: nothing was sent.
    #[error("the mailbox is full: wait with `send`, or receive and ack a letter")]
    Full,
    /// The mailbox has the capacity zero and nobody waits for a letter: nothing was sent.
    #[error("nobody is receiving: wait with `send` until somebody does")]
    NoReceiver,
    /// No letter is there.
    #[error("the mailbox has no letter: wait with `recv`")]
    Empty,
    /// The time passed. A letter that was to be sent was surely not taken, and is withdrawn.
    #[error("the time has passed, and nothing was sent or received")]
    TimedOut,
    /// The mailbox's host, or the process that was sent to, has said nothing for longer than it was given: whether what was to be sent was
    /// accepted is not known. What was to be received is not lost.
    #[error(
        "the process on the other side does not answer: see whether it hangs; what was to be sent may have been accepted"
    )]
    NoAnswer,
    /// Two other processes have the mailbox, whose policy is `Pair`.
    #[error("the mailbox is for two processes, which are {}: wait until one of them detaches, or open it with another policy", listed(.holders))]
    MailboxBusy {
        /// Who has it.
        holders: Vec<ProcessId>,
    },
    /// The mailbox went with the process that hosted it, or that cannot be reached any more.
    #[error("the mailbox is gone: {0}")]
    MailboxGone(farcall_core::error::Error),
    /// The mailbox has closed itself, because a receiver did not ack a letter and `OnCrash::Close` was asked for.
    #[error("the mailbox has closed: {by} took a letter and did not ack it")]
    Closed {
        /// Who took the letter.
        by: ProcessId,
    },
    /// More would be held than the mailbox may: nothing was sent.
    #[error(
        "{what} would exceed the limit of {limit}: receive first, or open the mailbox with a higher one"
    )]
    LimitExceeded {
        /// What there is too much of.
        what: String,
        /// How much there may be.
        limit: u64,
    },
    /// The receiver of a letter died, or dropped it without an ack, and it was returned.
    #[error("{process} took the letter and did not ack it: send it again, if it may be done twice")]
    ReceiverDied {
        /// Who took the letter.
        process: ProcessId,
    },
    /// The letter was given up: nobody acked it, and `OnCrash` says that it is dropped or goes to the dead letters.
    #[error("the letter was given up after {deliveries} deliveries, the last to {process}")]
    GivenUp {
        /// Who took it last.
        process: ProcessId,
        /// How often it was delivered.
        deliveries: u32,
    },
    /// The attachment is over, at the host: its connection has ended.
    #[error("this attachment has ended: attach again")]
    Detached,
    /// The receipt is too old: the host remembers the newest.
    #[error("the host remembers no such letter: ask the receipt sooner")]
    Forgotten,
    /// The other side sends letters whose parts do not fit together.
    #[error(
        "the other side does not keep to the protocol: it speaks of letters that it does not send"
    )]
    Uneven,
    /// The mailbox exists with other parameters.
    #[error(
        "the mailbox exists as {found}, and was opened as {wanted}: open it with the same parameters, or attach to it"
    )]
    OtherParameters {
        /// Those of the mailbox.
        found: Box<Terms>,
        /// Those asked for.
        wanted: Box<Terms>,
    },
    /// The mailbox holds letters of another type.
    #[error("the letters are `{found}` and not `{wanted}`: use the type that the other side uses")]
    OtherLetters {
        /// The type of the mailbox.
        found: Kind,
        /// The type asked for.
        wanted: Kind,
    },
    /// No process has claimed the name, or none that can be reached.
    #[error("there is no process `{name}`: let it claim its name first ({why})")]
    NoSuchProcess {
        /// The name.
        name: String,
        /// Why it was not found.
        why: farcall_core::error::Error,
    },
    /// The process has ended, or its connection has.
    #[error("{process} is gone: send to it again once another process has claimed the name")]
    ProcessGone {
        /// Which process.
        process: ProcessId,
    },
    /// Another process has the name.
    #[error(
        "the name `{name}` is claimed by another process: claim another one, or end that process"
    )]
    NameTaken {
        /// The name.
        name: String,
    },
    /// The letter could not be written or read, or the call to the host failed.
    #[error("{0}")]
    Call(farcall_core::error::Error),
    /// The mailbox keeps its letters in a store, and a letter encloses a handle on an object, which means nothing there: nothing was sent.
    #[error(
        "the letters outlive the mailbox's host here, and a `Remote` does not: send a name or an address instead, or use a mailbox \
         that is not durable"
    )]
    NotLasting,
    /// The mailbox keeps its letters in a store, and that fails, as a full disk does: nothing was sent, taken or acked, and a letter that was
    /// to be acked waits to be taken again. An ack that nobody waited for stays one as long as the host lives, and is stored when that is
    /// possible again; a host that dies before delivers the letter once more.
    #[error(
        "the mailbox cannot store it now: {why}; nothing is lost that was sent before, so repair that and try again"
    )]
    NotStored {
        /// Why not.
        why: String,
    },
}

impl Error {
    /// What it means that a call has taken longer than the other side was given.
    pub(crate) fn of_answer(self) -> Self {
        match self {
            Self::Call(error) if error.kind() == ErrorKind::TimedOut => match error.executed() {
                Executed::No => Self::TimedOut,
                _ => Self::NoAnswer,
            },
            error => error,
        }
    }
}

impl From<farcall_core::error::Error> for Error {
    fn from(error: farcall_core::error::Error) -> Self {
        match error.kind() {
            ErrorKind::Disconnected | ErrorKind::Broken | ErrorKind::ShuttingDown => {
                Self::MailboxGone(error)
            }
            _ => Self::Call(error),
        }
    }
}

fn listed(holders: &[ProcessId]) -> String {
    let names: Vec<_> = holders.iter().map(ToString::to_string).collect();
    names.join(" and ")
}
