//! What this program is told that starts it again in another role.

use anyhow::{Context, Result};
use rustix::process::{Signal, set_parent_process_death_signal};
use std::path::PathBuf;

/// What a server is told at its start.
pub(crate) struct Serve {
    pub(crate) journal: PathBuf,
    pub(crate) address: String,
}

/// What a client is told at its start.
pub(crate) struct Call {
    /// Its number, which no other client of the run has.
    pub(crate) number: u64,
    pub(crate) journal: PathBuf,
    /// The servers, in the order of their numbers.
    pub(crate) addresses: Vec<String>,
}

/// What many clients in one process are told at their start.
pub(crate) struct Crowd {
    pub(crate) call: Call,
    /// How many they are.
    pub(crate) clients: usize,
    pub(crate) seed: u64,
    pub(crate) load: Load,
}

/// What one of those that pass references is told at its start.
pub(crate) struct Peer {
    pub(crate) number: u8,
    pub(crate) journal: PathBuf,
    pub(crate) address: String,
}

/// What the host of a mailbox is told at its start.
pub(crate) struct Host {
    /// In which round it is, from which its parameters follow.
    pub(crate) round: usize,
    pub(crate) address: String,
}

/// What one who uses a mailbox is told at its start.
pub(crate) struct User {
    /// Its number among those who do the same.
    pub(crate) number: u32,
    pub(crate) journal: PathBuf,
    pub(crate) address: String,
    pub(crate) round: usize,
    pub(crate) seed: u64,
}

/// What many clients do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Load {
    /// They call.
    Calls,
    /// They pass objects and streams, too.
    Mixed,
}

impl Load {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Calls => "calls",
            Self::Mixed => "mixed",
        }
    }

    fn parse(text: &str) -> Result<Self> {
        let named = [Self::Calls, Self::Mixed].into_iter().find(|load| load.word() == text);
        named.with_context(|| format!("unknown load: {text}"))
    }
}

impl Serve {
    pub(super) fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self> {
        let journal = arguments.next().context("which journal?")?.into();
        let address = arguments.next().context("at which address?")?;
        Ok(Self { journal, address })
    }
}

impl Call {
    pub(super) fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self> {
        let number = arguments.next().context("which client?")?.parse()?;
        let journal = arguments.next().context("which journal?")?.into();
        Ok(Self { number, journal, addresses: arguments.collect() })
    }
}

impl Crowd {
    pub(super) fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self> {
        let clients = arguments.next().context("how many?")?.parse()?;
        let seed = arguments.next().context("which seed?")?.parse()?;
        let load = Load::parse(&arguments.next().context("which load?")?)?;
        Ok(Self { call: Call::parse(arguments)?, clients, seed, load })
    }
}

impl Peer {
    pub(super) fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self> {
        let number = arguments.next().context("which of them?")?.parse()?;
        let Serve { journal, address } = Serve::parse(arguments)?;
        Ok(Self { number, journal, address })
    }
}

impl Host {
    pub(super) fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self> {
        let round = arguments.next().context("in which round?")?.parse()?;
        let address = arguments.next().context("at which address?")?;
        Ok(Self { round, address })
    }
}

impl User {
    pub(super) fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self> {
        let number = arguments.next().context("which of them?")?.parse()?;
        let journal = arguments.next().context("which journal?")?.into();
        let address = arguments.next().context("at which address?")?;
        let round = arguments.next().context("in which round?")?.parse()?;
        let seed = arguments.next().context("which seed?")?.parse()?;
        Ok(Self { number, journal, address, round, seed })
    }
}

/// Binds the life of this process to its parent's.
pub(crate) fn settle() -> Result<()> {
    Ok(set_parent_process_death_signal(Some(Signal::KILL))?)
}
