//! The processes of a storm: a server that dies, processes full of clients, and what these hold in the end.

use crate::programs::{
    arguments::{Storm, Transport},
    child::Child,
    leftovers::Holds,
    roles::Load,
    scene::{Client, Scene, compare},
};
use anyhow::{Context, Result};
use fastrand::Rng;
use rustix::process::Signal;
use std::{
    thread,
    time::{Duration, Instant},
};

/// The number of the server.
const SERVER: usize = 0;
/// Processes that the clients are in.
const CROWDS: usize = 4;
/// Starts after which the processes hold what they will hold.
const WARM: usize = 2;
/// Bytes that a process may have gained since then, for each of its clients: a large answer may be on its way to all of them.
const GROWTH: usize = 1 << 20;
/// The same, whatever its clients.
const GROUND: usize = 16 << 20;

pub(super) struct Weather {
    pub(super) scene: Scene,
    random: Rng,
    server: Option<Child>,
    crowds: Vec<Client>,
    /// Clients in each of them.
    each: usize,
    pub(super) back: Duration,
    pub(super) longest: Duration,
    pub(super) grown: usize,
}

impl Weather {
    /// Starts everybody.
    pub(super) fn begin(storm: &Storm, transport: Transport) -> Result<Self> {
        let mut scene = Scene::new(transport)?;
        let server = Some(scene.serve(SERVER)?);
        let crowds = CROWDS.min(storm.clients);
        let share = |crowd| storm.clients / crowds + usize::from(crowd < storm.clients % crowds);
        let begun: Result<Vec<_>> = (0..crowds)
            .map(|crowd| scene.begin_crowd(share(crowd), storm.seed, Load::Calls))
            .collect();
        let mut crowds = begun?;
        for crowd in &mut crowds {
            crowd.child.hear("ready")?;
        }
        Ok(Self {
            scene,
            random: Rng::with_seed(storm.seed),
            server,
            crowds,
            each: share(0),
            back: Duration::ZERO,
            longest: Duration::ZERO,
            grown: 0,
        })
    }

    /// Kills the server as often as it must be killed.
    pub(super) fn blow(&mut self, storm: &Storm) -> Result<()> {
        self.roll_call().context("at the beginning")?;
        let slot = storm.time / u32::try_from(storm.restarts)?;
        let warm = WARM.min(storm.restarts - 1);
        let mut before = None;
        for restart in 0..storm.restarts {
            if restart == warm {
                before = Some(self.holds()?);
            }
            let end = Instant::now() + slot;
            thread::sleep(self.part_of(slot / 3));
            let mut server = self.server.take().context("no server")?;
            if self.random.bool() {
                // Calls pile up before it that it has not seen.
                server.signal(Signal::STOP)?;
                thread::sleep(self.part_of(slot / 20));
            }
            server.kill()?;
            thread::sleep(self.part_of(slot / 10));
            self.server = Some(self.scene.serve(SERVER)?);
            let started = Instant::now();
            self.roll_call().with_context(|| format!("restart {restart}"))?;
            self.back = self.back.max(started.elapsed());
            thread::sleep(end.saturating_duration_since(Instant::now()));
        }
        for crowd in &mut self.crowds {
            crowd.child.tell("say longest")?;
            let micros = crowd.child.hear("longest")?.parse()?;
            self.longest = self.longest.max(Duration::from_micros(micros));
        }
        before.map_or(Ok(()), |before| self.look(&before))
    }

    fn part_of(&mut self, time: Duration) -> Duration {
        time.mul_f64(self.random.f64())
    }

    /// Every client is answered.
    fn roll_call(&mut self) -> Result<()> {
        for crowd in &mut self.crowds {
            crowd.child.tell("call roll")?;
        }
        for crowd in &mut self.crowds {
            crowd.child.hear("well")?;
        }
        Ok(())
    }

    fn holds(&self) -> Result<Vec<Holds>> {
        self.crowds.iter().map(|crowd| Holds::of(crowd.child.id())).collect()
    }

    /// Nobody holds more than before.
    fn look(&mut self, before: &[Holds]) -> Result<()> {
        for (crowd, before) in self.crowds.iter().zip(before) {
            let (id, who) = (crowd.child.id(), format!("the crowd {}", crowd.number));
            let after = Holds::settled(id, *before)?;
            compare(&mut self.scene.ledger, &who, *before, after);
            let grown = after.memory.saturating_sub(before.memory);
            self.grown = self.grown.max(grown);
            if grown > GROUND + GROWTH * self.each {
                self.scene.ledger.object(format!("{who} has grown by {} KiB", grown >> 10));
            }
        }
        Ok(())
    }

    /// Everybody ends by himself.
    pub(super) fn end(mut self) -> Self {
        let crowds = self.crowds.drain(..).map(|crowd| crowd.child);
        for child in crowds.chain(self.server.take()) {
            if let Err(error) = child.dismiss() {
                self.scene.ledger.object(format!("{error:#}"));
            }
        }
        self
    }

    /// Something did not happen as it must: everybody is killed, and what is known is judged.
    pub(super) fn abandon(mut self, error: &anyhow::Error) -> Self {
        self.scene.ledger.object(format!("{error:#}"));
        for crowd in self.crowds.drain(..) {
            // It may have ended by itself, which the error says then.
            let _ = self.scene.kill_client(crowd);
        }
        self.server = None;
        self
    }
}
