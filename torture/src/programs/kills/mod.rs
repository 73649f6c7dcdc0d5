//! Clients and servers are killed and stopped, at every step of a connection and at random instants; the others go on.
//!
//! Two servers, two clients, each of which calls both. The old ones live from the beginning to the end; of the young ones, one
//! dies in each round and is replaced. Calls of the old client at the old server must not even fail.

mod hurt;
mod stage;

use super::{
    arguments::{Options, Transport},
    ledger::{Number, Server, Verdict},
};
use anyhow::{Result, anyhow};
use stage::Stage;
use std::thread;

/// How many stages play at a time over each transport.
const STAGES: usize = 4;

/// Who is killed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Victim {
    Server,
    Client,
}

/// When.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Step {
    /// At any time.
    Random,
    /// While it starts.
    Starting,
    /// When somebody has connected to it, or it to somebody.
    Accepting,
    /// In the middle of a handshake.
    Handshake,
    /// With calls before it that it has not seen, or answers.
    Before,
    /// While a servant works.
    Within,
    /// When a servant is about to be done.
    Reply,
    /// With half a large answer on its way.
    HalfReply,
    /// With half a large call on its way.
    HalfCall,
    /// While the server ends in good order.
    Draining,
    /// Not killed, but stopped for a while.
    Stopped,
}

/// What a round can be, and what that is called. Random instants are a third of all.
const ROUNDS: [(Victim, Step, &str); 22] = {
    use Step::*;
    use Victim::*;
    [
        (Server, Random, "a server, at random"),
        (Client, Random, "a client, at random"),
        (Server, Starting, "a server that starts"),
        (Client, Starting, "a client that starts"),
        (Server, Accepting, "a server that accepts"),
        (Client, Accepting, "a client that connects"),
        (Server, Handshake, "a server in a handshake"),
        (Client, Handshake, "a client in a handshake"),
        (Server, Before, "a server before the handler"),
        (Client, Before, "a client before the handler"),
        (Server, Within, "a server in the handler"),
        (Client, Within, "a client in the handler"),
        (Server, Reply, "a server before the reply"),
        (Client, Reply, "a client before the reply"),
        (Server, HalfReply, "a server, half a reply"),
        (Client, HalfReply, "a client, half a reply"),
        (Server, HalfCall, "a server, half a call"),
        (Client, HalfCall, "a client, half a call"),
        (Server, Draining, "a server that drains"),
        (Client, Draining, "a client of one that drains"),
        (Server, Stopped, "(a server, stopped)"),
        (Client, Stopped, "(a client, stopped)"),
    ]
};

/// Rounds that are not at random.
const STEPS: usize = ROUNDS.len() - 2;

/// Runs the rounds of each transport. Whether every promise was kept.
///
/// Several stages play at a time: a client whose server has just died twice waits a little before it tries again.
pub(crate) fn run(options: &Options) -> Result<bool> {
    let shares: Vec<_> = options.shares().collect();
    let plays = shares.iter().flat_map(|(transport, rounds)| {
        let rounds = move |stage| rounds / STAGES + usize::from(stage < rounds % STAGES);
        let stages = (0..STAGES).map(move |stage| (*transport, stage, rounds(stage)));
        stages.filter(|(.., rounds)| *rounds > 0)
    });
    let played = thread::scope(|scope| {
        let play = |(transport, stage, rounds)| {
            let seed = options.seed.wrapping_mul(STAGES as u64).wrapping_add(stage as u64);
            (transport, scope.spawn(move || play(transport, stage, rounds, seed)))
        };
        let playing: Vec<_> = plays.map(play).collect();
        let played = playing.into_iter().map(|(transport, stage)| {
            Ok((transport, stage.join().map_err(|_| anyhow!("a stage panicked"))??))
        });
        played.collect::<Result<Vec<_>>>()
    })?;
    let mut clean = true;
    for (transport, rounds) in shares {
        let mut all = Played::default();
        let of_it = played.iter().filter(|(of, _)| *of == transport);
        of_it.for_each(|(_, played)| all.add(played));
        println!("kills over {}: {rounds} rounds, seed {}", transport.scheme(), options.seed);
        all.print();
        clean &= all.verdict.is_clean();
    }
    Ok(clean)
}

/// What came of some rounds.
#[derive(Default)]
struct Played {
    counts: [usize; ROUNDS.len()],
    verdict: Verdict,
    /// Bytes that an old process has gained at most, and in how many rounds.
    grown: (usize, usize),
}

impl Played {
    fn add(&mut self, other: &Self) {
        self.counts.iter_mut().zip(other.counts).for_each(|(count, other)| *count += other);
        self.verdict.add(&other.verdict);
        self.grown = self.grown.max(other.grown);
    }

    fn print(&self) {
        for ((_, _, name), count) in ROUNDS.iter().zip(self.counts) {
            println!("  {count:5} {name}");
        }
        let (bytes, rounds) = self.grown;
        println!("  memory     at most {} KiB more in {rounds} rounds", bytes >> 10);
        self.verdict.print();
    }
}

fn play(transport: Transport, stage: usize, rounds: usize, seed: u64) -> Result<Played> {
    let mut stage = Stage::new(transport, stage, seed)?;
    let played = stage.play(rounds);
    let Stage { mut scene, counts, grown, .. } = match played {
        Ok(()) => stage.end(),
        Err(error) => stage.abandon(&error),
    };
    scene.close(&[])?;
    let verdict = scene.ledger.judge(|number| match number {
        Number { client: 0, server: 0, .. } => Server::Unharmed,
        _ => Server::Mortal,
    });
    if !verdict.is_clean() {
        println!("journals of what went wrong: {}", scene.keep().display());
    }
    Ok(Played { counts, verdict, grown })
}
