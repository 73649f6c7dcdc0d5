//! A stage: two servers and two clients, the rounds that they live through, and what the old ones hold in the end.

use super::{ROUNDS, STAGES, STEPS, Step, Victim};
use crate::programs::{
    arguments::Transport,
    child::Child,
    leftovers::Holds,
    scene::{Client, Scene, compare},
};
use anyhow::{Context, Result, bail};
use fastrand::Rng;
use rustix::process::Signal;
use std::{
    thread,
    time::{Duration, Instant},
};

/// The number of the server that lives, and of the one that dies.
const OLD: usize = 0;
pub(super) const YOUNG: usize = 1;
/// Bytes that an old process may have gained from the first tenth of the rounds to the last one. A large payload for a server that has just
/// died lies on the heap, and malloc keeps twice the largest block that it has seen.
const GROWTH: usize = 64 << 20;

/// The processes.
pub(super) struct Stage {
    pub(super) transport: Transport,
    pub(super) scene: Scene,
    random: Rng,
    /// With which step it begins.
    first: usize,
    pub(super) counts: [usize; ROUNDS.len()],
    pub(super) grown: (usize, usize),
    /// None while it is dead.
    pub(super) young_server: Option<Child>,
    pub(super) young_client: Option<Client>,
    old_server: Option<Child>,
    old_client: Option<Client>,
}

impl Stage {
    pub(super) fn new(transport: Transport, stage: usize, seed: u64) -> Result<Self> {
        let mut scene = Scene::new(transport)?;
        let (old, young) = (scene.serve(OLD)?, scene.serve(YOUNG)?);
        let addresses = scene.addresses();
        let (first, second) = (scene.call(&addresses)?, scene.call(&addresses)?);
        Ok(Self {
            transport,
            scene,
            random: Rng::with_seed(seed),
            first: stage * STEPS / STAGES,
            counts: [0; ROUNDS.len()],
            grown: (0, 0),
            young_server: Some(young),
            young_client: Some(second),
            old_server: Some(old),
            old_client: Some(first),
        })
    }

    pub(super) fn play(&mut self, rounds: usize) -> Result<()> {
        self.rest()?;
        let warm = rounds.div_ceil(10);
        let mut before = None;
        for round in 0..rounds {
            let number = match round % 3 {
                0 => round / 3 % 2,
                // The others are all steps in turn.
                _ => 2 + (self.first + round - round.div_ceil(3)) % STEPS,
            };
            let (victim, step, name) = ROUNDS[number];
            self.counts[number] += 1;
            self.round(victim, step).with_context(|| format!("round {round}, {name}"))?;
            if round + 1 == warm {
                before = Some(self.holds()?);
            }
        }
        before.map_or(Ok(()), |before| self.look(before, rounds - warm))
    }

    fn round(&mut self, victim: Victim, step: Step) -> Result<()> {
        for client in [&mut self.old_client, &mut self.young_client].into_iter().flatten() {
            client.child.tell("let go")?;
        }
        self.pass(10_000);
        self.hurt(victim, step)?;
        self.pass(2_000);
        self.replace()?;
        self.rest()
    }

    /// Lets a random time pass, of so many microseconds at most; short ones are as likely as long ones.
    pub(super) fn pass(&mut self, most: u64) {
        let most = self.random.u64(1..=most);
        let time = Duration::from_micros(self.random.u64(0..=most));
        let until = Instant::now() + time;
        thread::sleep(time.saturating_sub(Duration::from_micros(100)));
        while Instant::now() < until {
            std::hint::spin_loop();
        }
    }

    /// Starts whoever was killed again.
    fn replace(&mut self) -> Result<()> {
        if self.young_server.is_none() {
            self.young_server = Some(self.scene.serve(YOUNG)?);
        }
        if self.young_client.is_none() {
            let addresses = self.scene.addresses();
            self.young_client = Some(self.scene.call(&addresses)?);
        }
        Ok(())
    }

    /// All calls end, and each client reaches each server.
    fn rest(&mut self) -> Result<()> {
        for (order, answer) in [("let pause", "paused"), ("let probe", "well")] {
            let clients = [&mut self.old_client, &mut self.young_client].into_iter().flatten();
            let mut clients: Vec<_> = clients.collect();
            for client in &mut clients {
                client.child.tell(order)?;
            }
            for client in &mut clients {
                client.child.hear(answer)?;
            }
        }
        Ok(())
    }

    /// What the old ones hold.
    fn holds(&self) -> Result<[Holds; 2]> {
        let server = self.old_server.as_ref().context("no server")?;
        let client = self.old_client.as_ref().context("no client")?;
        Ok([Holds::of(server.id())?, Holds::of(client.child.id())?])
    }

    /// Waits until the old ones hold no more than they did after the first rounds.
    fn look(&mut self, before: [Holds; 2], rounds: usize) -> Result<()> {
        let processes = [
            self.old_server.as_ref().context("no server")?.id(),
            self.old_client.as_ref().context("no client")?.child.id(),
        ];
        for ((who, before), process) in
            ["the old server", "the old client"].iter().zip(before).zip(processes)
        {
            let after = Holds::settled(process, before)?;
            compare(&mut self.scene.ledger, who, before, after);
            let grown = after.memory.saturating_sub(before.memory);
            self.grown = self.grown.max((grown, rounds));
            if grown > GROWTH {
                let what = format!("{who} has grown by {} KiB in {rounds} rounds", grown >> 10);
                self.scene.ledger.object(what);
            }
        }
        Ok(())
    }

    /// Everybody ends by himself.
    pub(super) fn end(mut self) -> Self {
        let clients = [self.young_client.take(), self.old_client.take()].into_iter().flatten();
        let servers = [self.young_server.take(), self.old_server.take()].into_iter().flatten();
        for child in clients.map(|client| client.child).chain(servers) {
            if let Err(error) = child.dismiss() {
                self.scene.ledger.object(format!("{error:#}"));
            }
        }
        self
    }

    /// Something did not happen as it must: everybody is killed, and what is known is judged.
    pub(super) fn abandon(mut self, error: &anyhow::Error) -> Self {
        self.scene.ledger.object(format!("{error:#}"));
        for client in [self.young_client.take(), self.old_client.take()].into_iter().flatten() {
            drop(client);
        }
        drop((self.young_server.take(), self.old_server.take()));
        self
    }

    pub(super) fn signal(&mut self, victim: Victim, signal: Signal) -> Result<()> {
        match victim {
            Victim::Server => self.server()?.signal(signal),
            Victim::Client => self.client()?.signal(signal),
        }
    }

    pub(super) fn server(&mut self) -> Result<&mut Child> {
        self.young_server.as_mut().context("no server")
    }

    pub(super) fn client(&mut self) -> Result<&mut Child> {
        match &mut self.young_client {
            Some(client) => Ok(&mut client.child),
            None => bail!("no client"),
        }
    }
}
