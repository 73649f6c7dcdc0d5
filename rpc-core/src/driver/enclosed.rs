//! The payloads of a call or an answer on their way: each beside the frame where the wire carries it, else at the frame's end.

use super::Link;
use crate::{
    buffer::Buffer,
    error::{Error, ErrorKind},
    frame::{Entry, MOST_PAYLOADS, MOST_REFERENCES, Place, Table},
    payload::{Loan, Payload},
    stub::{Parcel, Passed},
    tail::Tail,
    transport::{Purpose, Tx},
};
use std::sync::Arc;

/// Bytes from which a payload is copied into memory of the wire, if it is not there yet. Copying a smaller one into the frame is cheaper.
const WORTH_A_BLOCK: usize = 16 << 10;
/// Bytes from which a payload that finds no memory of the wire is put into the frame only when that goes out: until then there may be some.
const LARGE: usize = 1 << 20;
/// Bytes from which a payload becomes a buffer of its own within the frame.
const BULK: usize = 32 << 10;

/// What a frame that is to be sent encloses, if it is anything: most calls carry this around for nothing.
pub(crate) type Enclosing = Option<Box<Enclosed>>;

/// The payloads of a frame that is to be sent, in the order of their indices.
#[derive(Debug)]
pub(crate) struct Enclosed {
    entries: Vec<Enclosure>,
    /// The values, if they are beside the frame too.
    values: Option<Payload>,
    /// The references, which become descriptors when the frame goes out.
    pub(crate) passed: Vec<Passed>,
}

/// Writes the table that the peer reads to `out`, and gives it back as it is read.
#[inline]
pub(super) fn table<'a>(enclosed: &Enclosing, out: &'a mut Vec<u8>) -> Table<'a> {
    match enclosed {
        None => Table::default(),
        Some(enclosed) => {
            out.clear();
            enclosed.encode_table(out)
        }
    }
}

#[derive(Debug)]
enum Enclosure {
    Beside(Payload),
    /// So many bytes at the frame's end.
    Inline(usize),
    /// It was the peer's own memory, and was given back to it.
    Gone,
}

/// The values of a frame that is to be sent: in memory of a wire, or the bytes of the head, then those of the tail. What is inline
/// comes behind them.
pub(crate) struct Encoded<'a> {
    pub(crate) head: &'a mut Buffer,
    pub(crate) tail: &'a mut Option<Tail>,
    /// All values; head and tail are empty then.
    pub(crate) block: Option<Payload>,
}

impl Link {
    /// Finds places for the payloads of a frame. What finds none beside it goes behind its values.
    ///
    /// # Errors
    /// `TooLarge` for more payloads or references than a frame can carry.
    #[inline]
    pub(crate) fn enclose(&self, parcel: Parcel, encoded: Encoded<'_>) -> Result<Enclosing, Error> {
        if parcel.is_empty() && encoded.block.is_none() {
            return Ok(None);
        }
        self.enclose_some(parcel, encoded)
    }

    fn enclose_some(&self, parcel: Parcel, encoded: Encoded<'_>) -> Result<Enclosing, Error> {
        let Parcel { payloads, passed } = parcel;
        if passed.len() > MOST_REFERENCES {
            let text = format!(
                "{} references travel with it, and {MOST_REFERENCES} are the most: pass the others with another call",
                passed.len()
            );
            return Err(Error::of(ErrorKind::TooLarge, text));
        }
        let (tx, limit) = {
            let state = self.lock();
            let tx = state.line.as_ref().map(|line| Arc::clone(&line.tx));
            (tx, state.conn.frame_limit())
        };
        let mut enclosed = Enclosed::place(payloads, tx.as_deref(), encoded, limit)?;
        enclosed.passed = passed;
        Ok(Some(Box::new(enclosed)))
    }

    /// Memory of the present wire for a copy of `length` bytes, if it has some that is not needed otherwise.
    pub(crate) fn room_for_copy(&self, length: usize) -> Option<Loan> {
        self.tx()?.loan(length, Purpose::Copy)
    }

    /// Memory for `length` bytes that will be sent: of the present wire, or on the heap where that has none.
    pub(crate) fn loan(&self, length: usize) -> Loan {
        let loan = self.tx().and_then(|tx| tx.loan(length, Purpose::Loan));
        loan.unwrap_or_else(|| Loan::heap(length))
    }

    /// The sending half of the present wire.
    fn tx(&self) -> Option<Arc<dyn Tx>> {
        self.lock().line.as_ref().map(|line| Arc::clone(&line.tx))
    }
}

impl Enclosed {
    /// Finds a place for each payload, for a frame of at most `limit` bytes. Without a wire, large ones wait for it. Copies: not to be called
    /// under a lock.
    ///
    /// # Errors
    /// `TooLarge` for more payloads than a frame can carry.
    pub(super) fn place(
        payloads: Vec<Payload>,
        tx: Option<&dyn Tx>,
        mut encoded: Encoded<'_>,
        limit: usize,
    ) -> Result<Self, Error> {
        if payloads.len() > MOST_PAYLOADS {
            let text = format!(
                "{} payloads travel with it, and {MOST_PAYLOADS} are the most: put the bytes of several into one",
                payloads.len()
            );
            return Err(Error::of(ErrorKind::TooLarge, text));
        }
        let mut values = encoded.block.take();
        let room = payloads.len() < MOST_PAYLOADS;
        if !tx.is_some_and(|tx| {
            room && values.as_ref().is_some_and(|v| tx.carries(v, payloads.len()))
        }) {
            let values = values.take().map(|values| values.to_buffer().into());
            *encoded.tail = values.or(encoded.tail.take());
        }
        let mut entries = Vec::with_capacity(payloads.len());
        for payload in payloads {
            let placed = match tx {
                Some(tx) => carried(tx, payload, entries.len()),
                None if payload.len() >= WORTH_A_BLOCK => Ok(payload),
                None => Err(payload),
            };
            entries.push(match placed {
                Ok(payload) => Enclosure::Beside(payload),
                Err(payload) if waits(tx, &payload, limit.saturating_sub(encoded.len())) => {
                    Enclosure::Beside(alone(payload))
                }
                Err(payload) => encoded.append(payload),
            });
        }
        Ok(Self { entries, values, passed: Vec::new() })
    }

    /// Bytes of the values that are beside the frame.
    pub(super) fn values_bytes(&self) -> usize {
        self.values.as_ref().map_or(0, Payload::len)
    }

    /// Whether nothing of it was given away for good. References are: what has been lent on one wire is not lent again by itself.
    pub(super) fn is_whole(&self) -> bool {
        let gone = |entry: &Enclosure| matches!(entry, Enclosure::Gone);
        self.passed.is_empty() && !self.entries.iter().any(gone)
    }

    /// Bytes of the payloads that are not in the frame.
    pub(super) fn beside_bytes(&self) -> usize {
        self.beside().map(Payload::len).sum()
    }

    /// The wire that the frame goes to is known now, and may be another one than before: what it does not carry moves into the frame.
    pub(super) fn settle(&mut self, tx: &dyn Tx, mut encoded: Encoded<'_>) {
        if self.carries_all(tx) {
            return;
        }
        let is_bare = encoded.tail.is_none() && self.values.is_none();
        if !is_bare || self.entries.iter().any(|entry| matches!(entry, Enclosure::Inline(_))) {
            return self.move_inline(tx, encoded);
        }
        for (at, entry) in self.entries.iter_mut().enumerate() {
            if let Enclosure::Beside(payload) = entry
                && !tx.carries(payload, at)
            {
                *entry = encoded.append(std::mem::take(payload));
            }
        }
    }

    /// Whether nothing would move into the frame.
    fn carries_all(&self, tx: &dyn Tx) -> bool {
        let others = self.entries.len();
        self.uncarried(tx).next().is_none()
            && self.values.as_ref().is_none_or(|values| tx.carries(values, others))
    }

    /// The payloads that are to travel beside the frame, and that the wire does not carry as they are.
    pub(super) fn uncarried<'a>(&'a self, tx: &'a dyn Tx) -> impl Iterator<Item = &'a Payload> {
        let beside = self.beside().enumerate();
        beside.filter(|(at, payload)| !tx.carries(payload, *at)).map(|(_, payload)| payload)
    }

    /// The payloads that are not in the frame.
    pub(super) fn beside(&self) -> impl Iterator<Item = &Payload> {
        self.entries.iter().filter_map(|entry| match entry {
            Enclosure::Beside(payload) => Some(payload),
            _ => None,
        })
    }

    /// What travels beside the frame in all, its values among it.
    pub(super) fn count_beside(&self) -> usize {
        self.beside().count() + usize::from(self.values.is_some())
    }

    /// Puts `copy` in the place of a payload that is `original`, which is given out. False if there is none.
    pub(super) fn replace(&mut self, original: &Payload, copy: &mut Payload) -> bool {
        let is_original = |payload: &Payload| payload.is_same(original);
        let place = self.entries.iter_mut().find_map(|entry| match entry {
            Enclosure::Beside(payload) if is_original(payload) => Some(payload),
            _ => None,
        });
        place.map(|payload| std::mem::swap(payload, copy)).is_some()
    }

    /// Puts the frame's bytes together anew, with those of all payloads that the wire does not carry.
    fn move_inline(&mut self, tx: &dyn Tx, encoded: Encoded<'_>) {
        let inline = |entry: &Enclosure| match entry {
            Enclosure::Inline(length) => *length,
            _ => 0,
        };
        let inline: usize = self.entries.iter().map(inline).sum();
        let mut whole = std::mem::take(encoded.head);
        if let Some(tail) = encoded.tail.take() {
            whole.extend_from_slice(&tail);
        }
        let (values, mut rest) = whole.split_at(whole.len().saturating_sub(inline));
        let mut frame = Buffer::with_capacity(whole.len() + self.beside_bytes());
        frame.extend_from_slice(values);
        let others = self.entries.len();
        if let Some(values) = self.values.take_if(|values| !tx.carries(values, others)) {
            values.append_to(&mut frame);
        }
        for (at, entry) in self.entries.iter_mut().enumerate() {
            match entry {
                Enclosure::Inline(length) => {
                    let (bytes, left) = rest.split_at((*length).min(rest.len()));
                    frame.extend_from_slice(bytes);
                    rest = left;
                }
                Enclosure::Beside(payload) if !tx.carries(payload, at) => {
                    payload.append_to(&mut frame);
                    *entry = Enclosure::Inline(payload.len());
                }
                _ => {}
            }
        }
        *encoded.tail = Some(frame.into());
    }

    /// Appends the table that the peer reads, and gives it back as it is read.
    fn encode_table<'a>(&self, out: &'a mut Vec<u8>) -> Table<'a> {
        if self.entries.is_empty() && self.values.is_none() {
            return Table::default();
        }
        let entry = |entry: &Enclosure| match entry {
            Enclosure::Beside(payload) => beside(payload),
            Enclosure::Inline(length) => Entry { length: *length, place: Place::Inline },
            Enclosure::Gone => Entry { length: 0, place: Place::Inline },
        };
        let entries: Vec<_> =
            self.entries.iter().map(entry).chain(self.values.as_ref().map(beside)).collect();
        Table::encode(entries.into_iter(), out);
        match &self.values {
            Some(_) => Table::of(out).with_values(),
            None => Table::of(out),
        }
    }

    /// What travels beside the frame. What is the peer's own goes back to it for good; the rest can be sent again.
    pub(super) fn take_beside(&mut self) -> Vec<Payload> {
        let take = |entry: &mut Enclosure| match entry {
            Enclosure::Beside(payload) if payload.is_borrowed() => {
                let payload = std::mem::take(payload);
                *entry = Enclosure::Gone;
                Some(payload)
            }
            Enclosure::Beside(payload) => Some(payload.clone()),
            _ => None,
        };
        self.entries.iter_mut().filter_map(take).chain(self.values.clone()).collect()
    }
}

impl Encoded<'_> {
    /// Bytes so far.
    fn len(&self) -> usize {
        self.head.len() + self.tail.as_ref().map_or(0, |tail| tail.len())
    }

    /// Puts a payload behind what is there. One on the heap is not copied if it is the first large one.
    fn append(&mut self, payload: Payload) -> Enclosure {
        let length = payload.len();
        match self.tail {
            Some(tail) => payload.append_to(tail.writer()),
            None if length < BULK => payload.append_to(self.head),
            None => *self.tail = Some(payload.into_tail()),
        }
        Enclosure::Inline(length)
    }
}

/// Whether a payload that finds no memory of the wire now, and `room` in the frame, waits until the frame goes out.
fn waits(tx: Option<&dyn Tx>, payload: &Payload, room: usize) -> bool {
    let length = payload.len();
    (length >= LARGE || length > room) && tx.is_some_and(|tx| tx.capacity() >= length)
}

/// The payload in memory that can be moved into a frame: nobody else holds it.
fn alone(payload: Payload) -> Payload {
    match payload.block() {
        Some(_) => payload,
        None => payload.into_buffer().unwrap_or_else(|shared| shared.to_buffer()).into(),
    }
}

fn beside(payload: &Payload) -> Entry {
    Entry { length: payload.len(), place: Place::Beside }
}

/// The payload as it can travel beside a frame, with `others`: as it is, or copied into memory of the wire. Otherwise itself.
fn carried(tx: &dyn Tx, payload: Payload, others: usize) -> Result<Payload, Payload> {
    if tx.carries(&payload, others) {
        return Ok(payload);
    }
    if payload.len() < WORTH_A_BLOCK {
        return Err(payload);
    }
    let Some(mut loan) = tx.loan(payload.len(), Purpose::Copy) else { return Err(payload) };
    payload.copy_to(0, &mut loan);
    let copy = Payload::from(loan);
    if tx.carries(&copy, others) { Ok(copy) } else { Err(payload) }
}
