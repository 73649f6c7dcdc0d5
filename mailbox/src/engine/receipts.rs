//! What has become of the letters, for their senders: of all that are there, and of the newest that are over.

use super::{Ticket, letter::LetterId};
use crate::{Error, ProcessId};
use serde::{Deserialize, Serialize};
use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

/// Letters that are over and remembered, at least.
pub const REMEMBERED: usize = 16_384;
/// Those who wait to hear of a letter.
pub const INQUIRIES: usize = 65_536;

/// What a sender waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Until {
    /// A receiver has taken the letter.
    Taken,
    /// A receiver has acked it.
    Acked,
}

/// What has become of a letter.
#[derive(Clone, Debug)]
enum State {
    /// No letter has this number.
    Never,
    Ready,
    Taken(Arc<ProcessId>),
    Acked(Arc<ProcessId>),
    Lost(Box<Error>),
}

impl State {
    fn is_over(&self) -> bool {
        matches!(self, Self::Never | Self::Acked(_) | Self::Lost(_))
    }
}

/// What has become of the letters.
#[derive(Default, Debug)]
pub(super) struct Receipts {
    /// Of the newest letters, at most [`REMEMBERED`], and the number of the first of them.
    states: VecDeque<State>,
    first: u64,
    /// Of letters before them: all that were not over when they left `states`, and the newest that have been over since.
    old: HashMap<LetterId, State>,
    over: VecDeque<LetterId>,
    inquiries: Vec<(Ticket, LetterId, Until)>,
}

/// What one who asked is told.
pub(super) type Told = (Ticket, Result<ProcessId, Error>);

impl Receipts {
    /// A letter was accepted. Its number is higher than those before it, but for a letter that was stored after a dead one came.
    pub(super) fn accepted(&mut self, letter: LetterId) {
        let mut next = self.first + self.states.len() as u64;
        let Some(skipped) = letter.0.checked_sub(next) else { return self.ready(letter) };
        if skipped > REMEMBERED as u64 {
            while self.forget_first() {}
            (self.first, next) = (letter.0, letter.0);
        }
        (next..letter.0).for_each(|_| self.states.push_back(State::Never));
        self.states.push_back(State::Ready);
        while self.states.len() > REMEMBERED {
            self.forget_first();
        }
    }

    fn forget_first(&mut self) -> bool {
        let Some(state) = self.states.pop_front() else { return false };
        if !state.is_over() {
            self.old.insert(LetterId(self.first), state);
        }
        self.first += 1;
        true
    }

    /// It waits to be taken again, by nobody's fault.
    pub(super) fn ready(&mut self, letter: LetterId) {
        self.set(letter, State::Ready);
    }

    pub(super) fn taken(&mut self, letter: LetterId, by: &Arc<ProcessId>) -> Vec<Told> {
        self.set(letter, State::Taken(Arc::clone(by)));
        self.tell(letter)
    }

    /// The letter is over: acked by a process, or why not.
    pub(super) fn over(
        &mut self,
        letter: LetterId,
        how: Result<Arc<ProcessId>, Error>,
    ) -> Vec<Told> {
        let state = how.map_or_else(|error| State::Lost(Box::new(error)), State::Acked);
        self.set(letter, state);
        let told = self.tell(letter);
        if letter.0 < self.first {
            self.over.push_back(letter);
            if self.over.len() > REMEMBERED
                && let Some(oldest) = self.over.pop_front()
            {
                self.old.remove(&oldest);
            }
        }
        told
    }

    /// The answer, if it is known; else it will be told.
    pub(super) fn ask(
        &mut self,
        ticket: Ticket,
        letter: LetterId,
        until: Until,
    ) -> Option<Result<ProcessId, Error>> {
        if let Some(answer) = self.answer(letter, until) {
            return Some(answer);
        }
        if self.inquiries.len() >= INQUIRIES {
            let what = "waiting for receipts".to_owned();
            return Some(Err(Error::LimitExceeded { what, limit: INQUIRIES as u64 }));
        }
        self.inquiries.push((ticket, letter, until));
        None
    }

    pub(super) fn stop_asking(&mut self, ticket: Ticket) {
        self.inquiries.retain(|(of, ..)| *of != ticket);
    }

    /// Takes out all that are asking.
    pub(super) fn take_asking(&mut self) -> impl Iterator<Item = Ticket> + use<> {
        std::mem::take(&mut self.inquiries).into_iter().map(|(ticket, ..)| ticket)
    }

    fn set(&mut self, letter: LetterId, state: State) {
        match letter.0.checked_sub(self.first).and_then(|at| usize::try_from(at).ok()) {
            None => _ = self.old.insert(letter, state),
            Some(at) => {
                if let Some(known) = self.states.get_mut(at) {
                    *known = state;
                }
            }
        }
    }

    fn state(&self, letter: LetterId) -> Option<&State> {
        match letter.0.checked_sub(self.first) {
            None => self.old.get(&letter),
            Some(at) => self.states.get(usize::try_from(at).ok()?),
        }
    }

    fn answer(&self, letter: LetterId, until: Until) -> Option<Result<ProcessId, Error>> {
        match (self.state(letter), until) {
            (None | Some(State::Never), _) => Some(Err(Error::Forgotten)),
            (Some(State::Acked(by)), _) => Some(Ok((**by).clone())),
            (Some(State::Lost(error)), _) => Some(Err((**error).clone())),
            (Some(State::Taken(by)), Until::Taken) => Some(Ok((**by).clone())),
            (Some(State::Ready | State::Taken(_)), _) => None,
        }
    }

    fn tell(&mut self, letter: LetterId) -> Vec<Told> {
        if self.inquiries.is_empty() {
            return Vec::new();
        }
        let (of, others): (Vec<_>, Vec<_>) =
            self.inquiries.drain(..).partition(|(_, of, _)| *of == letter);
        self.inquiries = others;
        let mut told = Vec::new();
        for (ticket, letter, until) in of {
            match self.answer(letter, until) {
                Some(answer) => told.push((ticket, answer)),
                None => self.inquiries.push((ticket, letter, until)),
            }
        }
        told
    }
}
