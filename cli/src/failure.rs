//! Why a command did not do what it was asked to, and the exit code that says so.

use std::{fmt, io, process::ExitCode};

/// Why a command did not do what it was asked to.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It went wrong.
    Failed(String),
    /// The command line cannot be meant like this.
    Usage(String),
    /// There was nothing, or not in time.
    Nothing(String),
}

impl Failure {
    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Failed(_) => 1,
            Self::Usage(_) => 2,
            Self::Nothing(_) => 3,
        })
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Failed(text) | Self::Usage(text) | Self::Nothing(text)) = self;
        f.write_str(text)
    }
}

impl From<farcall::Error> for Failure {
    fn from(error: farcall::Error) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<farcall::mailbox::Error> for Failure {
    fn from(error: farcall::mailbox::Error) -> Self {
        use farcall::mailbox::Error;
        let text = error.to_string();
        match error {
            Error::Empty | Error::TimedOut | Error::Full | Error::NoReceiver => Self::Nothing(text),
            _ => Self::Failed(text),
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Failed(format!("cannot read or write: {error}"))
    }
}
