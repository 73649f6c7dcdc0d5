//! Clients do everything for a long time, over each transport, and nobody is hurt: nothing may fail, grow, or become slow.

mod series;

use super::{
    arguments::{Soak, Transport},
    child::Child,
    ledger::{Server, Verdict},
    leftovers::Holds,
    roles::Load,
    scene::{Client, Scene, compare},
};
use anyhow::{Context, Result, anyhow};
use series::Series;
use std::thread;

/// Looks at the processes, the first of which is when they are warm.
const LOOKS: u32 = 12;

/// Runs the soak over all transports at a time. Whether every promise was kept.
pub(crate) fn run(soak: &Soak) -> Result<bool> {
    let played = thread::scope(|scope| {
        let play = |transport: &Transport| {
            let transport = *transport;
            (transport, scope.spawn(move || Pool::fill(soak, transport)?.play(soak)))
        };
        let playing: Vec<_> = soak.transports.iter().map(play).collect();
        let played = playing.into_iter().map(|(transport, playing)| {
            Ok((transport, playing.join().map_err(|_| anyhow!("a soak panicked"))??))
        });
        played.collect::<Result<Vec<_>>>()
    })?;
    let mut clean = true;
    for (transport, Soaked { verdict, series }) in played {
        let Soak { clients, time, seed, .. } = soak;
        println!("soak over {}: {clients} clients, {time:?}, seed {seed}", transport.scheme());
        for (who, memory) in ["server", "clients"].iter().zip(&series.memory) {
            println!("  memory     {who}: {} KiB, {}", memory.last() >> 10, memory.told_growth());
        }
        println!(
            "  99.9 %     {} us in the beginning, {} us in the end",
            series.tail.first_half(),
            series.tail.last_half()
        );
        verdict.print();
        clean &= verdict.is_clean();
    }
    Ok(clean)
}

/// A server and its clients.
struct Pool {
    scene: Scene,
    server: Child,
    crowd: Client,
}

/// What is looked at, again and again.
#[derive(Default)]
struct Looks {
    /// Bytes of the server, and of the clients.
    memory: [Series; 2],
    /// Microseconds within which 999 of 1000 small calls are answered.
    tail: Series,
}

/// What came of a soak.
struct Soaked {
    verdict: Verdict,
    series: Looks,
}

impl Pool {
    fn fill(soak: &Soak, transport: Transport) -> Result<Self> {
        let mut scene = Scene::new(transport)?;
        let server = scene.serve(0)?;
        let mut crowd = scene.begin_crowd(soak.clients, soak.seed, Load::Mixed)?;
        crowd.child.hear("ready")?;
        Ok(Self { scene, server, crowd })
    }

    fn play(mut self, soak: &Soak) -> Result<Soaked> {
        let mut series = Looks::default();
        if let Err(error) = self.soak(soak, &mut series) {
            self.scene.ledger.object(format!("{error:#}"));
        }
        let Self { mut scene, server, crowd } = self;
        for child in [crowd.child, server] {
            if let Err(error) = child.dismiss() {
                scene.ledger.object(format!("{error:#}"));
            }
        }
        for (who, memory) in ["the server", "the clients"].iter().zip(&series.memory) {
            if let Some(what) = memory.grows() {
                scene.ledger.object(format!("the memory of {who} {what}"));
            }
        }
        if let Some(what) = series.tail.slows() {
            scene.ledger.object(what);
        }
        scene.close(&[])?;
        let verdict = scene.ledger.judge(|_| Server::Unharmed);
        if !verdict.is_clean() {
            println!("journals of what went wrong: {}", scene.keep().display());
        }
        Ok(Soaked { verdict, series })
    }

    fn soak(&mut self, soak: &Soak, series: &mut Looks) -> Result<()> {
        let mut before = None;
        for look in 0..LOOKS {
            thread::sleep(soak.time / LOOKS);
            let order = |child: &mut Child, order, word| {
                child.tell(order)?;
                child.hear(word).with_context(|| format!("look {look}"))
            };
            order(&mut self.crowd.child, "call roll", "well")?;
            let tail = order(&mut self.crowd.child, "say tail", "tail")?.parse()?;
            let holds = [Holds::of(self.server.id())?, Holds::of(self.crowd.child.id())?];
            if before.is_none() {
                before = Some(holds);
                continue;
            }
            series.tail.push(tail);
            for (memory, holds) in series.memory.iter_mut().zip(holds) {
                memory.push(holds.memory as u64);
            }
        }
        let Some(before) = before else { return Ok(()) };
        let processes = [self.server.id(), self.crowd.child.id()];
        let whos = ["the server", "the clients"];
        for ((who, before), process) in whos.iter().zip(before).zip(processes) {
            let after = Holds::settled(process, before)?;
            compare(&mut self.scene.ledger, who, before, after);
        }
        Ok(())
    }
}
