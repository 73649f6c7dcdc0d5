//! Payloads that say themselves what they must be, and those that a process holds for a while, whatever happens to whom they come from.

use farcall::{Loan, Payload};
use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Bytes of a payload that no frame holds: it must find shared memory.
pub(crate) const LARGE: usize = 20 << 20;
/// Payloads that are held at a time.
const HELD: usize = 3;
/// Bytes at the beginning, which say what the others are.
const STAMP: usize = 8;
/// Bytes that are looked at together.
const PIECE: usize = 8 << 10;

/// Fills a loan with what `number` stands for.
pub(crate) fn stamped(mut loan: Loan, number: u64) -> Payload {
    loan.fill(byte(number));
    if let Some(stamp) = loan.get_mut(..STAMP) {
        stamp.copy_from_slice(&number.to_le_bytes());
    }
    loan.into()
}

/// Whether a payload is what its beginning says.
pub(crate) fn is_intact(payload: &Payload) -> bool {
    let mut stamp = [0; STAMP];
    if payload.copy_to(0, &mut stamp) < STAMP {
        return false;
    }
    let want = [byte(u64::from_le_bytes(stamp)); PIECE];
    let mut bytes = vec![0; PIECE];
    let starts = (STAMP..payload.len()).step_by(PIECE);
    starts.into_iter().all(|start| {
        let length = payload.copy_to(start, &mut bytes);
        bytes.get(..length) == want.get(..length)
    })
}

fn byte(number: u64) -> u8 {
    (number % 251) as u8
}

/// Payloads that somebody holds.
pub(crate) struct Shelf {
    held: Mutex<VecDeque<Payload>>,
    most: usize,
}

impl Shelf {
    /// With room for some.
    pub(crate) fn new() -> Self {
        Self { held: Mutex::default(), most: HELD }
    }

    /// With room for none.
    pub(crate) fn full() -> Self {
        Self { held: Mutex::default(), most: 0 }
    }

    /// Holds a payload, and no more those that were here longest. A large one is not held, and nothing is after it: so whoever sends one to a
    /// shelf clears it. False if one of them is not what it was.
    pub(crate) fn put(&self, payload: Payload) -> bool {
        if payload.len() >= LARGE {
            return is_intact(&payload) && self.clear();
        }
        let mut held = self.lock();
        held.push_back(payload);
        let gone = if held.len() > self.most { held.pop_front() } else { None };
        drop(held);
        gone.is_none_or(|gone| is_intact(&gone))
    }

    /// One of them, which stays here.
    pub(crate) fn any(&self) -> Option<Payload> {
        self.lock().front().cloned()
    }

    /// Holds nothing any more. False if one of them is not what it was.
    pub(crate) fn clear(&self) -> bool {
        let held = std::mem::take(&mut *self.lock());
        held.iter().all(is_intact)
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Payload>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
