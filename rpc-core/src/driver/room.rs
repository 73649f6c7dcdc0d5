//! Payloads that wait for memory of the wire, because no frame is large enough for them: with their calls in the outbox, or with their
//! answers.
//!
//! ```text
//! call, reply    what the wire does not carry now, and no frame holds: `awaits_room`, and is held
//! turn           `make_room` asks the wire for memory for the first that waits; copies, without the lock; puts the copy in its place
//!                none: `poll_writable` completes when some may have come back
//! pump           what has its memory goes out
//! ```
//!
//! A call waits behind an earlier one on the same object, and passes those on others: so what gives memory back is not held up by what waits
//! for it, except where the order of calls on one object demands it. Answers and streams wait for no call.

use super::{
    Answer, Enclosed, Link,
    line::Line,
    order::{Order, Target},
    outbox::HeldCall,
    state::State,
    waiter::Wakes,
};
use crate::{
    conn::Kept,
    error::{Error, ErrorKind, Executed},
    frame::Outcome,
    id::CallId,
    payload::Payload,
    skeleton::Local,
    transport::{Need, Tx},
};
use std::{collections::VecDeque, mem, sync::atomic::Ordering};

/// Objects with a call that waits for memory; there may be no more of them if calls on others are to pass.
const PASSED: usize = 64;

/// An answer that waits for memory of the wire.
#[derive(Debug)]
pub(super) struct HeldAnswer {
    call: CallId,
    /// Without its bytes, which `answer` has.
    outcome: Outcome<'static>,
    answer: Answer,
    kept: Kept<Local>,
}

/// What becomes of an answer.
#[derive(Debug)]
pub(super) enum Answering {
    /// It can go out; its payloads that the wire does not carry go into its frame.
    Now(Answer, Kept<Local>),
    /// So much waits already that it cannot: the error is the answer.
    Refused(Error, Answer, Kept<Local>),
    Held,
}

/// The objects with a call that waits for memory: later calls on them wait too.
#[derive(Default, Debug)]
pub(super) struct Behind {
    targets: Vec<Target>,
}

impl Behind {
    /// Whether the next call in order waits neither for memory nor behind one that does.
    pub(super) fn is_free(
        &mut self,
        order: &Order,
        awaits_room: impl FnOnce(&Order) -> bool,
    ) -> bool {
        if self.targets.contains(&order.target) {
            return false;
        }
        let waits = awaits_room(order);
        if waits {
            self.targets.push(order.target);
        }
        !waits
    }

    /// Whether later calls may go. What a call will return may be any object, the one of the next call too.
    pub(super) fn can_be_passed(&self) -> bool {
        let is_answer = |target: &Target| matches!(target, Target::Answer(_));
        self.targets.len() < PASSED && !self.targets.iter().any(is_answer)
    }
}

/// The payloads of a frame that wait, and what the frame needs.
type Wanted = (Vec<Payload>, Need);

impl Link {
    /// Finds memory for payloads that wait for it. True if it did: what waited may go out now. Copies: not to be called under a lock.
    pub(super) fn make_room(&self, line: &Line) -> bool {
        let wanted = self.lock().wanted(&*line.tx);
        let waits = !wanted.is_empty();
        if !waits && !line.is_short.load(Ordering::Relaxed) {
            return false;
        }
        line.is_short.store(waits, Ordering::Relaxed);
        let needs = wanted.iter().map(|(_, need)| need.clone()).collect();
        let Some((at, loans)) = line.tx.make_room(needs) else { return false };
        let originals = wanted.get(at).map(|(payloads, _)| payloads.as_slice()).unwrap_or_default();
        let copies: Vec<_> = loans
            .into_iter()
            .zip(originals)
            .map(|(mut loan, original)| {
                original.copy_to(0, &mut loan);
                Payload::from(loan)
            })
            .collect();
        let left = self.lock().replace(originals, copies);
        drop(left);
        true
    }
}

impl State {
    /// Bytes of a frame of `size` bytes with what surely moves into it.
    pub(super) fn least_size(&self, size: usize, payloads: Option<&Enclosed>) -> usize {
        let (Some(payloads), Some(line)) = (payloads, &self.line) else { return size };
        let limit = self.conn.frame_limit();
        if size + payloads.beside_bytes() <= limit {
            return size;
        }
        let moved: usize = payloads.uncarried(&*line.tx).map(Payload::len).sum();
        match size + moved > limit && line.tx.could_carry(&whole_need(payloads)) {
            true => size,
            false => size + moved,
        }
    }

    /// Whether a call waits for memory of the wire.
    pub(super) fn awaits_room(&self, order: &Order) -> bool {
        self.is_short_of_room(order.size(), order.payloads.as_deref())
    }

    /// Whether a frame of `size` bytes has payloads that it is too small for, and for which the wire has no memory now, but may have some.
    fn is_short_of_room(&self, size: usize, payloads: Option<&Enclosed>) -> bool {
        let (Some(payloads), Some(line)) = (payloads, &self.line) else { return false };
        let limit = self.conn.frame_limit();
        if size + payloads.beside_bytes() <= limit {
            return false;
        }
        let moved: usize = payloads.uncarried(&*line.tx).map(Payload::len).sum();
        moved > 0 && size + moved > limit && line.tx.could_carry(&whole_need(payloads))
    }

    /// For an error: what payloads can have instead of a frame.
    pub(super) fn or_beside(&self, payloads: Option<&Enclosed>) -> String {
        let capacity = self.line.as_ref().map_or(0, |line| line.tx.capacity());
        match (payloads, capacity) {
            (None, _) | (_, 0) => String::new(),
            _ => format!("; memory shared with it holds {capacity} bytes of payloads"),
        }
    }

    /// Whether so many bytes of payloads can wait beside others. Those of one frame always can.
    pub(super) fn can_wait(&self, others: usize, bytes: usize) -> bool {
        others == 0 || others + bytes <= self.limits.outbox_payloads
    }

    /// An answer that awaits memory is held, if that many can be.
    pub(super) fn answering(
        &mut self,
        call: CallId,
        outcome: &Outcome<'_>,
        answer: Answer,
        kept: Kept<Local>,
    ) -> Answering {
        let is_short = self.is_short_of_room(answer.size(), answer.payloads.as_deref());
        let outcome = match outcome {
            Outcome::Ok(_) if is_short => Outcome::Ok(&[]),
            Outcome::App(_) if is_short => Outcome::App(&[]),
            _ => return Answering::Now(answer, kept),
        };
        let beside = |answer: &Answer| answer.payloads.as_deref().map_or(0, Enclosed::beside_bytes);
        let held = self.answers.iter().map(|held| beside(&held.answer)).sum();
        if self.answers.len() >= self.limits.outbox_calls || !self.can_wait(held, beside(&answer)) {
            let text = format!(
                "{} answers with {held} bytes of payloads already wait for memory that this caller holds: let it drop some payloads, or \
                 raise `outbox_payloads` and `outbox_calls`",
                self.answers.len()
            );
            let error = Error::of(ErrorKind::Overloaded, text).executed_as(Executed::Yes);
            return Answering::Refused(error, answer, kept);
        }
        self.answers.push_back(HeldAnswer { call, outcome, answer, kept });
        Answering::Held
    }

    /// Sends the answers that have found memory, and answers those whose callers have given up. True if any went.
    pub(super) fn pump_answers(&mut self, wakes: &mut Wakes) -> bool {
        let mut any = false;
        for mut held in mem::take(&mut self.answers) {
            let given_up = self.conn.is_cancelled(held.call) || !self.conn.is_serving(held.call);
            let answer = &held.answer;
            if !given_up && self.is_short_of_room(answer.size(), answer.payloads.as_deref()) {
                self.answers.push_back(held);
                continue;
            }
            if given_up {
                wakes.push_answer(mem::take(&mut held.answer));
                held.outcome = Outcome::Cancelled;
            }
            self.answer(held.call, &held.outcome, &mut held.answer, held.kept);
            wakes.push_answer(held.answer);
            any = true;
        }
        any
    }

    /// Forgets the answers that wait: their wire is gone. To be dropped outside of the lock.
    pub(super) fn take_answers(&mut self) -> VecDeque<HeldAnswer> {
        mem::take(&mut self.answers)
    }

    /// What waits for memory of the wire and for nothing else.
    fn wanted(&self, tx: &dyn Tx) -> Vec<Wanted> {
        let answers = self.answers.iter().filter_map(|held| held.answer.payloads.as_deref());
        let apart = first_waiting(self, &self.outbox_apart);
        let calls = first_waiting(self, &self.outbox);
        answers
            .take(PASSED)
            .chain(apart)
            .chain(calls)
            .map(|payloads| wanted(payloads, tx))
            .collect()
    }

    /// Puts copies in the places of payloads that still wait. Gives out what is left, to be dropped outside of the lock.
    fn replace(&mut self, originals: &[Payload], mut copies: Vec<Payload>) -> Vec<Payload> {
        for (original, copy) in originals.iter().zip(&mut copies) {
            let calls = self.outbox_apart.iter_mut().chain(&mut self.outbox);
            let calls = calls.filter_map(|held| held.order.payloads.as_deref_mut());
            let answers = self.answers.iter_mut();
            let answers = answers.filter_map(|held| held.answer.payloads.as_deref_mut());
            let _ = answers.chain(calls).any(|payloads| payloads.replace(original, copy));
        }
        copies
    }
}

/// The calls that wait for memory, and behind no other.
fn first_waiting<'a>(
    state: &State,
    outbox: &'a VecDeque<HeldCall>,
) -> impl Iterator<Item = &'a Enclosed> {
    let mut behind = Behind::default();
    let mut waiting = Vec::new();
    for held in outbox {
        let mut waits = false;
        behind.is_free(&held.order, |order| {
            waits = state.awaits_room(order);
            waits
        });
        if waits {
            waiting.extend(held.order.payloads.as_deref());
        }
        if !behind.can_be_passed() {
            break;
        }
    }
    waiting.into_iter()
}

/// The payloads that have no memory of the wire.
fn wanted(payloads: &Enclosed, tx: &dyn Tx) -> Wanted {
    let waiting: Vec<_> = payloads.uncarried(tx).cloned().collect();
    let lengths = waiting.iter().map(Payload::len).collect();
    (waiting, Need { lengths, beside: payloads.count_beside() })
}

/// What all payloads of a frame need together that are not the peer's. Each block counts once.
fn whole_need(payloads: &Enclosed) -> Need {
    let mut seen: Vec<&Payload> = Vec::new();
    for payload in payloads.beside().filter(|payload| !payload.is_borrowed()) {
        let again = payload.block().is_some() && seen.iter().any(|other| other.is_same(payload));
        if !again {
            seen.push(payload);
        }
    }
    let lengths = seen.iter().map(|payload| payload.len()).collect();
    Need { lengths, beside: payloads.count_beside() }
}
