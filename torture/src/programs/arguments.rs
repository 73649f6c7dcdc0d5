//! The command line.

use anyhow::{Context, Result, bail};
use rustix::process::{Signal, set_parent_process_death_signal};
use std::{num::NonZeroUsize, path::PathBuf, str::FromStr};

/// What the program can be told.
pub(crate) const USAGE: &str = "\
usage: kills   [--rounds N] [--seed S] [--transport shm|unix|tcp]
       objects [--rounds N] [--seed S] [--transport shm|unix|tcp]
       letters [--rounds N] [--seed S] [--transport shm|unix|tcp]
       hostile [--rounds N] [--seed S]

kills     kills and stops clients and servers, at every step and at random instants
objects   has three processes pass references around, and kills one of them in each round
letters   has processes pass letters through mailboxes, and kills senders, receivers and hosts
hostile   writes into the shared memory of a client and of a server what nobody should
  --rounds     how often (100)
  --seed       what chance begins with (1)
  --transport  only this one, instead of all three in turn";

/// What this process is to do.
pub(crate) enum Command {
    Kills(Options),
    Objects(Options),
    Letters(Options),
    Hostile(Options),
    /// Be a server.
    Serve(Serve),
    /// Be a client.
    Call(Call),
    /// Be one of those that pass references.
    Peer(Peer),
    /// Host a mailbox.
    Host(Host),
    /// Send letters.
    Produce(User),
    /// Receive letters.
    Consume(User),
}

/// How a program runs.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) rounds: usize,
    pub(crate) seed: u64,
    pub(crate) transports: Vec<Transport>,
}

/// A transport between processes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Transport {
    Shm,
    Unix,
    Tcp,
}

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

impl Transport {
    pub(crate) fn scheme(self) -> &'static str {
        match self {
            Self::Shm => "shm",
            Self::Unix => "unix",
            Self::Tcp => "tcp",
        }
    }

    fn parse(text: &str) -> Result<Self> {
        let all = [Self::Shm, Self::Unix, Self::Tcp];
        let named = all.into_iter().find(|one| one.scheme() == text);
        named.with_context(|| format!("unknown transport: {text}"))
    }
}

impl Command {
    /// Reads the arguments after the program's name.
    pub(crate) fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self> {
        let all = [Transport::Shm, Transport::Unix, Transport::Tcp];
        match arguments.next().as_deref() {
            Some("kills") => Ok(Self::Kills(Options::parse(arguments, &all)?)),
            Some("objects") => Ok(Self::Objects(Options::parse(arguments, &all)?)),
            Some("letters") => Ok(Self::Letters(Options::parse(arguments, &all)?)),
            Some("hostile") => Ok(Self::Hostile(Options::parse(arguments, &[Transport::Shm])?)),
            Some("serve") => Ok(Self::Serve(Serve::parse(arguments)?)),
            Some("call") => Ok(Self::Call(Call::parse(arguments)?)),
            Some("peer") => Ok(Self::Peer(Peer::parse(arguments)?)),
            Some("host") => Ok(Self::Host(Host::parse(arguments)?)),
            Some("produce") => Ok(Self::Produce(User::parse(arguments)?)),
            Some("consume") => Ok(Self::Consume(User::parse(arguments)?)),
            Some(other) => bail!("unknown command: {other}"),
            None => bail!("a command is missing"),
        }
    }
}

impl Options {
    fn parse(mut arguments: impl Iterator<Item = String>, all: &[Transport]) -> Result<Self> {
        let mut options = Self { rounds: 100, seed: 1, transports: all.to_vec() };
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().with_context(|| format!("{argument} of what?"));
            match argument.as_str() {
                "--rounds" => options.rounds = number::<NonZeroUsize>(&argument, &value()?)?.get(),
                "--seed" => options.seed = number(&argument, &value()?)?,
                "--transport" => options.transports = vec![Transport::parse(&value()?)?],
                other => bail!("unknown argument: {other}"),
            }
        }
        if options.transports.iter().any(|one| !all.contains(one)) {
            bail!("only shm has memory to write into");
        }
        Ok(options)
    }

    /// The rounds of each transport: a share each, and the first has what is left over.
    pub(crate) fn shares(&self) -> impl Iterator<Item = (Transport, usize)> {
        let share = self.rounds / self.transports.len();
        let rest = self.rounds % self.transports.len();
        let rounds = move |number| if number == 0 { share + rest } else { share };
        let transports = self.transports.iter().enumerate();
        transports
            .map(move |(number, one)| (*one, rounds(number)))
            .filter(|(_, rounds)| *rounds > 0)
    }
}

/// What an argument says in figures.
fn number<T: FromStr>(argument: &str, text: &str) -> Result<T> {
    text.parse().ok().with_context(|| format!("{argument} wants a number from 1 on, not `{text}`"))
}

impl Serve {
    fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self> {
        let journal = arguments.next().context("which journal?")?.into();
        let address = arguments.next().context("at which address?")?;
        Ok(Self { journal, address })
    }
}

impl Call {
    fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self> {
        let number = arguments.next().context("which client?")?.parse()?;
        let journal = arguments.next().context("which journal?")?.into();
        Ok(Self { number, journal, addresses: arguments.collect() })
    }
}

impl Peer {
    fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self> {
        let number = arguments.next().context("which of them?")?.parse()?;
        let Serve { journal, address } = Serve::parse(arguments)?;
        Ok(Self { number, journal, address })
    }
}

impl Host {
    fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self> {
        let round = arguments.next().context("in which round?")?.parse()?;
        let address = arguments.next().context("at which address?")?;
        Ok(Self { round, address })
    }
}

impl User {
    fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self> {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Options> {
        match Command::parse(line.split_whitespace().map(str::to_owned))? {
            Command::Kills(options)
            | Command::Objects(options)
            | Command::Letters(options)
            | Command::Hostile(options) => Ok(options),
            _ => bail!("a role"),
        }
    }

    #[test]
    fn rounds_are_shared_out() {
        let options = parse("kills --rounds 101 --seed 7").expect("good arguments");
        let shares: Vec<_> = options.shares().collect();
        assert_eq!(options.seed, 7);
        assert_eq!(
            shares,
            [(Transport::Shm, 35), (Transport::Unix, 33), (Transport::Tcp, 33)],
            "all of them"
        );
        let options = parse("kills --rounds 2 --transport tcp").expect("good arguments");
        assert_eq!(options.shares().collect::<Vec<_>>(), [(Transport::Tcp, 2)]);
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for line in [
            "",
            "kill",
            "kills --rounds 0",
            "kills --rounds",
            "kills -x",
            "kills --transport udp",
            "hostile --transport tcp",
            "letters --transport udp",
            "produce 1",
            "serve",
            "call x",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
    }
}
