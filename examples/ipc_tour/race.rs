//! The race: two processes add to a counter that they share, with nobody to keep order; and three ways to keep it.

use super::{
    Result,
    calls::{AHEAD, serve_until_end},
    far::Far,
    system::{PosixMemory, Semaphore, SystemVMemory, Words},
    wires::wait_until,
};
use farcall::{Call, Remote, Server};
use std::{
    collections::VecDeque,
    hint,
    num::NonZero,
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::Instant,
};

/// How the counter is added to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// It is read, and written with one more: the other may do the same between.
    Unsynchronized,
    /// The processor does both at once.
    Atomic,
    /// Whoever does both has a semaphore meanwhile.
    Semaphore,
    /// The counter belongs to one process, and its method takes `&mut self`: one call at a time.
    Actor,
}

impl Manner {
    pub const ALL: [Self; 4] = [Self::Unsynchronized, Self::Atomic, Self::Semaphore, Self::Actor];

    pub fn name(self) -> &'static str {
        match self {
            Self::Unsynchronized => "a load and a store",
            Self::Atomic => "an atomic add",
            Self::Semaphore => "a semaphore, System V",
            Self::Actor => "an actor, `&mut self`",
        }
    }

    /// How often each process adds.
    fn times(self) -> u64 {
        match self {
            // Longer than a turn at the processor, if the two have only one.
            Self::Unsynchronized => 10_000_000,
            Self::Atomic => 5_000_000,
            Self::Semaphore => 20_000,
            Self::Actor => 10_000,
        }
    }
}

/// How often the race is run until something is lost: where other programs have the processors, one process may be done before the other
/// begins.
const RACES: usize = 10;

/// What came of it.
pub struct Raced {
    pub wanted: u64,
    pub counted: u64,
    /// Nanoseconds for each.
    pub took: f64,
    /// What is to be said of it, if it went as it must; otherwise why it did not.
    pub verdict: Result<String, String>,
}

/// Has this process and another one add at the same time; if nothing keeps order, until that is seen.
pub fn race(manner: Manner) -> Result<Raced> {
    let wanted = 2 * manner.times();
    let mut races = 0;
    loop {
        races += 1;
        let (counted, took) = match manner {
            Manner::Actor => of_an_actor()?,
            _ => in_memory(manner)?,
        };
        let is_over = manner != Manner::Unsynchronized || counted != wanted || races == RACES;
        if is_over {
            let (took, verdict) = (took / wanted as f64, verdict(manner, counted != wanted, races));
            return Ok(Raced { wanted, counted, took, verdict });
        }
    }
}

/// Where nothing keeps order something must be lost, or the race was not shown; two that have one processor may take turns, though.
fn verdict(manner: Manner, is_lost: bool, races: usize) -> Result<String, String> {
    let processors = thread::available_parallelism().map_or(1, NonZero::get);
    match (manner, is_lost) {
        (Manner::Unsynchronized, true) if races > 1 => Ok(format!("  in race {races}")),
        (Manner::Unsynchronized, false) if processors == 1 => {
            Ok("  one processor: they took turns".to_owned())
        }
        (Manner::Unsynchronized, false) => {
            Err(format!("  FAILED: nothing lost in {races} races on {processors} processors"))
        }
        (Manner::Unsynchronized, true) | (_, false) => Ok(String::new()),
        (_, true) => Err("  FAILED: nothing may be lost".to_owned()),
    }
}

/// The counter, and how many have come to the start: each in a cache line of its own.
const WORDS: usize = 16;
const STARTED: usize = 8;

/// The memory of either kind: whichever the system offers.
enum Memory {
    Posix(PosixMemory),
    SystemV(SystemVMemory),
}

fn in_memory(manner: Manner) -> Result<(u64, f64)> {
    let name = format!("/ipc-tour-race-{}", std::process::id());
    let (memory, words) = match PosixMemory::create(&name, WORDS) {
        Ok((memory, words)) => (Memory::Posix(memory), words),
        Err(_) => {
            let (memory, words) = SystemVMemory::create(WORDS)?;
            (Memory::SystemV(memory), words)
        }
    };
    let place = match &memory {
        Memory::Posix(memory) => memory.0.clone(),
        Memory::SystemV(memory) => memory.0.to_string(),
    };
    let semaphore = (manner == Manner::Semaphore).then(Semaphore::create).transpose()?;
    let number = semaphore.as_ref().map(|semaphore| semaphore.id.to_string());
    let far = Far::start(&["race", manner.name(), &place, &number.unwrap_or_default()])?;
    let begun = add(manner, words, semaphore.as_ref())?;
    far.end()?;
    Ok((words[0].load(Ordering::Acquire), begun.elapsed().as_nanos() as f64))
}

/// The other process.
pub fn join(manner: &str, place: &str, semaphore: &str) -> Result<()> {
    let manner = Manner::ALL.into_iter().find(|one| one.name() == manner).ok_or("which race?")?;
    let words = match place.parse() {
        Ok(number) => SystemVMemory::open(number, WORDS)?,
        Err(_) => PosixMemory::open(place, WORDS)?,
    };
    let semaphore = semaphore.parse().ok().map(Semaphore::open);
    add(manner, words, semaphore.as_ref()).map(drop)
}

/// Adds, from when both are there.
fn add(manner: Manner, words: Words, semaphore: Option<&Semaphore>) -> Result<Instant> {
    let counter = &words[0];
    words[STARTED].fetch_add(1, Ordering::AcqRel);
    wait_until(|| words[STARTED].load(Ordering::Acquire) == 2);
    let begun = Instant::now();
    for _ in 0..manner.times() {
        match manner {
            Manner::Unsynchronized => add_apart(counter),
            Manner::Semaphore => {
                let semaphore = semaphore.ok_or("there is no semaphore")?;
                semaphore.down()?;
                add_apart(counter);
                semaphore.up()?;
            }
            Manner::Atomic | Manner::Actor => {
                counter.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
    Ok(begun)
}

/// Two steps, with room between them: on some processors one instruction would do, which is not atomic either.
fn add_apart(counter: &AtomicU64) {
    let read = hint::black_box(counter.load(Ordering::Relaxed));
    counter.store(read + 1, Ordering::Relaxed);
}

#[farcall::remote]
trait Counter {
    async fn add(&mut self) -> farcall::Result<u64>;
}

struct Count(u64);

impl Counter for Count {
    async fn add(&mut self) -> farcall::Result<u64> {
        add_one(&mut self.0);
        Ok(self.0)
    }
}

/// As if nobody else were there: nobody is.
fn add_one(count: &mut u64) {
    *count += 1;
}

fn of_an_actor() -> Result<(u64, f64)> {
    let folder = tempfile::tempdir()?;
    let place = format!("shm://{}", folder.path().join("counter").display());
    let mut host = Far::start(&["actor", &place])?;
    let address = host.place()?;
    let mut counter = farcall::connect::<dyn Counter>(&address).wait()?;
    let begun = Instant::now();
    let other = Far::start(&["adder", &address])?;
    add_far(&mut counter)?;
    other.end()?;
    let took = begun.elapsed().as_nanos() as f64;
    let counted = counter.add().wait()? - 1;
    drop(counter);
    host.end()?;
    Ok((counted, took))
}

/// The process that has the counter.
pub fn act(place: &str) -> Result<()> {
    let counter = Remote::<dyn Counter>::new(Count(0));
    serve_until_end(Server::new().export("counter", counter).listen(place))
}

/// One more process that adds.
pub fn add_to(address: &str) -> Result<()> {
    add_far(&mut farcall::connect::<dyn Counter>(address).wait()?)
}

fn add_far(counter: &mut Remote<dyn Counter>) -> Result<()> {
    let mut under_way: VecDeque<Call<u64>> = VecDeque::new();
    for _ in 0..Manner::Actor.times() {
        if under_way.len() == AHEAD
            && let Some(oldest) = under_way.pop_front()
        {
            oldest.wait()?;
        }
        under_way.push_back(counter.add());
    }
    under_way.into_iter().try_for_each(|added| added.wait().map(drop))?;
    Ok(())
}
