//! The processes on both hosts, and the phases that they live through.

use super::{
    DEAD_AFTER,
    cable::{ADDRESSES, Cable},
    near::{LATE, TRY},
    path::{Counts, Path},
    phase::{Event, PHASES, Phase},
    pulse::Pulse,
};
use crate::programs::{
    arguments::{Hosts, Transport},
    child::Child,
    roles::Load,
    scene::{Client, Scene},
};
use anyhow::{Context, Result, bail, ensure};
use fastrand::Rng;
use std::{
    thread,
    time::{Duration, Instant},
};

/// Processes that the clients are in.
const CROWDS: usize = 3;
/// Where the server listens.
const PORT: u16 = 7077;
/// How much later than it must the server may have noticed that its clients are gone, on a machine that is busy.
const NOTICING: Duration = Duration::from_secs(10);
/// How soon everything must be at rest when the clients have left.
const REST: Duration = Duration::from_secs(10);
/// A machine that stands still for longer may have hurt whom nobody hurt.
const STILL: Duration = Duration::from_millis(1000);
/// Between two moments of a partition, and two looks at the server.
const BETWEEN: Duration = Duration::from_millis(1500);
const LOOK: Duration = Duration::from_millis(20);

/// What came of a phase.
pub(super) struct Lived {
    pub(super) phase: &'static Phase,
    pub(super) counts: Counts,
    /// From its end until every client was answered, in both its connections.
    pub(super) back: Duration,
    /// From the cut until the server had dropped every connection.
    pub(super) dropped: Option<Duration>,
    /// How long the whole machine stood still, at most.
    pub(super) stood: Duration,
}

impl Lived {
    /// Whether calls may have failed: a machine that stands still is a silent peer to itself.
    pub(super) fn harms(&self) -> bool {
        self.phase.harms || self.stood > STILL
    }
}

/// What the clients tell of themselves.
#[derive(Default)]
pub(super) struct Told {
    pub(super) longest: Duration,
    /// Calls that failed because their peer was gone.
    pub(super) lost: u64,
    pub(super) streams: u64,
    pub(super) passed: u64,
    pub(super) broken: u64,
}

pub(super) struct Stage {
    pub(super) scene: Scene,
    cable: Cable,
    length: Duration,
    pulse: Pulse,
    random: Rng,
    server: Option<Child>,
    crowds: Vec<Client>,
    pub(super) lived: Vec<Lived>,
    pub(super) told: Told,
}

impl Stage {
    /// Starts everybody.
    pub(super) fn begin(options: &Hosts, cable: Cable) -> Result<Self> {
        let mut stage = Self {
            scene: Scene::new(Transport::Tcp)?,
            cable,
            length: options.time,
            pulse: Pulse::begin(),
            random: Rng::with_seed(options.seed),
            server: None,
            crowds: Vec::new(),
            lived: Vec::new(),
            told: Told::default(),
        };
        stage.server = Some(stage.serve()?);
        let crowds = CROWDS.min(options.clients);
        for crowd in 0..crowds {
            let clients = options.clients / crowds + usize::from(crowd < options.clients % crowds);
            let scene = &mut stage.scene;
            let words = ("near", clients, options.seed, Load::Mixed);
            let begun = stage.cable.near().within(|| scene.begin_many(words, address()))?;
            stage.crowds.push(begun);
        }
        for crowd in &mut stage.crowds {
            crowd.child.hear("ready")?;
        }
        Ok(stage)
    }

    /// Lives through all phases.
    pub(super) fn play(&mut self) -> Result<()> {
        for (number, phase) in PHASES.iter().enumerate() {
            self.live(number).context(phase.name)?;
        }
        Ok(())
    }

    fn serve(&mut self) -> Result<Child> {
        let scene = &mut self.scene;
        let mut child = self.cable.far().within(|| scene.begin_server_at("far", address()))?;
        child.hear("ready")?;
        Ok(child)
    }

    fn live(&mut self, number: usize) -> Result<()> {
        let phase = &PHASES[number];
        self.roll(number, REST).context("before it")?;
        self.tell()?;
        self.cable.take_counts();
        self.pulse.take();
        self.cable.set(phase.path);
        let dropped = self.happen(phase)?;
        self.cable.set(Path::CLEAN);
        let healed = Instant::now();
        self.roll(number, self.reconnects()).context("after it")?;
        let (back, counts) = (healed.elapsed(), self.cable.take_counts());
        let (lost, failed) = self.tell()?;
        let lived = Lived { phase, counts, back, dropped, stood: self.pulse.take() };
        self.look(&lived, &lost);
        if failed > 0 && !lived.harms() {
            let text = format!("{}: {failed} streams or callbacks failed", phase.name);
            self.scene.ledger.object(text);
        }
        self.lived.push(lived);
        Ok(())
    }

    /// How soon all clients must be back: a pause between two attempts is shorter than what has passed, and the system's own too.
    fn reconnects(&self) -> Duration {
        self.length * 2 + DEAD_AFTER + NOTICING
    }

    /// Lets happen what does in a phase. How soon the server had dropped everybody, if it must.
    fn happen(&mut self, phase: &Phase) -> Result<Option<Duration>> {
        let end = Instant::now() + phase.event.lasts(self.length);
        let rest = |until: Instant| thread::sleep(until.saturating_duration_since(Instant::now()));
        match phase.event {
            Event::Nothing => rest(end),
            Event::Hiccups(closed) => {
                let all = Instant::now() + self.length;
                loop {
                    self.cable.set(Path { closed, ..phase.path });
                    thread::sleep(phase.event.lasts(self.length));
                    self.cable.set(phase.path);
                    if Instant::now() > all {
                        break;
                    }
                    thread::sleep(BETWEEN);
                }
            }
            Event::Partition(closed) => {
                self.cable.set(Path { closed, ..phase.path });
                let cut = Instant::now();
                self.try_to_connect("not found within")?;
                self.wait_for_rest("connections", DEAD_AFTER + NOTICING, |counts| {
                    counts.starts_with("0 ")
                })?;
                let dropped = cut.elapsed();
                rest(end);
                return Ok(Some(dropped));
            }
            Event::Down => {
                self.cable.link("down")?;
                self.try_to_connect("cannot reach tcp://10.77.0.2:7077")?;
                rest(end);
                self.cable.link("up")?;
            }
            Event::Restart => {
                thread::sleep(self.length.mul_f64(self.random.f64() / 2.0));
                self.server.take().context("no server")?.kill()?;
                thread::sleep(self.length.mul_f64(self.random.f64() / 4.0));
                self.server = Some(self.serve()?);
                rest(end);
            }
        }
        Ok(None)
    }

    /// Every client is answered, and its calls belong to that phase from then on.
    fn roll(&mut self, number: usize, within: Duration) -> Result<()> {
        for crowd in &mut self.crowds {
            crowd.child.tell(&format!("phase {number}"))?;
        }
        let until = Instant::now() + within;
        for crowd in &mut self.crowds {
            crowd.child.hear_within("well", until.saturating_duration_since(Instant::now()))?;
        }
        Ok(())
    }

    /// Has one connect where nobody can be reached, and looks at what it is told, and when.
    fn try_to_connect(&mut self, want: &str) -> Result<()> {
        let client = self.crowds.first_mut().context("no client")?;
        client.child.tell("try")?;
        let tried = client.child.hear("tried")?;
        let (took, what) = tried.split_once(' ').context("what was tried?")?;
        let took = Duration::from_millis(took.parse()?);
        if took > TRY + LATE {
            self.scene.ledger.object(format!("a connection was tried for {took:?}: {what}"));
        }
        if !what.starts_with("Unreachable") || !what.contains(want) {
            self.scene.ledger.object(format!("whoever cannot connect is told: {what}"));
        }
        Ok(())
    }

    /// Waits until the server's counts are as they must be.
    fn wait_for_rest(
        &mut self,
        what: &str,
        within: Duration,
        is_it: impl Fn(&str) -> bool,
    ) -> Result<()> {
        let until = Instant::now() + within;
        let server = self.server.as_mut().context("no server")?;
        loop {
            server.tell("count")?;
            let counts = server.hear("counts")?;
            if is_it(&counts) {
                return Ok(());
            }
            if Instant::now() > until {
                self.scene.ledger.object(format!(
                    "after {within:?} the server still has {what}: {counts} (connections, handlers, objects)"
                ));
                return Ok(());
            }
            thread::sleep(LOOK);
        }
    }

    /// Asks the clients what they have to tell. How many calls each process has lost since, and how many streams and callbacks failed in a
    /// phase in which none need.
    fn tell(&mut self) -> Result<(Vec<u64>, u64)> {
        let mut told = Told::default();
        let (mut lost, mut all_failed) = (Vec::new(), 0);
        for crowd in &mut self.crowds {
            crowd.child.tell("tell")?;
            let words = crowd.child.hear("told")?;
            let numbers: Result<Vec<u64>, _> = words.split(' ').map(str::parse).collect();
            let [longest, gone, streams, passed, broken, failed] = numbers?[..] else {
                bail!("a client tells: {words}")
            };
            told.longest = told.longest.max(Duration::from_micros(longest));
            told.streams += streams;
            told.passed += passed;
            told.broken += broken;
            all_failed += failed;
            lost.push(gone);
        }
        told.lost = self.told.lost + lost.iter().sum::<u64>();
        self.told = told;
        Ok((lost, all_failed))
    }

    /// What a phase must have shown, if it was one.
    fn look(&mut self, lived: &Lived, lost: &[u64]) {
        let Lived { phase, counts, .. } = lived;
        let Path { lost: loses, twice, jitter, .. } = phase.path;
        for (must, is, what) in [
            (true, counts.arrived, "arrived"),
            (loses > 0.0, counts.lost, "was lost"),
            (twice > 0.0, counts.twice, "came twice"),
            (!jitter.is_zero(), counts.overtaken, "was overtaken"),
            (
                matches!(phase.event, Event::Hiccups(_) | Event::Partition(_)),
                counts.stopped,
                "was stopped",
            ),
        ] {
            if must && is == 0 {
                self.scene.ledger.object(format!("{}: no packet {what}", phase.name));
            }
        }
        let is_cut = matches!(phase.event, Event::Partition(_));
        if is_cut && lost.contains(&0) {
            let text = format!("{}: a process has lost no call: {lost:?}", phase.name);
            self.scene.ledger.object(text);
        }
    }

    /// Everybody ends by himself, and the server has nothing left of its clients.
    pub(super) fn end(&mut self) -> Result<()> {
        self.roll(PHASES.len() - 1, REST)?;
        self.tell()?;
        for crowd in self.crowds.drain(..) {
            crowd.child.dismiss()?;
        }
        self.wait_for_rest("something of its clients", REST, |counts| counts == "0 0 0")?;
        self.server.take().context("no server")?.dismiss()?;
        let Told { streams, passed, .. } = self.told;
        ensure!(streams > 0 && passed > 0, "no stream came to its end, or no callback");
        Ok(())
    }

    /// Something did not happen as it must: everybody is killed, and what is known is judged.
    pub(super) fn abandon(&mut self, error: &anyhow::Error) {
        let stood = self.pulse.take();
        self.scene.ledger.object(format!("{error:#} (the machine stood still for {stood:.1?})"));
        for crowd in self.crowds.drain(..) {
            // It may have ended by itself, which the error says then.
            let _ = self.scene.kill_client(crowd);
        }
        self.server = None;
    }
}

fn address() -> String {
    format!("tcp://{}:{PORT}", ADDRESSES[1])
}
