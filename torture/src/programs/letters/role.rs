//! What the processes of a round have in common: what they are told at their start, and how they wait.

use super::{deal::Deal, item::Box};
use crate::programs::{
    journal::Journal,
    roles::{User, settle},
};
use anyhow::Result;
use farcall::mailbox::{Action, Error, Mailbox, ProcessId};
use fastrand::Rng;
use std::{
    fmt::Display,
    io::{self, Lines, StdinLock},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};
use tokio::runtime::{Builder, Runtime};

/// How soon the place of a dead process must be free.
const PATIENCE: Duration = Duration::from_secs(10);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(1);

/// A process that uses a mailbox. Those with an even number do so in a runtime, the others on bare threads.
pub(super) struct Role {
    pub(super) number: u32,
    pub(super) deal: Deal,
    pub(super) seed: u64,
    pub(super) mailbox: Box,
    journal: Arc<Journal>,
    runtime: Option<Runtime>,
}

/// How something that a process does with a mailbox ended badly.
pub(super) enum Ended {
    /// The mailbox is closed, by that process.
    Closed(u32),
    /// The mailbox is gone with its host.
    Gone,
    /// This should not be.
    Wrong(Error),
}

impl Role {
    pub(super) fn start(what: &str, user: User) -> Result<Self> {
        settle()?;
        ProcessId::set_own_name(&name(what, user.number));
        let User { number, round, seed, journal, address } = user;
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let runtime = number.is_multiple_of(2).then_some(runtime);
        let until = Instant::now() + PATIENCE;
        let mailbox = loop {
            match done(runtime.as_ref(), Mailbox::attach(&address)) {
                // It is there in the place of another one, whose end may not be known yet.
                Err(Error::MailboxBusy { .. }) if Instant::now() < until => thread::sleep(LOOK),
                attached => break attached?,
            }
        };
        let journal = Arc::new(Journal::open(&journal)?);
        Ok(Self { number, deal: Deal::of(round), seed, mailbox, journal, runtime })
    }

    /// Awaits it, or waits for it on this thread.
    pub(super) fn done<T: Send + 'static>(&self, action: Action<T>) -> Result<T, Error> {
        done(self.runtime.as_ref(), action)
    }

    pub(super) fn journal(&self) -> Arc<Journal> {
        Arc::clone(&self.journal)
    }

    pub(super) fn note(&self, line: impl Display) -> io::Result<()> {
        self.journal.note(format_args!("{line}"))
    }

    /// The chance of one of its threads.
    pub(super) fn random(&self, lane: u32) -> Rng {
        Rng::with_seed(self.seed << 4 | u64::from(lane))
    }
}

/// What a process that does something is called, which others of the mailbox are told.
pub(super) fn name(what: &str, number: u32) -> String {
    format!("{what} {number}")
}

fn done<T: Send + 'static>(runtime: Option<&Runtime>, action: Action<T>) -> Result<T, Error> {
    match runtime {
        Some(runtime) => runtime.block_on(action),
        None => action.wait(),
    }
}

impl From<Error> for Ended {
    fn from(error: Error) -> Self {
        match error {
            Error::Closed { by } => Self::Closed(by.pid),
            Error::MailboxGone(_) | Error::NoAnswer => Self::Gone,
            Error::Call(error) if error.kind() == farcall::ErrorKind::Unreachable => Self::Gone,
            error => Self::Wrong(error),
        }
    }
}

/// The orders of the parent.
pub(super) fn orders() -> Lines<StdinLock<'static>> {
    io::stdin().lines()
}
