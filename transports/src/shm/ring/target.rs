//! What a fuzzer does to a ring: its two ends do what the bytes say, and either segment may be written by somebody who lies. Nothing
//! is read or written out of bounds, an end errs only if the other one has lied, and what honest ends pass on is whole and in order.

use super::{heap::Heap, record::committed, *};
use std::collections::VecDeque;

/// Takes the first three bytes for the ring and the rest for steps, one or more bytes each.
pub(crate) fn run(bytes: &[u8]) {
    let [size, start, lies, steps @ ..] = bytes else { return };
    let mut both = Both::new(*size, *start, *lies);
    let mut steps = Steps(steps);
    while let Some(step) = steps.next() {
        match step % 10 {
            0..=2 => both.push(steps.word(), steps.byte()),
            3..=5 => both.take(),
            6 => both.look(step, steps.byte()),
            7 => both.sleep(step / 10),
            8 => both.forge_record(steps.byte(), steps.word()),
            _ => both.forge_head(steps.byte(), steps.word()),
        }
    }
    both.finish();
}

/// The bytes that are left; zeros after the last.
struct Steps<'a>(&'a [u8]);

impl Steps<'_> {
    fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn byte(&mut self) -> u8 {
        self.next().unwrap_or(0)
    }

    fn word(&mut self) -> u16 {
        u16::from_le_bytes([self.byte(), self.byte()])
    }
}

/// A record on its way.
struct Sent {
    descriptors: Vec<u8>,
    bytes: Vec<u8>,
    rest: u32,
}

/// Both ends, and what each of them knows.
struct Both {
    geometry: Geometry,
    sender: Heap,
    receiver: Heap,
    producer: Producer<Heap, Heap>,
    consumer: Consumer<Heap, Heap>,
    coming: VecDeque<Sent>,
    count: usize,
    lots: [Lot; 2],
    ringer: Ringer,
    /// Who sleeps and was not rung for yet.
    asleep: [bool; 2],
    /// The sender's segment may be forged, and the receiver's.
    may_lie: [bool; 2],
    /// They were.
    lied: [bool; 2],
    /// The producer has found out, and the consumer.
    over: [bool; 2],
}

impl Both {
    fn new(size: u8, start: u8, lies: u8) -> Self {
        let granules = [4, 8, 16, 64][usize::from(size % 4)];
        let first = [granules, granules / 2][usize::from(size / 4 % 2)];
        let soft = [granules, granules / 4, 1][usize::from(size / 8 % 3)];
        let geometry = Geometry { first, ..Geometry::small(granules, soft) };
        // The positions count on for ever: their highest bit, and their end, are as good as any other.
        let start = [0, (1 << 31) - 9, u32::MAX - 9][usize::from(start % 3)];
        let (sender, receiver) = (Heap::new(&geometry), Heap::new(&geometry));
        receiver.store(geometry.head, start);
        Self {
            producer: Producer::new(sender.clone(), receiver.clone(), geometry).at(start),
            consumer: Consumer::new(receiver.clone(), sender.clone(), geometry).at(start),
            lots: [Sleeper::Task, Sleeper::Thread].map(|who| Lot::for_arrivals(&geometry, who)),
            ringer: Ringer::for_arrivals(&geometry),
            asleep: [false; 2],
            coming: VecDeque::new(),
            count: 0,
            may_lie: [lies & 1 == 1, lies & 2 == 2],
            lied: [false; 2],
            over: [false; 2],
            geometry,
            sender,
            receiver,
        }
    }

    fn push(&mut self, length: u16, rest: u8) {
        let most = self.geometry.record;
        let beside = usize::from(rest % 4).min((most - 1) / DESCRIPTOR);
        let length = 1 + usize::from(length) % (most - beside * DESCRIPTOR);
        let sent = self.frame(length, beside, u32::from(rest));
        if self.coming.is_empty() && !self.has_lied() {
            self.push_into_empty(sent);
        } else {
            self.publish(sent);
        }
    }

    /// An honest ring from which everything was taken has room, as soon as the consumer has looked once more: there may be a wrap.
    fn push_into_empty(&mut self, sent: Sent) {
        self.take();
        self.consumer.tell();
        let again =
            Sent { descriptors: sent.descriptors.clone(), bytes: sent.bytes.clone(), ..sent };
        if self.publish(sent) == Some(false) {
            self.take();
            self.consumer.tell();
            assert_eq!(self.publish(again), Some(true), "empty, and no room");
        }
    }

    /// One that differs from all before.
    fn frame(&mut self, length: usize, beside: usize, rest: u32) -> Sent {
        self.count += 1;
        let byte = |n: usize| (n * 7 + self.count * 31) as u8;
        let descriptors = (0..beside * DESCRIPTOR).map(|n| byte(n + 100)).collect();
        Sent { descriptors, bytes: (0..length).map(byte).collect(), rest }
    }

    /// Whether there was room. None if the producer has found the consumer out.
    fn publish(&mut self, sent: Sent) -> Option<bool> {
        while !self.over[0] {
            let beside = sent.descriptors.len() / DESCRIPTOR;
            let (near, far) = sent.bytes.split_at(sent.bytes.len() / 2);
            let parts = [&sent.descriptors[..], near, far].into_iter();
            let pushed = self.producer.push_with(beside, parts, sent.rest);
            match self.of_producer(pushed)? {
                Room::Short => self.producer.grow(),
                Room::Full => return Some(false),
                Room::Yes => {
                    self.coming.push_back(sent);
                    return Some(true);
                }
            }
        }
        None
    }

    fn take(&mut self) {
        if self.over[1] {
            return;
        }
        let found = match self.consumer.find() {
            Ok(found) => found,
            Err(error) => {
                assert!(self.has_lied(), "{error}");
                assert_eq!(error.kind(), io::ErrorKind::InvalidData);
                self.over[1] = true;
                return;
            }
        };
        let Some(found) = found else {
            assert!(self.has_lied() || self.coming.is_empty(), "what was published is not found");
            return;
        };
        let mut descriptors = Vec::new();
        for number in 0..found.beside {
            let (block, length) = self.consumer.descriptor(number);
            descriptors.extend([block, length].map(u32::to_le_bytes).concat());
        }
        let mut bytes = Vec::new();
        self.consumer.take(found, &mut bytes);
        assert_eq!(bytes.len(), found.length);
        let sent = self.coming.pop_front();
        if !self.has_lied() {
            let sent = sent.expect("nothing is found twice");
            assert!(sent.bytes == bytes && sent.descriptors == descriptors, "whole, and in order");
            assert_eq!(sent.rest as usize, found.rest);
        }
    }

    /// What changes nothing that is on its way.
    fn look(&mut self, step: u8, length: u8) {
        match step / 10 % 5 {
            0 => drop(self.consumer.tell()),
            1 => self.consumer.show(),
            2 if !self.over[0] => {
                let drained = self.producer.is_drained();
                let drained = self.of_producer(drained) == Some(true);
                assert!(!drained || self.has_lied() || self.coming.is_empty());
            }
            3 if !self.over[0] => {
                let length = 1 + usize::from(length) % self.geometry.record;
                let room = self.producer.has_room(length);
                // What gets memory only now may be full all the same.
                let whole = self.geometry.first == self.geometry.granules;
                if self.of_producer(room) == Some(true) && whole {
                    let sent = self.frame(length, 0, 0);
                    assert_ne!(self.publish(sent), Some(false), "there was room");
                }
            }
            _ => assert!((1..=self.geometry.record).contains(&self.producer.piece())),
        }
    }

    fn sleep(&mut self, step: u8) {
        let who = usize::from(step % 2);
        match step / 2 % 4 {
            0 | 1 => {
                self.lots[who].park(&self.receiver);
                self.asleep[who] = true;
            }
            2 => {
                self.lots[who].leave(&self.receiver);
                self.asleep[who] = false;
            }
            _ => {
                let due = self.ringer.due(&self.receiver);
                let want = std::mem::take(&mut self.asleep);
                assert!(self.lied[1] || [due.task, due.thread] == want, "{due:?}, not {want:?}");
            }
        }
    }

    /// The sender's segment says something else: near the next record, or anywhere.
    fn forge_record(&mut self, at: u8, value: u16) {
        if self.may_lie[0] {
            let next = self.consumer.next();
            let offset =
                if at < 128 { next + usize::from(at % 8) * 4 } else { usize::from(at) * 4 };
            let value = self.forged(value);
            self.sender.store(offset % self.geometry.length(), value);
            self.lied[0] = true;
        }
    }

    /// The receiver's segment says something else: how far it is, or anything.
    fn forge_head(&mut self, at: u8, value: u16) {
        if self.may_lie[1] {
            let offset = if at < 128 { self.geometry.head } else { usize::from(at) * 4 };
            let value = self.forged(value);
            self.receiver.store(offset % self.geometry.length(), value);
            self.lied[1] = true;
        }
    }

    /// Something small, something near to a position, or anything.
    fn forged(&self, value: u16) -> u32 {
        let (kind, number) = (value % 5, u32::from(value / 5));
        let head = self.receiver.load(self.geometry.head);
        match kind {
            0 => number,
            1 => head.wrapping_add(number % 128).wrapping_sub(64),
            2 => committed(head.wrapping_add(number % 128)),
            3 => number.wrapping_mul(0x9e37_79b9),
            _ => (number % 80) * 256 + number % 3,
        }
    }

    fn has_lied(&self) -> bool {
        self.lied != [false; 2]
    }

    /// What the producer says; it errs only if one was forged: a consumer that was deceived says what is not so.
    fn of_producer<T>(&mut self, said: io::Result<T>) -> Option<T> {
        if let Err(error) = &said {
            assert!(self.has_lied(), "{error}");
            assert_eq!(error.kind(), io::ErrorKind::InvalidData);
            self.over[0] = true;
        }
        said.ok()
    }

    /// Of an honest ring everything comes out, and then there is room for the largest record.
    fn finish(&mut self) {
        if self.has_lied() {
            return;
        }
        while !self.coming.is_empty() {
            self.take();
        }
        let sent = self.frame(self.geometry.record, 0, 0);
        self.push_into_empty(sent);
        self.take();
        assert!(self.coming.is_empty());
    }
}
