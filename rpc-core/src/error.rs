//! The one public error: what went wrong, in words that say what to do, and whether the call may have run.

use serde::{Deserialize, Serialize};
use std::{borrow::Cow, fmt, io};

/// The result of a remote call whose interface has no error type of its own.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Whether the servant may have seen the call that failed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Executed {
    /// It surely did not run: it may be retried.
    No,
    /// It may have run: retry only what is idempotent.
    Maybe,
    /// It started.
    Yes,
}

/// What kind of thing went wrong. The numbers are the wire's; they are never reused.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[non_exhaustive]
#[repr(u8)]
pub enum ErrorKind {
    /// The servant's own words: [`Error::new`].
    Failed = 0,
    /// Nobody listens at the address, or not within the deadline.
    Unreachable = 1,
    /// The endpoint exports no service of that name.
    NoSuchService = 2,
    /// The service has another interface than the caller's.
    WrongInterface = 3,
    /// The peer's build has no such method.
    Unimplemented = 4,
    /// The method's signature differs between the two builds.
    SignatureMismatch = 5,
    /// The deadline passed.
    TimedOut = 6,
    /// The call was cancelled.
    Cancelled = 7,
    /// The connection was lost.
    Disconnected = 8,
    /// A limit on work in progress was reached.
    Overloaded = 9,
    /// A message exceeds the frame limit.
    TooLarge = 10,
    /// A value could not be encoded.
    Encode = 11,
    /// Bytes from the peer could not be decoded.
    Decode = 12,
    /// The servant panicked.
    Panicked = 13,
    /// `.wait()` inside async code.
    WaitInAsync = 14,
    /// The call could only deadlock.
    WouldDeadlock = 15,
    /// The endpoint is shutting down and takes no new calls.
    ShuttingDown = 16,
    /// The peer broke the protocol.
    Protocol = 17,
    /// An address or a scheme is wrong.
    Address = 18,
    /// The configuration is wrong.
    Configuration = 19,
    /// Somebody already listens at the address.
    AddressInUse = 20,
    /// The operating system or the peer refused.
    PermissionDenied = 21,
    /// An async operation needs a tokio runtime and there is none.
    NoRuntime = 22,
    /// The object is gone: its connection ended or its owner revoked it.
    Broken = 23,
    /// A call that this one was made on the result of has failed.
    Pipeline = 24,
}

/// Why a remote call, a connection or an endpoint failed.
///
/// Compare by [`kind`](Self::kind); the text is for people and says what to do.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Error {
    kind: ErrorKind,
    executed: Executed,
    text: Cow<'static, str>,
}

impl Error {
    /// An error for servants that have nothing better to say than `text`.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self { kind: ErrorKind::Failed, executed: Executed::Yes, text: Cow::Owned(text.into()) }
    }

    /// An error of the given kind, about something that did not run. For transports, whose contract names the kinds;
    /// servants use [`new`](Self::new).
    #[must_use]
    pub fn of(kind: ErrorKind, text: impl Into<Cow<'static, str>>) -> Self {
        Self { kind, executed: Executed::No, text: text.into() }
    }

    /// The same error, with `executed` replaced.
    #[doc(hidden)]
    #[must_use]
    pub fn executed_as(mut self, executed: Executed) -> Self {
        self.executed = executed;
        self
    }

    /// What kind of thing went wrong.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Whether the call may have run.
    #[must_use]
    pub fn executed(&self) -> Executed {
        self.executed
    }

    /// What happened and what to do, without a trailing full stop.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} (executed: {:?}): {}", self.kind, self.executed, self.text)
    }
}

impl std::error::Error for Error {}

impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        Self::other(error)
    }
}
