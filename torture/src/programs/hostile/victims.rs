//! Who is lied to: a server and a client that live from the beginning to the end, and clients that come and go.

use super::{
    door::{Door, KINDS},
    segment::Segments,
};
use crate::programs::{
    arguments::Transport,
    child::Child,
    leftovers::Holds,
    scene::{Client, Scene, compare},
};
use anyhow::{Context, Error, Result, ensure};
use fastrand::Rng;
use std::{
    io::Read,
    os::unix::net::UnixListener,
    thread,
    time::{Duration, Instant},
};

/// The number of the server that is lied to, and of the one that lies.
const HONEST: usize = 0;
const LIAR: usize = 1;
/// After so many rounds all calls must have ended, and the victims must be well.
const CHECK: usize = 20;
/// Words in a round of words; changes in a round of changes.
const WORDS: usize = 4;
const CHANGES: usize = 500;
/// Bytes that a victim may have gained by all that it was told.
const GROWTH: usize = 96 << 20;
/// How soon everything that the liars have left with a victim must be gone.
const PATIENCE: Duration = Duration::from_secs(10);

/// What was done.
#[derive(Default)]
pub(super) struct Counts {
    words: usize,
    changes: usize,
    strangers: usize,
    /// Liars whose victims had all left them.
    replaced: usize,
    grown: usize,
    /// Clients whose journals mean nothing.
    pub(super) liars: Vec<u64>,
}

impl Counts {
    pub(super) fn print(&self) {
        let Self { words, changes, strangers, replaced, grown, .. } = self;
        println!("  {words:7} words set, each to many values");
        println!("  {changes:7} words changed at random");
        println!("  {strangers:7} strangers at the door");
        println!("  {replaced:7} liars replaced, whom everybody had left");
        println!("  memory     at most {} KiB more", grown >> 10);
    }
}

/// The processes.
pub(super) struct Victims {
    scene: Scene,
    random: Rng,
    counts: Counts,
    /// The first message of an honest client.
    knock: Vec<u8>,
    server: Option<Child>,
    client: Option<Client>,
    /// One that calls the lying server, for as long as that has something to lie with.
    passing: Option<Client>,
    lying_server: Option<Child>,
    lying_client: Option<Client>,
    before: [Holds; 2],
    word: usize,
}

impl Victims {
    pub(super) fn new(transport: Transport, seed: u64) -> Result<Self> {
        let mut scene = Scene::new(transport)?;
        let knock = knock(&mut scene)?;
        let (server, lying_server) = (scene.serve(HONEST)?, scene.serve(LIAR)?);
        let client = scene.call(&[scene.address(HONEST), lies_at(&scene, LIAR)])?;
        let before = [Holds::of(server.id())?, Holds::of(client.child.id())?];
        Ok(Self {
            scene,
            random: Rng::with_seed(seed),
            counts: Counts::default(),
            knock,
            server: Some(server),
            client: Some(client),
            passing: None,
            lying_server: Some(lying_server),
            lying_client: None,
            before,
            word: 0,
        })
    }

    pub(super) fn play(&mut self, rounds: usize) -> Result<()> {
        self.go()?;
        for round in 0..rounds {
            self.round(round).with_context(|| format!("round {round}"))?;
            if (round + 1) % CHECK == 0 || round + 1 == rounds {
                self.check().with_context(|| format!("after round {round}"))?;
            }
        }
        Ok(())
    }

    fn go(&mut self) -> Result<()> {
        self.client.as_mut().context("no client")?.child.tell("let go")
    }

    fn round(&mut self, round: usize) -> Result<()> {
        let phase = round % 6;
        if phase == 5 {
            let path = self.scene.socket(&format!("server-{HONEST}"));
            let door = Door { path: &path, knock: &self.knock };
            door.knock(round / 6 % KINDS)?;
            self.counts.strangers += 1;
            return Ok(());
        }
        let segments = if matches!(phase, 1 | 3) { self.of_server()? } else { self.of_client()? };
        if matches!(phase, 2 | 3) {
            self.counts.changes += segments.flip(CHANGES, &mut self.random);
        } else {
            for _ in 0..WORDS {
                segments.word(self.word, &mut self.random);
                self.word += 1;
                self.counts.words += 1;
            }
        }
        Ok(())
    }

    /// The segments of a client that lies. Once it has none, another one takes its place.
    fn of_client(&mut self) -> Result<Segments> {
        if let Some(mut client) = self.lying_client.take() {
            let segments = (!client.child.has_ended()?).then(|| Segments::of(client.child.id()));
            if let Some(Ok(segments)) =
                segments.filter(|it| it.as_ref().is_ok_and(|it| it.count() > 0))
            {
                self.lying_client = Some(client);
                return Ok(segments);
            }
            self.counts.replaced += 1;
            self.scene.ledger.died(client.number);
        }
        let mut client = self.scene.call(&[lies_at(&self.scene, HONEST)])?;
        self.counts.liars.push(client.number);
        client.child.tell("let go")?;
        let segments = Segments::of(client.child.id());
        self.lying_client = Some(client);
        segments
    }

    /// The segments of the server that lies. Once it has none but the one for the next client, that comes.
    fn of_server(&mut self) -> Result<Segments> {
        if self.lying_server.as_mut().context("no server")?.has_ended()? {
            self.lying_server = Some(self.scene.serve(LIAR)?);
        }
        let segments = Segments::of(self.liar()?)?;
        if segments.count() > 1 {
            return Ok(segments);
        }
        self.counts.replaced += 1;
        if let Some(client) = self.passing.take() {
            self.scene.kill_client(client)?;
        }
        // What it has ready for the next client has been written into as well: another one takes its place.
        self.lying_server = None;
        self.lying_server = Some(self.scene.serve(LIAR)?);
        let addresses = [self.scene.address(HONEST), lies_at(&self.scene, LIAR)];
        let mut client = self.scene.call(&addresses)?;
        client.child.tell("let go")?;
        self.passing = Some(client);
        Segments::of(self.liar()?)
    }

    fn liar(&self) -> Result<u32> {
        Ok(self.lying_server.as_ref().context("no server")?.id())
    }

    /// All calls of the client end, the server answers, and neither has grown.
    fn check(&mut self) -> Result<()> {
        let server = self.server.as_mut().context("no server")?;
        ensure!(!server.has_ended()?, "the server has ended");
        let client = &mut self.client.as_mut().context("no client")?.child;
        for (order, answer) in [("let pause", "paused"), ("let probe", "well")] {
            client.tell(order)?;
            client.hear(answer)?;
        }
        for (before, after) in self.before.iter().zip(self.holds()?) {
            self.counts.grown = self.counts.grown.max(after.memory.saturating_sub(before.memory));
        }
        ensure!(
            self.counts.grown < GROWTH,
            "a victim has grown by {} KiB",
            self.counts.grown >> 10
        );
        self.go()
    }

    fn holds(&self) -> Result<[Holds; 2]> {
        let server = self.server.as_ref().context("no server")?;
        let client = self.client.as_ref().context("no client")?;
        Ok([Holds::of(server.id())?, Holds::of(client.child.id())?])
    }

    /// The liars go, and the victims hold what they held before they came.
    fn look(&mut self) -> Result<()> {
        for client in [self.passing.take(), self.lying_client.take()].into_iter().flatten() {
            self.scene.ledger.died(client.number);
        }
        self.lying_server = None;
        let client = &mut self.client.as_mut().context("no client")?.child;
        // Whoever is probed holds no payloads any more: those of clients that are gone keep their memory.
        for (order, answer) in [("let pause", "paused"), ("let probe", "well")] {
            client.tell(order)?;
            client.hear(answer)?;
        }
        let until = Instant::now() + PATIENCE;
        let is_more = |before: &Holds, after: &Holds| {
            after.descriptors > before.descriptors || after.mappings > before.mappings
        };
        let mut after = self.holds()?;
        while self.before.iter().zip(&after).any(|(before, after)| is_more(before, after))
            && Instant::now() < until
        {
            thread::sleep(Duration::from_millis(10));
            after = self.holds()?;
        }
        for ((who, before), after) in
            ["the server", "the client"].iter().zip(self.before).zip(after)
        {
            compare(&mut self.scene.ledger, who, before, after);
        }
        Ok(())
    }

    /// Everybody ends.
    pub(super) fn end(mut self, failed: Option<Error>) -> (Scene, Counts) {
        let looked = match failed {
            None => self.look(),
            Some(error) => Err(error),
        };
        if let Err(error) = looked {
            self.scene.ledger.object(format!("{error:#}"));
        }
        let mut all = vec![self.server.take()];
        all.push(self.client.take().map(|client| client.child));
        for child in all.into_iter().flatten().rev() {
            if let Err(error) = child.dismiss() {
                self.scene.ledger.object(format!("{error:#}"));
            }
        }
        // The liar was killed: its path would be the next one's.
        for end in ["", ".lock"] {
            let _ = std::fs::remove_file(self.scene.socket(&format!("server-{LIAR}{end}")));
        }
        (self.scene, self.counts)
    }
}

/// Where calls that mean nothing go.
fn lies_at(scene: &Scene, server: usize) -> String {
    format!("{}#target", scene.address(server))
}

/// What an honest client says first.
fn knock(scene: &mut Scene) -> Result<Vec<u8>> {
    let path = scene.socket("puppet");
    let puppet = UnixListener::bind(&path)?;
    let client = scene.begin_client(&[format!("shm://{}", path.display())])?;
    let (mut stream, _) = puppet.accept()?;
    let mut message = vec![0; 4096];
    let length = stream.read(&mut message)?;
    message.truncate(length);
    scene.kill_client(client)?;
    std::fs::remove_file(path)?;
    Ok(message)
}
