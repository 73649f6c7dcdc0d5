//! The command line.

use super::flags::Flags;
use anyhow::{Context, Result, bail};
use rustix::process::{Signal, set_parent_process_death_signal};
use std::{path::PathBuf, time::Duration};

/// What the program can be told.
pub(crate) const USAGE: &str = "\
usage: kills   [--rounds N] [--seed S] [--transport shm|unix|tcp]
       objects [--rounds N] [--seed S] [--transport shm|unix|tcp]
       letters [--rounds N] [--seed S] [--transport shm|unix|tcp]
       hostile [--rounds N] [--seed S]
       polls   [--rounds N] [--seed S] [--transport shm|unix|tcp]
       faults  [--every N] [--seed S]
       soak    [--minutes N | --seconds N] [--clients N] [--seed S] [--transport shm|unix|tcp]
       storm   [--restarts N] [--seconds N] [--clients N] [--seed S] [--transport shm|unix|tcp]

kills     kills and stops clients and servers, at every step and at random instants
objects   has three processes pass references around, and kills one of them in each round
letters   has processes pass letters through mailboxes, and kills senders, receivers and hosts
hostile   writes into the shared memory of a client and of a server what nobody should
polls     drops each future of the library after k polls, for every k
faults    cuts a connection in memory at each byte of a session
soak      has clients do everything for a long time, of which nothing may grow
storm     kills a server again and again and starts it again, under many clients
  --rounds     how often (100)
  --every      in the large call only at every so many-th byte, of which the seed says the first (1)
  --restarts   how often, over each transport (20)
  --seconds    how long that takes, over each transport (60)
  --minutes    how long a soak takes (30)
  --clients    those of each transport, each with a connection of its own (200, in a soak 8)
  --seed       what chance begins with (1)
  --transport  only this one, instead of all three in turn";

/// What this process is to do.
pub(crate) enum Command {
    Kills(Options),
    Objects(Options),
    Letters(Options),
    Hostile(Options),
    Storm(Storm),
    Polls(Options),
    Faults(Faults),
    Soak(Soak),
    /// Be a server.
    Serve(Serve),
    /// Be a client.
    Call(Call),
    /// Be many clients.
    Crowd(Crowd),
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

/// How a storm runs.
#[derive(Debug)]
pub(crate) struct Storm {
    pub(crate) seed: u64,
    pub(crate) transports: Vec<Transport>,
    pub(crate) restarts: usize,
    /// How long it takes, over each transport.
    pub(crate) time: Duration,
    pub(crate) clients: usize,
}

/// At which bytes a session is cut.
#[derive(Debug)]
pub(crate) struct Faults {
    pub(crate) seed: u64,
    pub(crate) every: usize,
}

/// How a soak runs.
#[derive(Debug)]
pub(crate) struct Soak {
    pub(crate) seed: u64,
    pub(crate) transports: Vec<Transport>,
    pub(crate) time: Duration,
    /// Those of each transport.
    pub(crate) clients: usize,
}

/// What many clients do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Load {
    /// They call.
    Calls,
    /// They pass objects and streams, too.
    Mixed,
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

impl Transport {
    /// All of them.
    pub(crate) const ALL: [Self; 3] = [Self::Shm, Self::Unix, Self::Tcp];

    pub(crate) fn scheme(self) -> &'static str {
        match self {
            Self::Shm => "shm",
            Self::Unix => "unix",
            Self::Tcp => "tcp",
        }
    }

    fn parse(text: &str) -> Result<Self> {
        let named = Self::ALL.into_iter().find(|one| one.scheme() == text);
        named.with_context(|| format!("unknown transport: {text}"))
    }

    /// The one that is named, or all.
    fn take(flags: &mut Flags) -> Result<Vec<Self>> {
        let named = flags.take("--transport");
        named.map_or(Ok(Self::ALL.to_vec()), |named| Ok(vec![Self::parse(&named)?]))
    }
}

impl Command {
    /// Reads the arguments after the program's name.
    pub(crate) fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self> {
        match arguments.next().as_deref() {
            Some("kills") => Ok(Self::Kills(Options::parse(arguments)?)),
            Some("objects") => Ok(Self::Objects(Options::parse(arguments)?)),
            Some("letters") => Ok(Self::Letters(Options::parse(arguments)?)),
            Some("hostile") => Ok(Self::Hostile(Options::of_memory(arguments)?)),
            Some("storm") => Ok(Self::Storm(Storm::parse(arguments)?)),
            Some("polls") => Ok(Self::Polls(Options::parse(arguments)?)),
            Some("faults") => Ok(Self::Faults(Faults::parse(arguments)?)),
            Some("soak") => Ok(Self::Soak(Soak::parse(arguments)?)),
            Some("serve") => Ok(Self::Serve(Serve::parse(arguments)?)),
            Some("call") => Ok(Self::Call(Call::parse(arguments)?)),
            Some("crowd") => Ok(Self::Crowd(Crowd::parse(arguments)?)),
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
    fn parse(arguments: impl Iterator<Item = String>) -> Result<Self> {
        let mut flags = Flags::of(arguments)?;
        let (rounds, seed) = (flags.count("--rounds", 100)?, flags.number("--seed", 1)?);
        let transports = Transport::take(&mut flags)?;
        flags.end()?;
        Ok(Self { rounds, seed, transports })
    }

    /// Those of a program that writes into shared memory.
    fn of_memory(arguments: impl Iterator<Item = String>) -> Result<Self> {
        let mut flags = Flags::of(arguments)?;
        let (rounds, seed) = (flags.count("--rounds", 100)?, flags.number("--seed", 1)?);
        flags.end().context("only shm has memory to write into")?;
        Ok(Self { rounds, seed, transports: vec![Transport::Shm] })
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

impl Storm {
    fn parse(arguments: impl Iterator<Item = String>) -> Result<Self> {
        let mut flags = Flags::of(arguments)?;
        let storm = Self {
            seed: flags.number("--seed", 1)?,
            transports: Transport::take(&mut flags)?,
            restarts: flags.count("--restarts", 20)?,
            time: Duration::from_secs(flags.count("--seconds", 60)? as u64),
            clients: flags.count("--clients", 200)?,
        };
        flags.end()?;
        Ok(storm)
    }
}

impl Faults {
    fn parse(arguments: impl Iterator<Item = String>) -> Result<Self> {
        let mut flags = Flags::of(arguments)?;
        let (seed, every) = (flags.number("--seed", 1)?, flags.count("--every", 1)?);
        flags.end()?;
        Ok(Self { seed, every })
    }
}

impl Soak {
    fn parse(arguments: impl Iterator<Item = String>) -> Result<Self> {
        let mut flags = Flags::of(arguments)?;
        let minutes = flags.count("--minutes", 30)?;
        let seconds = flags.count("--seconds", minutes * 60)?;
        let soak = Self {
            seed: flags.number("--seed", 1)?,
            transports: Transport::take(&mut flags)?,
            time: Duration::from_secs(seconds as u64),
            clients: flags.count("--clients", 8)?,
        };
        flags.end()?;
        Ok(soak)
    }
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

impl Crowd {
    fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self> {
        let clients = arguments.next().context("how many?")?.parse()?;
        let seed = arguments.next().context("which seed?")?.parse()?;
        let load = Load::parse(&arguments.next().context("which load?")?)?;
        Ok(Self { call: Call::parse(arguments)?, clients, seed, load })
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
    fn a_storm_is_described() {
        let line = "storm --seconds 3 --restarts 2 --clients 7 --transport unix";
        let Ok(Command::Storm(storm)) = Command::parse(line.split_whitespace().map(str::to_owned))
        else {
            panic!("no storm")
        };
        assert_eq!((storm.time.as_secs(), storm.restarts, storm.clients), (3, 2, 7));
        assert_eq!((storm.seed, storm.transports), (1, vec![Transport::Unix]));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for line in [
            "",
            "hostile --rounds",
            "kill",
            "kills --rounds 0",
            "kills --rounds",
            "kills -x",
            "kills --transport udp",
            "hostile --transport tcp",
            "letters --transport udp",
            "produce 1",
            "storm --restarts 0",
            "storm --rounds 1",
            "faults --every 0",
            "soak --minutes 0",
            "crowd 1 2 none 3 j a",
            "crowd 1 2",
            "serve",
            "call x",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
    }
}
