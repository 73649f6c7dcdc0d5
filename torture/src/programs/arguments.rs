//! The command line.

use super::{
    flags::Flags,
    roles::{Call, Crowd, Host, Peer, Serve, User},
};
use anyhow::{Context, Result, bail, ensure};
use std::time::Duration;

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
       hosts   [--seconds N] [--clients N] [--seed S]

kills     kills and stops clients and servers, at every step and at random instants
objects   has three processes pass references around, and kills one of them in each round
letters   has processes pass letters through mailboxes, and kills senders, receivers and hosts
hostile   writes into the shared memory of a client and of a server what nobody should
polls     drops each future of the library after k polls, for every k
faults    cuts a connection in memory at each byte of a session
soak      has clients do everything for a long time, of which nothing may grow
storm     kills a server again and again and starts it again, under many clients
hosts     has two hosts on this machine, between which packets are delayed, lost, reordered and stopped; wants root
  --rounds     how often (100)
  --every      in the large call only at every so many-th byte, of which the seed says the first (1)
  --restarts   how often, over each transport (20)
  --seconds    how long that takes, over each transport (60); of hosts each phase, parts of a second too (5)
  --minutes    how long a soak takes (30)
  --clients    those of each transport, each with a connection of its own (200, in a soak 8, of hosts 24)
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
    Hosts(Hosts),
    /// Be a server on a host of its own.
    Far(Serve),
    /// Be many clients on another one.
    Near(Crowd),
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

/// How two hosts are tried.
#[derive(Debug)]
pub(crate) struct Hosts {
    pub(crate) seed: u64,
    /// How long a phase takes, besides what it must.
    pub(crate) time: Duration,
    pub(crate) clients: usize,
}

/// A transport between processes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Transport {
    Shm,
    Unix,
    Tcp,
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
            Some("hosts") => Ok(Self::Hosts(Hosts::parse(arguments)?)),
            Some("far") => Ok(Self::Far(Serve::parse(arguments)?)),
            Some("near") => Ok(Self::Near(Crowd::parse(arguments)?)),
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

impl Hosts {
    fn parse(arguments: impl Iterator<Item = String>) -> Result<Self> {
        let mut flags = Flags::of(arguments)?;
        let seconds: f64 = flags.number("--seconds", 5.0)?;
        ensure!((0.1..=600.0).contains(&seconds), "--seconds wants 0.1 to 600, not {seconds}");
        let hosts = Self {
            seed: flags.number("--seed", 1)?,
            time: Duration::from_secs_f64(seconds),
            clients: flags.count("--clients", 24)?,
        };
        flags.end()?;
        Ok(hosts)
    }
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
    fn hosts_have_parts_of_seconds() {
        let line = "hosts --seconds 0.5 --clients 6 --seed 9";
        let Ok(Command::Hosts(hosts)) = Command::parse(line.split_whitespace().map(str::to_owned))
        else {
            panic!("no hosts")
        };
        assert_eq!((hosts.time, hosts.clients, hosts.seed), (Duration::from_millis(500), 6, 9));
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
            "hosts --seconds 0",
            "hosts --seconds NaN",
            "hosts --transport tcp",
            "crowd 1 2 none 3 j a",
            "crowd 1 2",
            "serve",
            "call x",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
    }
}
