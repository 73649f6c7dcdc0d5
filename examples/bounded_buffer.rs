//! The textbook's bounded buffer, with its two semaphores and its mutex, between two processes. Items are lent, not copied: the producer
//! writes one into shared memory, and the consumer reads it there.
//!
//! `cargo run --release --example bounded_buffer` starts the producer as a second process.
#![allow(clippy::print_stdout, reason = "an example prints")]

use farcall::{Payload, Remote, Server};
use std::{
    collections::VecDeque,
    env,
    process::Command,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};
use tokio::sync::Semaphore;

/// Items that the buffer has room for.
const SLOTS: usize = 8;
/// Items that pass through it.
const ITEMS: usize = 400;
/// Bytes of an item.
const SIZE: usize = 16 << 10;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// What the producer sees.
#[farcall::remote]
trait Buffer {
    /// Waits while the buffer is full.
    async fn put(&self, item: Payload) -> farcall::Result<()>;
}

/// Semaphores that count the slots and the items, and a mutex around the queue.
struct Bounded {
    empty: Semaphore,
    full: Semaphore,
    items: Mutex<VecDeque<Payload>>,
    waited_on_full: AtomicUsize,
    waited_on_empty: AtomicUsize,
}

impl Bounded {
    fn new(slots: usize) -> Self {
        Self {
            empty: Semaphore::new(slots),
            full: Semaphore::new(0),
            items: Mutex::default(),
            waited_on_full: AtomicUsize::new(0),
            waited_on_empty: AtomicUsize::new(0),
        }
    }

    /// Waits while the buffer is empty.
    async fn take(&self) -> Option<Payload> {
        down(&self.full, &self.waited_on_empty).await;
        let item = self.items.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        self.empty.add_permits(1);
        item
    }
}

impl Buffer for Bounded {
    async fn put(&self, item: Payload) -> farcall::Result<()> {
        down(&self.empty, &self.waited_on_full).await;
        self.items.lock().unwrap_or_else(PoisonError::into_inner).push_back(item);
        self.full.add_permits(1);
        Ok(())
    }
}

/// Takes one from the semaphore, and counts if it had to wait for that.
async fn down(semaphore: &Semaphore, waited: &AtomicUsize) {
    if let Ok(permit) = semaphore.try_acquire() {
        return permit.forget();
    }
    waited.fetch_add(1, Ordering::Relaxed);
    if let Ok(permit) = semaphore.acquire().await {
        permit.forget();
    }
}

/// How long the producer and the consumer take for an item: the producer is slow with the first half, the consumer with the second.
fn pace(number: usize) -> (Duration, Duration) {
    let slow = Duration::from_micros(500);
    if number < ITEMS / 2 { (slow, Duration::ZERO) } else { (Duration::ZERO, slow) }
}

fn produce(address: &str) -> farcall::Result<()> {
    let buffer = farcall::connect::<dyn Buffer>(address).wait()?;
    for number in 0..ITEMS {
        thread::sleep(pace(number).0);
        let mut item = buffer.loan(SIZE);
        item.fill(number as u8);
        buffer.put(item.into()).wait()?;
    }
    Ok(())
}

/// Takes all items, and counts the bytes that are not what was written.
async fn consume(buffer: &Bounded) -> Option<usize> {
    let (mut wrong, mut before) = (0, (0, 0));
    println!("{:<20}{:>16}{:>18}", "", "waited on full", "waited on empty");
    for number in 0..ITEMS {
        let item = buffer.take().await?;
        if !pace(number).1.is_zero() {
            tokio::time::sleep(pace(number).1).await;
        }
        item.for_each_chunk(|bytes| {
            wrong += bytes.iter().filter(|byte| **byte != number as u8).count();
        });
        if (number + 1) % (ITEMS / 2) == 0 {
            let full = buffer.waited_on_full.load(Ordering::Relaxed);
            let empty = buffer.waited_on_empty.load(Ordering::Relaxed);
            let slow = if number < ITEMS / 2 { "a slow producer" } else { "a slow consumer" };
            println!("{slow:<20}{:>16}{:>18}", full - before.0, empty - before.1);
            before = (full, empty);
        }
    }
    Some(wrong)
}

#[tokio::main]
async fn main() -> Result<()> {
    if let [_, role, address] = &env::args().collect::<Vec<_>>()[..]
        && role == "produce"
    {
        let address = address.clone();
        return Ok(tokio::task::spawn_blocking(move || produce(&address)).await??);
    }
    let buffer = Arc::new(Bounded::new(SLOTS));
    let remote = Remote::<dyn Buffer>::from_arc(Arc::clone(&buffer));
    let name = format!("buffer-{}", std::process::id());
    let running = Server::new().export("buffer", remote).listen(&name).start().await?;
    let address = &running.addresses()[0];
    let mut producer = Command::new(env::current_exe()?).args(["produce", address]).spawn()?;
    let wrong = consume(&buffer).await.ok_or("an item was counted and not there")?;
    let ended = tokio::task::spawn_blocking(move || producer.wait()).await??;
    println!("{ITEMS} items of {} KiB through {SLOTS} slots, {wrong} bytes wrong", SIZE >> 10);
    running.shutdown().await;
    if wrong > 0 || !ended.success() {
        return Err("the producer failed, or what it wrote was not what was read".into());
    }
    Ok(())
}
