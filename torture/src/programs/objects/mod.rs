//! Three processes pass references around, one is killed at a random instant in each round, and the two others must be rid of it.
//!
//! References are lent, echoed, handed on to the third, kept in tables and called there; results are called before they are known; streams
//! run, also through the third. The dead one's objects stay dead, and its root leads to its successor. After each round the survivors give up
//! what they hold, and their tables must be empty. In every fourth round nobody is killed, and nothing may fail.

mod death;
mod peer;
mod play;
mod table;
mod tally;
mod tokens;

pub(crate) use peer::run as be;

use super::{
    arguments::{Options, Transport},
    child::Child,
};
use anyhow::{Context, Result, anyhow};
use fastrand::Rng;
use std::{fs, thread, time::Duration};
use tally::Tally;
use tempfile::TempDir;

/// How many processes there are.
const PEERS: usize = 3;
/// One round in so many is without a kill.
const CALM: usize = 4;
/// How late in a round the victim dies, in microseconds at most.
const LATEST: u64 = 25_000;

/// Runs the rounds of each transport, all transports at a time. Whether every promise was kept.
pub(crate) fn run(options: &Options) -> Result<bool> {
    let played = thread::scope(|scope| {
        let plays: Vec<_> = options.shares().collect();
        let plays: Vec<_> = plays
            .into_iter()
            .map(|(transport, rounds)| {
                let play = move || Stage::new(transport, options.seed)?.play(rounds);
                (transport, rounds, scope.spawn(play))
            })
            .collect();
        let played = plays.into_iter().map(|(transport, rounds, play)| {
            let tally = play.join().map_err(|_| anyhow!("a stage panicked"))??;
            Ok((transport, rounds, tally))
        });
        played.collect::<Result<Vec<_>>>()
    })?;
    let mut clean = true;
    for (transport, rounds, tally) in played {
        println!("objects over {}: {rounds} rounds, seed {}", transport.scheme(), options.seed);
        tally.print();
        clean &= tally.is_clean();
    }
    Ok(clean)
}

/// The processes of one transport.
struct Stage {
    transport: Transport,
    folder: TempDir,
    random: Rng,
    peers: Vec<Player>,
    started: usize,
    tally: Tally,
}

/// One of them.
struct Player {
    child: Child,
    address: String,
    /// The file that outlives it.
    journal: String,
}

impl Stage {
    fn new(transport: Transport, seed: u64) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("torture-").tempdir()?;
        let (random, tally) = (Rng::with_seed(seed), Tally::default());
        let mut stage = Self { transport, folder, random, peers: Vec::new(), started: 0, tally };
        for number in 0..PEERS {
            let player = stage.start(number, stage.address(number))?;
            stage.peers.push(player);
        }
        for one in 0..PEERS {
            for other in (0..PEERS).filter(|other| *other != one) {
                stage.meet(one, other)?;
            }
        }
        Ok(stage)
    }

    /// What breaks off a stage is a broken promise too.
    fn play(mut self, rounds: usize) -> Result<Tally> {
        for round in 0..rounds {
            let victim = (round % CALM != CALM - 1).then(|| self.random.usize(..PEERS));
            if let Err(error) = self.round(victim) {
                self.tally.object(format!("round {round}, victim {victim:?}: {error:#}"));
                break;
            }
        }
        self.tally.end();
        if !self.tally.is_clean() {
            println!("its journals: {}", self.folder.keep().display());
        }
        Ok(self.tally)
    }

    fn round(&mut self, victim: Option<usize>) -> Result<()> {
        for player in &mut self.peers {
            let seed = self.random.u64(..);
            player.child.tell(&format!("play {seed}"))?;
        }
        thread::sleep(Duration::from_micros(self.random.u64(..LATEST)));
        let survivors: Vec<_> = (0..PEERS).filter(|number| Some(*number) != victim).collect();
        match victim {
            Some(victim) => self.replace(victim, &survivors)?,
            None => self.tally.calm(),
        }
        self.order("pause", "paused", &survivors)?;
        self.order("settle", "settled", &survivors)?;
        for &number in &survivors {
            let journal = &self.peers[number].journal;
            self.tally.read(number, victim, &fs::read_to_string(journal)?);
            fs::write(journal, "")?;
        }
        let Some(victim) = victim else { return Ok(()) };
        for &number in &survivors {
            self.meet(number, victim)?;
            self.meet(victim, number)?;
        }
        Ok(())
    }

    /// Kills one, and starts its successor at its address when the others have mourned it.
    fn replace(&mut self, victim: usize, survivors: &[usize]) -> Result<()> {
        let Player { address, journal, .. } = &self.peers[victim];
        let (address, journal) = (address.clone(), journal.clone());
        self.peers[victim].child.kill()?;
        self.tally.read_dead(victim, &fs::read_to_string(journal)?);
        self.order(&format!("mourn {victim}"), "mourned", survivors)?;
        self.peers[victim] = self.start(victim, address)?;
        Ok(())
    }

    /// Gives an order to some, and waits until all have carried it out.
    fn order(&mut self, order: &str, answer: &str, to: &[usize]) -> Result<()> {
        for &number in to {
            self.peers[number].child.tell(order)?;
        }
        for &number in to {
            self.peers[number].child.hear(answer)?;
        }
        Ok(())
    }

    fn start(&mut self, number: usize, address: String) -> Result<Player> {
        self.started += 1;
        let path = |end: &str| self.folder.path().join(format!("{}.{end}", self.started));
        let journal = path("journal").display().to_string();
        let arguments = ["peer".to_owned(), number.to_string(), journal.clone(), address];
        let mut child = Child::start(format!("peer {number}"), &arguments, path("errors"))?;
        let address = child.hear("ready")?;
        Ok(Player { child, address, journal })
    }

    /// Where one of them serves first. No client of this host has that address: the port is free when its owner is dead.
    fn address(&self, number: usize) -> String {
        match self.transport {
            Transport::Tcp => format!("tcp://127.0.0.{}:0", number + 2),
            other => {
                let path = self.folder.path().join(format!("{number}.sock"));
                format!("{}://{}", other.scheme(), path.display())
            }
        }
    }

    fn meet(&mut self, one: usize, other: usize) -> Result<()> {
        let address = &self.peers[other].address;
        let order = format!("meet {other} {address}");
        let child = &mut self.peers[one].child;
        child.tell(&order)?;
        child.hear("met").with_context(|| format!("{one} meets {other}")).map(drop)
    }
}
