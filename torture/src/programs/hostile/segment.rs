//! Writing into the segments of another process.

use crate::programs::leftovers::segments;
use anyhow::Result;
use fastrand::Rng;
use std::{
    fs::File,
    os::unix::fs::FileExt,
    thread,
    time::{Duration, Instant},
};

/// The words that say who sleeps and how far somebody is: two at the beginning of each place.
const CONTROL: [u64; 8] = [0x400, 0x404, 0x480, 0x484, 0x500, 0x504, 0x580, 0x584];
/// Where records begin, and how many bytes of them are looked through for the last one.
const RECORDS: u64 = 0x1000;
const LOOKED_AT: usize = 64 << 10;
/// Bytes of a granule, on which records begin, and of a record's header.
const GRANULE: usize = 64;
const HEADER: usize = 16;
/// Words of the next records that are written in turn.
const NEXT: usize = 64;
/// What is written into each word in turn.
const VALUES: [u32; 12] = [
    0,
    1,
    2,
    3,
    0x7fff_ffff,
    0x8000_0000,
    0x8000_0001,
    u32::MAX,
    0x10_000,
    0x8000,
    0x1234_5679,
    0xffff_0001,
];
/// How long others have to look at a word.
const LOOK: Duration = Duration::from_micros(150);

/// The segments that a process owns at the moment.
pub(super) struct Segments {
    memory: File,
    ranges: Vec<(u64, u64)>,
}

impl Segments {
    /// Those of that process.
    pub(super) fn of(process: u32) -> Result<Self> {
        let memory = File::options().read(true).write(true).open(format!("/proc/{process}/mem"))?;
        Ok(Self { memory, ranges: segments(process)? })
    }

    pub(super) fn count(&self) -> usize {
        self.ranges.len()
    }

    /// Writes everything into one word, in turn: into those of control, and those of the records that are about to be written.
    pub(super) fn word(&self, number: usize, random: &mut Rng) {
        let number = number % (CONTROL.len() + NEXT);
        for value in VALUES.into_iter().chain([random.u32(..)]) {
            for (start, _) in &self.ranges {
                let word = match number.checked_sub(CONTROL.len()) {
                    None => CONTROL[number],
                    Some(number) => self.next_record(*start) + 4 * number as u64,
                };
                self.write(start + word, value);
            }
            let until = Instant::now() + LOOK;
            while Instant::now() < until {
                thread::yield_now();
            }
        }
    }

    /// Changes words at random, mostly where somebody looks: a bit, by one, to something. How many.
    pub(super) fn flip(&self, count: usize, random: &mut Rng) -> usize {
        let mut written = 0;
        for _ in 0..count {
            let (start, length) = self.ranges[random.usize(..self.ranges.len())];
            let word = match random.u8(..8) {
                0..2 => CONTROL[random.usize(..CONTROL.len())],
                2..5 => self.next_record(start) + random.u64(..HEADER as u64),
                5..7 => RECORDS + random.u64(..0x4000),
                _ => random.u64(..length),
            };
            let at = start + word / 4 * 4;
            let Some(there) = self.read(at) else { continue };
            let value = match random.u8(..4) {
                0 => there ^ 1 << random.u32(..32),
                1 => there.wrapping_add(1),
                2 => 0x8000_0000 | there >> 1,
                _ => random.u32(..),
            };
            written += usize::from(self.write(at, value));
        }
        written
    }

    /// Where the record will be that is written next, from the segment's beginning, as far as one can tell.
    fn next_record(&self, start: u64) -> u64 {
        let mut bytes = vec![0; LOOKED_AT];
        if self.memory.read_exact_at(&mut bytes, start + RECORDS).is_err() {
            return RECORDS;
        }
        let word = |record: &[u8], at| {
            u32::from_le_bytes([0_usize, 1, 2, 3].map(|byte| record[at + byte]))
        };
        let records = bytes.chunks_exact(GRANULE).enumerate();
        // Whoever is committed says where it is.
        let last = records
            .filter(|(index, record)| {
                let commit = word(record, 0);
                commit >> 31 == 1 && commit as usize % (LOOKED_AT / GRANULE) == *index
            })
            .max_by_key(|(_, record)| word(record, 0));
        let after = last.map_or(0, |(index, record)| {
            index + (HEADER + word(record, 4) as usize).div_ceil(GRANULE)
        });
        RECORDS + (after * GRANULE % LOOKED_AT) as u64
    }

    fn read(&self, at: u64) -> Option<u32> {
        let mut word = [0; 4];
        self.memory.read_exact_at(&mut word, at).ok()?;
        Some(u32::from_le_bytes(word))
    }

    /// False if the segment is gone: its peer has had enough.
    fn write(&self, at: u64, value: u32) -> bool {
        self.memory.write_all_at(&value.to_le_bytes(), at).is_ok()
    }
}
