//! The traces of a message: the places in the memory of both processes in which its bytes are found when it has arrived. Each was filled by
//! a copy; one that is overwritten soon is missed.

use super::wires::LENGTH;
use rustix::param::page_size;
use std::{
    collections::BTreeSet,
    fs::{self, File},
    hint, io,
    ops::Range,
    os::unix::fs::FileExt,
    process,
};

/// Bytes that are looked at together: whole pages.
const PIECE: u64 = 64 << 10;
/// Bytes that are passed over together if they have nothing of the message: most have nothing at all.
const BLOCK: usize = 64;
/// The bits by which the kernel says that a page is there.
const THERE: u64 = 0b11 << 62;
/// The bytes of a message that are looked for: an allocator writes over the first ones of what it is given back.
const SOUGHT: Range<usize> = LENGTH / 2..LENGTH;

/// Sends a message like no other one: how many places it has left its bytes in, in this process and another one. None, if this process may
/// not look there.
pub fn left<E>(
    other: u32,
    send: impl FnOnce(&Vec<u8>) -> Result<(), E>,
) -> Result<Option<usize>, E> {
    let mut glass = vec![0; PIECE as usize + SOUGHT.len()];
    let message = (0..LENGTH).map(mark).collect();
    let before = places(other, &mut glass);
    send(&message)?;
    let after = places(other, &mut glass);
    Ok(before.ok().zip(after.ok()).map(|(before, after)| after.difference(&before).count()))
}

/// What that message has at a place. It is calculated, so that what is looked for is not found there.
fn mark(at: usize) -> u8 {
    hint::black_box(at as u8).wrapping_mul(73) ^ 0xC6
}

/// Where something lies: in memory that is shared, or a process's own; in which; and how far from its beginning.
type Place = (bool, u64, u64);

/// Where the message is. What is looked at is read into the glass.
fn places(other: u32, glass: &mut [u8]) -> io::Result<BTreeSet<Place>> {
    let mut places = BTreeSet::new();
    for number in [process::id(), other] {
        let memory = Memory::of(number)?;
        for line in fs::read_to_string(format!("/proc/{number}/maps"))?.lines() {
            if let Some(mapping) = Mapping::of(number, line) {
                memory.look(&mapping, glass, &mut places)?;
            }
        }
    }
    Ok(places)
}

/// The memory of a process.
struct Memory {
    bytes: File,
    pages: File,
    is_own: bool,
}

impl Memory {
    fn of(number: u32) -> io::Result<Self> {
        let open = |name| File::open(format!("/proc/{number}/{name}"));
        Ok(Self { bytes: open("mem")?, pages: open("pagemap")?, is_own: number == process::id() })
    }

    fn look(
        &self,
        mapping: &Mapping,
        glass: &mut [u8],
        places: &mut BTreeSet<Place>,
    ) -> io::Result<()> {
        let Mapping { addresses, place: (shared, owner, first) } = mapping;
        let in_glass = glass.as_ptr_range();
        let in_glass = in_glass.start.addr() as u64..in_glass.end.addr() as u64;
        for start in addresses.clone().step_by(PIECE as usize) {
            let end = addresses.end.min(start + PIECE);
            if !self.is_there(start..end)? {
                continue;
            }
            let with_next = addresses.end.min(end + SOUGHT.len() as u64 - 1);
            let piece = &mut glass[..(with_next - start) as usize];
            self.bytes.read_exact_at(piece, start)?;
            for at in found(piece).map(|at| start + at as u64) {
                if !(self.is_own && in_glass.contains(&at)) {
                    places.insert((*shared, *owner, first + at - addresses.start));
                }
            }
        }
        Ok(())
    }

    /// Whether one of these pages is there: reading the others would make them.
    fn is_there(&self, addresses: Range<u64>) -> io::Result<bool> {
        let page = page_size() as u64;
        let mut pages = vec![0; ((addresses.end - addresses.start) / page * 8) as usize];
        self.pages.read_exact_at(&mut pages, addresses.start / page * 8)?;
        Ok(pages.as_chunks().0.iter().any(|page| u64::from_ne_bytes(*page) & THERE != 0))
    }
}

fn found(piece: &[u8]) -> impl Iterator<Item = usize> {
    let first = mark(SOUGHT.start);
    let blocks = piece.chunks(BLOCK).zip((0..).step_by(BLOCK));
    let blocks = blocks.filter(move |(block, _)| block.contains(&first));
    let places = blocks.flat_map(|(block, start)| start..start + block.len());
    places.filter(|at| {
        let bytes = piece.get(*at..at + SOUGHT.len()).unwrap_or_default();
        !bytes.is_empty() && bytes.iter().zip(SOUGHT).all(|(byte, at)| *byte == mark(at))
    })
}

/// Memory that a process may write.
struct Mapping {
    addresses: Range<u64>,
    /// Where it begins.
    place: Place,
}

impl Mapping {
    fn of(number: u32, line: &str) -> Option<Self> {
        let hexadecimal = |word| u64::from_str_radix(word, 16).ok();
        let mut words = line.split_whitespace();
        let (start, end) = words.next()?.split_once('-')?;
        let addresses = hexadecimal(start)?..hexadecimal(end)?;
        let rights = words.next().filter(|rights| rights.starts_with("rw"))?;
        let (offset, inode) = (hexadecimal(words.next()?)?, words.nth(1)?.parse().ok()?);
        let place = match rights.ends_with('s') {
            true => (true, inode, offset),
            false => (false, number.into(), addresses.start),
        };
        Some(Self { addresses, place })
    }
}
