//! Three processes pass references around, one is killed at a random instant in each round, and the two others must be rid of it.
//!
//! References are lent, echoed, handed on to the third, kept in tables and called there; results are called before they are known; a stream
//! runs now and then. After each round the survivors give up what they hold, and their tables must be empty.

mod peer;
mod play;
mod table;
mod tally;

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
            let player = stage.start(number)?;
            stage.peers.push(player);
        }
        for number in 0..PEERS {
            stage.introduce(number)?;
        }
        Ok(stage)
    }

    /// What breaks off a stage is a broken promise too.
    fn play(mut self, rounds: usize) -> Result<Tally> {
        for round in 0..rounds {
            let victim = self.random.usize(..PEERS);
            if let Err(error) = self.round(victim) {
                self.tally.object(format!("round {round}, victim {victim}: {error:#}"));
                println!("its journals: {}", self.folder.keep().display());
                return Ok(self.tally);
            }
        }
        if !self.tally.is_clean() {
            println!("its journals: {}", self.folder.keep().display());
        }
        Ok(self.tally)
    }

    fn round(&mut self, victim: usize) -> Result<()> {
        for player in &mut self.peers {
            let seed = self.random.u64(..);
            player.child.tell(&format!("play {seed}"))?;
        }
        thread::sleep(Duration::from_micros(self.random.u64(..LATEST)));
        let next = self.start(victim);
        let died = std::mem::replace(&mut self.peers[victim], next?);
        died.child.kill()?;
        let survivors = || (0..PEERS).filter(move |number| *number != victim);
        for (order, answer) in [("pause", "paused"), ("settle", "settled")] {
            for number in survivors() {
                self.peers[number].child.tell(&format!("{order} {victim}"))?;
            }
            for number in survivors() {
                self.peers[number].child.hear(answer)?;
            }
        }
        let dead = fs::read_to_string(&died.journal)?;
        self.tally.read_dead(&dead);
        for number in survivors() {
            let journal = &self.peers[number].journal;
            self.tally.read(number, victim, &fs::read_to_string(journal)?);
            fs::write(journal, "")?;
            let address = self.peers[victim].address.clone();
            self.peers[number].child.tell(&format!("meet {victim} {address}"))?;
            self.peers[number].child.hear("met")?;
        }
        self.introduce(victim)
    }

    fn start(&mut self, number: usize) -> Result<Player> {
        self.started += 1;
        let path = |end: &str| self.folder.path().join(format!("{}.{end}", self.started));
        let address = match self.transport {
            Transport::Tcp => "tcp://127.0.0.1:0".to_owned(),
            other => format!("{}://{}", other.scheme(), path("sock").display()),
        };
        let journal = path("journal").display().to_string();
        let arguments = ["peer".to_owned(), number.to_string(), journal.clone(), address];
        let mut child = Child::start(format!("peer {number}"), &arguments, path("errors"))?;
        let address = child.hear("ready")?;
        Ok(Player { child, address, journal })
    }

    /// Has one meet all the others.
    fn introduce(&mut self, number: usize) -> Result<()> {
        let addresses: Vec<_> = self.peers.iter().map(|peer| peer.address.clone()).collect();
        for (other, address) in addresses.iter().enumerate().filter(|(other, _)| *other != number) {
            let child = &mut self.peers[number].child;
            child.tell(&format!("meet {other} {address}"))?;
            child.hear("met").with_context(|| format!("{number} meets {other}"))?;
        }
        Ok(())
    }
}
