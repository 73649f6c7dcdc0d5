//! References between two peers at random: servants are made, lent, returned, echoed, called before they are there, and let go, while
//! frames take their time. In the end both sides' tables are empty and every servant is dropped; the same where the wire is cut.
//!
//! `FARCALL_SEED=n` runs the one script that has failed.

use super::peer::{Alive, Peer};
use proptest::{
    prelude::Rng,
    test_runner::{RngAlgorithm, TestRng},
};
use std::{
    collections::BTreeMap,
    rc::Rc,
    time::{Duration, Instant},
};

const RUNS: u64 = 10_000;
const STEPS: usize = 50;

/// Two peers, the frames between them, and what chooses.
struct World {
    now: Instant,
    peers: [Peer; 2],
    chance: Chance,
    delivered: usize,
    cut_after: usize,
}

/// Numbers that follow from a seed.
pub(super) struct Chance(TestRng);

impl Chance {
    fn new(seed: u64) -> Self {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        bytes[8..].copy_from_slice(&(!seed).to_le_bytes());
        Self(TestRng::from_seed(RngAlgorithm::XorShift, &bytes))
    }

    pub(super) fn below(&mut self, limit: usize) -> usize {
        self.0.next_u32() as usize % limit.max(1)
    }

    /// One of them, if there is any.
    pub(super) fn index(&mut self, length: usize) -> Option<usize> {
        (length > 0).then(|| self.below(length))
    }
}

impl World {
    fn new(seed: u64, cut_after: usize, alive: &Alive) -> Self {
        let now = Instant::now();
        let peers = [Peer::new(now, alive), Peer::new(now, alive)];
        Self { now, peers, chance: Chance::new(seed), delivered: 0, cut_after }
    }

    fn is_cut(&self) -> bool {
        self.delivered >= self.cut_after
    }

    fn step(&mut self) {
        let end = self.chance.below(2);
        let (peer, chance) = (&mut self.peers[end], &mut self.chance);
        match chance.below(16) {
            0 => peer.make(),
            1 => peer.copy(chance),
            2 | 3 => peer.let_go(self.now, chance),
            4..=7 => peer.call(chance),
            8 | 9 => peer.answer(chance),
            10 | 11 => peer.take(chance),
            12 => {
                self.now += Duration::from_millis(chance.below(5) as u64);
                peer.delay = Duration::from_millis(chance.below(8) as u64);
            }
            _ => self.carry(end),
        }
        self.send();
    }

    /// Takes in, at one end, the next frame that has arrived.
    fn carry(&mut self, to: usize) {
        if self.is_cut() {
            return;
        }
        let peer = &mut self.peers[to];
        if peer.coming.front().is_some_and(|(due, _)| *due <= self.now)
            && let Some((_, frame)) = peer.coming.pop_front()
        {
            self.delivered += 1;
            peer.handle(self.now, &frame);
        }
    }

    /// What each end has written is on its way.
    fn send(&mut self) {
        for from in 0..2 {
            let frames = self.peers[from].take_frames();
            let to = &mut self.peers[1 - from];
            for frame in frames {
                let last = to.coming.back().map_or(self.now, |(due, _)| *due);
                to.coming.push_back((last.max(self.now + to.delay), frame));
            }
        }
    }

    /// Everybody finishes what was begun.
    fn finish(&mut self) {
        let mut rounds = 0;
        while !self.is_cut() && !self.peers.iter().all(Peer::is_quiet) {
            rounds += 1;
            assert!(rounds < 1000, "something is left for ever");
            self.now += Duration::from_millis(10);
            for end in 0..2 {
                for _ in 0..self.peers[end].coming.len() {
                    self.carry(end);
                }
                self.peers[end].wind_up(self.now, &mut self.chance);
            }
            self.send();
        }
    }
}

/// How often what has come.
type Seen = BTreeMap<&'static str, usize>;

/// Runs one script; how many frames were delivered.
fn run(seed: u64, cut_after: usize, seen: &mut Seen) -> usize {
    let alive = Alive::default();
    let mut world = World::new(seed, cut_after, &alive);
    world.send();
    for _ in 0..STEPS {
        world.step();
    }
    world.finish();
    if world.is_cut() {
        world.peers.iter_mut().for_each(Peer::lose);
    }
    world.peers.iter_mut().for_each(Peer::check_empty);
    assert_eq!(alive.made(), alive.dropped(), "a servant is still there, or was dropped twice");
    assert_eq!(Rc::strong_count(&alive.0), 3, "nobody but the peers and the test");
    for (what, count) in world.peers.iter().flat_map(|peer| &peer.seen) {
        *seen.entry(what).or_default() += count;
    }
    world.delivered
}

/// Says which script it was, if that fails.
struct Named(u64, usize);

impl Drop for Named {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("FARCALL_SEED={}, cut after {} frames", self.0, self.1);
        }
    }
}

fn seeds(count: u64) -> std::ops::Range<u64> {
    let asked = std::env::var("FARCALL_SEED").ok().and_then(|seed| seed.parse().ok());
    asked.map_or(0..count, |seed: u64| seed..seed + 1)
}

#[test]
fn nothing_is_left_and_every_servant_is_dropped() {
    let mut seen = Seen::new();
    for seed in seeds(RUNS) {
        let _named = Named(seed, usize::MAX);
        run(seed, usize::MAX, &mut seen);
    }
    let often = if seeds(RUNS).count() == 1 { 0 } else { 100 };
    assert!(seen.values().all(|count| *count > often), "{seen:#?}");
    assert!(often == 0 || seen.len() == 9, "some kinds never came: {seen:#?}");
}

#[test]
fn nor_where_the_wire_is_cut_after_any_frame() {
    for seed in seeds(100) {
        let frames = run(seed, usize::MAX, &mut Seen::new());
        for cut_after in 0..frames {
            let _named = Named(seed, cut_after);
            run(seed, cut_after, &mut Seen::new());
        }
    }
}
