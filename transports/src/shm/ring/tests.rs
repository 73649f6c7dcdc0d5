//! The ring on the heap: what goes in comes out, nothing is written over, and a peer that lies is found out.

use super::{heap::Heap, *};
use std::{
    io::ErrorKind,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    thread,
};

/// Both ends of a ring, each with the segments of sender and receiver.
fn ends(geometry: Geometry) -> (Producer<Heap, Heap>, Consumer<Heap, Heap>, Heap, Heap) {
    let (sender, receiver) = (Heap::new(&geometry), Heap::new(&geometry));
    let producer = Producer::new(sender.clone(), receiver.clone(), geometry);
    let consumer = Consumer::new(receiver.clone(), sender.clone(), geometry);
    (producer, consumer, sender, receiver)
}

fn bytes(seed: usize, length: usize) -> Vec<u8> {
    (0..length).map(|n| (n * 7 + seed * 31 + 1) as u8).collect()
}

fn take(consumer: &mut Consumer<Heap, Heap>) -> Option<Vec<u8>> {
    let found = consumer.find().expect("an honest producer")?;
    let mut bytes = Vec::new();
    consumer.take(found, &mut bytes);
    Some(bytes)
}

#[test]
fn records_come_out_as_they_went_in_whatever_their_size_and_the_ring_s() {
    let rounds = if cfg!(miri) { 20 } else { 5000 };
    let rings = [(4, 4), (8, 2), (8, 8), (64, 16), (64, 64)];
    let rings = if cfg!(miri) { &rings[..2] } else { &rings[..] };
    for &(granules, soft) in rings {
        let geometry = Geometry::small(granules, soft);
        let (mut producer, mut consumer, ..) = ends(geometry);
        let (mut sent, mut received) = (0, 0);
        let length = |n: usize| 1 + (n * 7919) % geometry.record();
        for round in 0..rounds {
            // A different number goes in and comes out each time.
            for _ in 0..round % 5 {
                let frame = bytes(sent, length(sent));
                let (left, right) = frame.split_at(sent % (frame.len() + 1));
                match producer.push([left, right].into_iter(), 0).expect("an honest consumer") {
                    Room::Yes => sent += 1,
                    Room::Full => break,
                    Room::Short => panic!("all of it has memory"),
                }
            }
            for _ in 0..round % 4 {
                let Some(found) = take(&mut consumer) else {
                    consumer.tell();
                    break;
                };
                assert_eq!(found, bytes(received, length(received)), "{granules}: {received}");
                received += 1;
            }
        }
        assert!(sent > rounds / 4 && received > rounds / 4, "{granules}: {sent}, {received}");
    }
}

#[test]
fn a_full_ring_takes_more_only_when_it_is_told_to() {
    let (mut producer, mut consumer, ..) = ends(Geometry::small(8, 8));
    let frame = bytes(1, 40);
    let mut count = 0;
    while producer.push([&frame[..]].into_iter(), 0).expect("honest") == Room::Yes {
        count += 1;
    }
    assert_eq!(count, 7, "one granule is the header of the next record");
    assert!(!producer.has_room(40).expect("honest"));
    assert_eq!(take(&mut consumer), Some(frame.clone()));
    assert!(producer.has_room(40).expect("it told by itself: an eighth is free"));
    assert!(!producer.is_drained().expect("honest"));
    while take(&mut consumer).is_some() {}
    assert!(!consumer.tell(), "each of them was an eighth");
    assert!(producer.is_drained().expect("honest"));
}

#[test]
fn a_ring_that_is_kept_empty_stays_at_its_beginning() {
    let geometry = Geometry::small(64, 4);
    let (mut producer, mut consumer, sender, _) = ends(geometry);
    let rounds = if cfg!(miri) { 100 } else { 1000 };
    for round in 0..rounds {
        let frame = bytes(round, 1 + round % 100);
        producer.push([&frame[..]].into_iter(), 0).expect("honest");
        assert_eq!(take(&mut consumer), Some(frame));
        consumer.tell();
    }
    let used = (0..geometry.length()).step_by(4).filter(|at| sender.load(*at) != 0).max();
    assert!(used < Some(64 + 8 * GRANULE), "{used:?}");
}

/// A segment of which only a part gets memory.
#[derive(Clone)]
struct Scarce(Heap, usize);

impl Readable for Scarce {
    fn load(&self, offset: usize) -> u32 {
        self.0.load(offset)
    }

    fn read(&self, offset: usize, length: usize, bytes: &mut Vec<u8>) {
        self.0.read(offset, length, bytes);
    }
}

impl Writable for Scarce {
    fn store(&self, offset: usize, value: u32) {
        assert!(offset + 4 <= self.1, "there is no memory at {offset}");
        self.0.store(offset, value);
    }

    fn publish(&self, offset: usize, value: u32) {
        self.store(offset, value);
    }

    fn write(&self, offset: usize, bytes: &[u8]) {
        assert!(offset + bytes.len() <= self.1, "there is no memory at {offset}");
        self.0.write(offset, bytes);
    }

    fn commit(&self, length: usize) -> bool {
        length <= self.1
    }
}

#[test]
fn a_ring_without_memory_for_all_of_it_uses_what_it_has() {
    let geometry = Geometry { first: 16, record: 400, ..Geometry::small(64, 64) };
    let limit = geometry.end_of(32);
    let (sender, receiver) = (Heap::new(&geometry), Heap::new(&geometry));
    let mut producer = Producer::new(Scarce(sender.clone(), limit), receiver.clone(), geometry);
    let mut consumer = Consumer::new(receiver, sender, geometry);
    let (mut grown, mut received) = (0, 0);
    let rounds = if cfg!(miri) { 50 } else { 500 };
    for round in 0..rounds {
        let frame = bytes(round, 1 + (round * 37) % 400);
        loop {
            match producer.push([&frame[..]].into_iter(), 0).expect("honest") {
                Room::Yes => break,
                Room::Short => {
                    grown += 1;
                    producer.grow();
                }
                Room::Full => {
                    let found = take(&mut consumer).expect("full of records");
                    assert_eq!(found, bytes(received, 1 + (received * 37) % 400));
                    received += 1;
                    consumer.tell();
                }
            }
        }
    }
    assert_eq!(grown, 2, "once with success and once without");
    assert!(received > rounds / 2, "{received}");
}

/// Writes words into the sender's segment where the first record would be, and returns what the consumer says.
fn forged(words: [u32; 4], at: u32) -> io::Result<Option<Found>> {
    let geometry = Geometry::small(8, 8);
    let (mut producer, mut consumer, sender, _) = ends(geometry);
    for _ in 0..at {
        producer.push([&b"honest"[..]].into_iter(), 0).expect("honest");
        take(&mut consumer);
    }
    for (number, word) in words.into_iter().enumerate() {
        sender.store(64 + at as usize * GRANULE + number * 4, word);
    }
    consumer.find()
}

#[test]
fn a_record_that_breaks_the_rules_is_an_error() {
    const THERE: u32 = 0x8000_0000;
    let record = Some(Found { length: 240, rest: 7, beside: 0 });
    assert_eq!(forged([THERE, 240, 1, 7], 0).expect("as it should be"), record);
    let record = Some(Found { length: 240 - 16, rest: 7, beside: 2 });
    assert_eq!(forged([THERE, 240 - 16, 0x201, 7], 0).expect("as it should be"), record);
    assert_eq!(forged([0, 240, 1, 7], 0).expect("not there yet"), None);
    for (words, at, text) in [
        ([1, 4, 1, 0], 0, "not where it says"),
        ([THERE + 1, 4, 1, 0], 0, "not where it says"),
        ([THERE, 0, 1, 0], 0, "impossible length"),
        ([THERE, 241, 1, 0], 0, "impossible length"),
        ([THERE, u32::MAX, 1, 0], 0, "impossible length"),
        ([THERE + 5, 240, 1, 0], 5, "beyond the ring"),
        ([THERE, 4, 0, 0], 0, "unknown kind"),
        ([THERE, 4, 3, 0], 0, "unknown kind"),
        ([THERE, 4, 0x103, 0], 0, "unknown kind"),
        ([THERE, 241 - 64, 0x801, 0], 0, "impossible length"),
        ([THERE, 4, 65 * 256 + 1, 0], 0, "too many descriptors"),
        ([THERE, 4, u32::MAX - 254, 0], 0, "too many descriptors"),
        ([THERE + 5, 240 - 8, 0x101, 0], 5, "beyond the ring"),
        ([THERE, 0, 2, 0], 0, "not used"),
        ([THERE + 1, 0, 0x102, 0], 1, "not used"),
        ([THERE + 1, 1, 2, 0], 1, "not used"),
    ] {
        let error = forged(words, at).expect_err(text);
        assert_eq!(error.kind(), ErrorKind::InvalidData);
        assert!(error.to_string().contains(text), "{words:?}: {error}");
    }
}

#[test]
fn a_consumer_that_lies_about_its_head_is_found_out() {
    for (head, lies) in [(0, false), (1, false), (2, true), (u32::MAX, true), (1 << 31, true)] {
        let geometry = Geometry::small(8, 8);
        let (mut producer, _, _, receiver) = ends(geometry);
        producer.push([&b"one granule"[..]].into_iter(), 0).expect("honest");
        receiver.store(8, head);
        assert_eq!(producer.is_drained().is_err(), lies, "{head}");
    }
}

/// A thread writes what it likes, wherever it likes, while both ends work.
#[test]
fn a_hostile_thread_causes_errors_and_nothing_else() {
    let rounds = if cfg!(miri) { 3 } else { 300 };
    for seed in 0..rounds {
        let geometry = Geometry::small(16, 4);
        let (mut producer, mut consumer, sender, receiver) = ends(geometry);
        let over = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                let mut random = 0x9e37_79b9_u32 ^ seed;
                while !over.load(Relaxed) {
                    random ^= random << 13;
                    random ^= random >> 17;
                    random ^= random << 5;
                    let at = (random as usize / 8 * 4) % geometry.length();
                    let position = (random >> 8) % 64;
                    let value = [random, 0, position, 0x8000_0000 | position][seed as usize % 4];
                    sender.store(at, value);
                    receiver.store(at % 64, value);
                    thread::yield_now();
                }
            });
            let mut taken = Vec::new();
            for round in 0..200 {
                let pushed = producer.push([&bytes(round, 1 + round)[..]].into_iter(), 0);
                let found = consumer.find();
                if let Ok(Some(found)) = found {
                    taken.clear();
                    consumer.take(found, &mut taken);
                    assert_eq!(taken.len(), found.length);
                }
                for error in [pushed.err(), found.err()].into_iter().flatten() {
                    assert_eq!(error.kind(), ErrorKind::InvalidData);
                }
            }
            over.store(true, Relaxed);
        });
    }
}

#[test]
fn whoever_sleeps_is_rung_for_once_and_nobody_else() {
    let geometry = Geometry::small(4, 4);
    let heap = Heap::new(&geometry);
    let due = |ringer: &mut Ringer| {
        let due = ringer.due(&heap);
        (due.task, due.thread)
    };
    for sleeper in [Sleeper::Task, Sleeper::Thread] {
        let rung = (sleeper == Sleeper::Task, sleeper == Sleeper::Thread);
        for (mut lot, mut ringer) in [
            (Lot::for_arrivals(&geometry, sleeper), Ringer::for_arrivals(&geometry)),
            (Lot::for_space(&geometry, sleeper), Ringer::for_space(&geometry)),
        ] {
            assert_eq!(due(&mut ringer), (false, false), "awake");
            for _ in 0..3 {
                lot.park(&heap);
                assert_eq!(due(&mut ringer), rung);
                assert_eq!(due(&mut ringer), (false, false), "once");
            }
            lot.leave(&heap);
            lot.leave(&heap);
            assert_eq!(due(&mut ringer), (false, false), "awake again");
        }
    }
}
